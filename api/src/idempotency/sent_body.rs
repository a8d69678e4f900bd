//! Who sends a request, and what is checked before its key is looked up.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts};
use axum::http::request::Parts;

use crate::client_address::ClientIp;
use crate::error::ApiError;
use crate::extract::{Admission, AuthorizedBytes, EncodedBytes, JsonBytes};
use crate::state::AppState;

/// What a handler's extractor does before it judges the body. The handler does it again: a session can end meanwhile.
pub(crate) trait SentBody: FromRequest<AppState, Rejection = ApiError> + Send {
    /// Whether browsers get the route's errors as pages.
    const HAS_PAGES: bool = false;

    /// The account of the request, if it has one, and the body.
    fn account_and_bytes(self) -> (Option<String>, Bytes);
}

impl SentBody for JsonBytes {
    fn account_and_bytes(self) -> (Option<String>, Bytes) {
        (None, self.0)
    }
}

impl SentBody for EncodedBytes {
    const HAS_PAGES: bool = true;

    fn account_and_bytes(self) -> (Option<String>, Bytes) {
        (None, self.bytes)
    }
}

impl<A: Admission + Send> SentBody for AuthorizedBytes<A> {
    fn account_and_bytes(self) -> (Option<String>, Bytes) {
        (Some(format!("account {}", self.user_uid)), self.bytes)
    }
}

/// The caller of a request without an account: the network by which its rate is limited.
pub(super) async fn network(parts: &mut Parts, state: &AppState) -> String {
    let Ok(client) = ClientIp::from_request_parts(parts, state).await;
    format!("network {}", client.network())
}

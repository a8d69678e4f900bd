//! The request's id, which follows a mail to the worker's log lines.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// The id of this request: the client's own if it sent a sane one. `None` outside the server's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub Option<String>);

impl<S: Sync> FromRequestParts<S> for RequestId {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts.extensions.get::<tower_http::request_id::RequestId>();
        Ok(RequestId(id.and_then(|id| id.header_value().to_str().ok()).map(str::to_owned)))
    }
}

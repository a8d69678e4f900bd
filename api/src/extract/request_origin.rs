//! The request's id and trace, which follow a mail to the worker's log lines.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bookly_shared::db::emails::enqueue::RequestOrigin;
use bookly_shared::trace::TraceContext;
use tower_http::request_id::RequestId;

/// What a mail remembers of this request: its id, the client's own if it sent a sane one, and its trace. Both are
/// `None` outside the server's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OriginOfRequest(pub RequestOrigin);

impl<S: Sync> FromRequestParts<S> for OriginOfRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts.extensions.get::<RequestId>();
        let request_id = id.and_then(|id| id.header_value().to_str().ok()).map(str::to_owned);
        let trace = parts.extensions.get::<TraceContext>().copied();
        Ok(OriginOfRequest(RequestOrigin { request_id, trace }))
    }
}

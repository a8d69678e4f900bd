//! The id and the trace of the current request. They follow an email to the worker's log lines.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use bookly_shared::db::emails::insert::RequestOrigin;
use bookly_shared::trace::TraceContext;
use tower_http::request_id::RequestId;

/// What an email's row stores about the request that asked for it. Both parts are `None` without the server's layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentRequest(pub RequestOrigin);

impl<S: Sync> FromRequestParts<S> for CurrentRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = parts.extensions.get::<RequestId>();
        let request_id = id.and_then(|id| id.header_value().to_str().ok()).map(str::to_owned);
        let trace = parts.extensions.get::<TraceContext>().copied();
        Ok(CurrentRequest(RequestOrigin { request_id, trace }))
    }
}

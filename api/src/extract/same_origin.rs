//! Whether a form comes from a page of this service.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::error::{ApiError, ApiResult};
use crate::request_source::RequestSource;
use crate::state::AppState;

/// A request from a page of this service; others get 403 `insufficient_permissions`.
#[derive(Debug, Clone, Copy)]
pub struct SameOrigin;

/// For a handler that itself answers a request from another origin, with a page.
pub(crate) type OwnPage = ApiResult<SameOrigin>;

impl FromRequestParts<AppState> for SameOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if RequestSource::of(&parts.headers, &state.settings) == RequestSource::OwnSite {
            return Ok(SameOrigin);
        }
        tracing::info!("refused a form that was not sent from a page of this service");
        Err(ApiError::InsufficientPermissions)
    }
}

//! Whether a form comes from a page of this service.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::error::ApiError;
use crate::request_source::RequestSource;
use crate::state::AppState;

/// Content types that a form of any site can have (HTML §4.10.19.6).
const OF_FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// A request from a page of this service; others get 403 `insufficient_permissions`.
#[derive(Debug, Clone, Copy)]
pub struct SameOrigin;

/// The same for forms alone: requests of other content types, and of `CORS_ORIGINS`, pass. For buttons without fields.
#[derive(Debug, Clone, Copy)]
pub struct SameOriginForm;

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

impl FromRequestParts<AppState> for SameOriginForm {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let is_allowed = RequestSource::of(&parts.headers, &state.settings) == RequestSource::AllowedOrigin;
        if is_form(&parts.headers) && !is_allowed {
            SameOrigin::from_request_parts(parts, state).await?;
        }
        Ok(SameOriginForm)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let name = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    name.is_empty() || OF_FORMS.iter().any(|form| form.eq_ignore_ascii_case(name))
}

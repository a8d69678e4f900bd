//! Whether a form comes from a page of this service.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use bookly_shared::config::{Settings, WayToRun};

use super::client::is_loopback_host;
use super::encoding::Encoding;
use crate::error::ApiError;
use crate::state::AppState;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A request from a page of this service; others get 403 `insufficient_permissions`.
#[derive(Debug, Clone, Copy)]
pub struct SameOrigin;

impl FromRequestParts<AppState> for SameOrigin {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if is_own_page(&parts.headers, &state.settings) {
            return Ok(SameOrigin);
        }
        tracing::info!("a form from a page of another site was refused");
        Err(ApiError::InsufficientPermissions)
    }
}

/// The same for forms alone, in each encoding that a form can have; other requests pass. For buttons without fields.
#[derive(Debug, Clone, Copy)]
pub struct SameOriginForm;

impl FromRequestParts<AppState> for SameOriginForm {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        if !Encoding::of(&parts.headers).is_ok_and(|encoding| encoding == Encoding::Json) {
            SameOrigin::from_request_parts(parts, state).await?;
        }
        Ok(SameOriginForm)
    }
}

/// Browsers since 2023 send `Sec-Fetch-Site`, which no page can forge (`none`: the user typed the address). Older ones
/// send `Origin`. `Origin: null`, and a request with neither header, prove nothing.
pub(crate) fn is_own_page(headers: &HeaderMap, settings: &Settings) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    origin.eq_ignore_ascii_case(settings.public_url.origin()) || is_this_machine(origin, headers, settings)
}

/// In embedded mode the service is reached as `localhost` and as `127.0.0.1`. The `Host` must be a loopback one: with DNS
/// rebinding a foreign name resolves to this machine and equals its own `Origin`.
fn is_this_machine(origin: &str, headers: &HeaderMap, settings: &Settings) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|value| value.to_str().ok()) else { return false };
    settings.way_to_run() == WayToRun::Embedded
        && is_loopback_host(host)
        && origin.eq_ignore_ascii_case(&format!("http://{host}"))
}

//! How the endpoints of links answer: JSON for programs, pages for browsers.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::user::MessageResponse;
use crate::error::ApiError;
use crate::extract::{Encoding, SameOrigin, WantsHtml};
use crate::pages::{Page, RequestForm};
use crate::request_source::RequestSource;
use crate::routes::html::{error_page, page};
use crate::state::AppState;

/// The form of an answer, chosen by the request's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResponseFormat {
    /// The client sent a form or prefers HTML.
    Html,
    /// Every other client.
    Json,
}

impl<S: Sync> FromRequestParts<S> for ResponseFormat {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(ResponseFormat::of(&parts.headers))
    }
}

impl ResponseFormat {
    fn of(headers: &HeaderMap) -> ResponseFormat {
        let sent_a_form = Encoding::of(headers) == Ok(Encoding::Form);
        if sent_a_form || WantsHtml::of(headers).0 { ResponseFormat::Html } else { ResponseFormat::Json }
    }

    /// The answer 200: a page, or the message as JSON.
    pub(super) fn success(self, state: &AppState, message: &'static str, html: &Page<'_>) -> Response {
        match self {
            ResponseFormat::Html => page(state, StatusCode::OK, html),
            ResponseFormat::Json => Json(MessageResponse { message }).into_response(),
        }
    }

    /// An error's answer. The page of an expired link offers `form`, which asks for a new link.
    pub(super) fn failure(self, state: &AppState, error: ApiError, form: Option<RequestForm>) -> Response {
        let html = match (self, &error) {
            (ResponseFormat::Json, _) => return error.into_response(),
            (ResponseFormat::Html, ApiError::LinkExpired) => Page::LinkExpired { form },
            (ResponseFormat::Html, ApiError::LinkInvalid) => Page::LinkInvalid {},
            (ResponseFormat::Html, _) => return error_page(state, error),
        };
        let mut response = page(state, error.row().status, &html);
        // The request's log line reads the error from here.
        response.extensions_mut().insert(error);
        response
    }
}

/// Content types that a form of any site can have (HTML §4.10.19.6).
const OF_FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// A request that is not the form of another site; such a form gets 403 `insufficient_permissions`. For buttons without
/// fields: requests of other content types, and of `CORS_ORIGINS`, pass.
pub(super) struct SameOriginForm;

impl FromRequestParts<AppState> for SameOriginForm {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let is_allowed = RequestSource::of(&parts.headers, &state.settings) == RequestSource::AllowedOrigin;
        if is_form(&parts.headers) && !is_allowed {
            let same_origin = SameOrigin::from_request_parts(parts, state).await;
            same_origin.map_err(|error| ResponseFormat::of(&parts.headers).failure(state, error, None))?;
        }
        Ok(SameOriginForm)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let name = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    name.is_empty() || OF_FORMS.iter().any(|form| form.eq_ignore_ascii_case(name))
}

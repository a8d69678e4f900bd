//! How the endpoints of links answer: JSON for programs, pages for browsers.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::user::MessageResponse;
use crate::error::ApiError;
use crate::extract::{Encoding, WantsHtml};
use crate::pages::{Page, RequestForm};
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
        let sent_a_form = Encoding::of(&parts.headers).is_ok_and(|encoding| encoding == Encoding::Form);
        let WantsHtml(wants_html) = WantsHtml::of(&parts.headers);
        Ok(if sent_a_form || wants_html { ResponseFormat::Html } else { ResponseFormat::Json })
    }
}

impl ResponseFormat {
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

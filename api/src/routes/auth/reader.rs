//! Who reads the answer of a link's endpoint: a program gets JSON, a browser gets a page.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::account::Message;
use crate::error::ApiError;
use crate::extract::{Encoding, WantsHtml};
use crate::pages::{Page, RequestForm};
use crate::routes::html::{error_page, page};
use crate::state::AppState;

/// The reader of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Sent a form, or prefers HTML.
    Browser,
    /// Everybody else.
    Program,
}

impl<S: Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let sent_a_form = Encoding::of(&parts.headers).is_ok_and(|encoding| encoding == Encoding::Form);
        let WantsHtml(wants_html) = WantsHtml::of(&parts.headers);
        Ok(if sent_a_form || wants_html { Reader::Browser } else { Reader::Program })
    }
}

impl Reader {
    /// Says that it was done.
    pub(super) fn done(self, state: &AppState, message: &'static str, shown: &Page<'_>) -> Response {
        match self {
            Reader::Browser => page(state, StatusCode::OK, shown),
            Reader::Program => Json(Message { message }).into_response(),
        }
    }

    /// Says why it was not. `fresh` is where a browser gets a new link in place of an expired one.
    pub(super) fn refuse(self, state: &AppState, error: ApiError, fresh: Option<RequestForm>) -> Response {
        let shown = match (self, &error) {
            (Reader::Program, _) => return error.into_response(),
            (Reader::Browser, ApiError::LinkExpired) => Page::LinkExpired { form: fresh },
            (Reader::Browser, ApiError::LinkInvalid) => Page::LinkInvalid {},
            (Reader::Browser, _) => return error_page(state, error),
        };
        let mut response = page(state, error.row().status, &shown);
        // For the log line of the request.
        response.extensions_mut().insert(error);
        response
    }
}

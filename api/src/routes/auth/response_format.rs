//! How the endpoints of links answer: JSON for programs, pages for browsers.

use std::convert::Infallible;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bookly_shared::db::users::User;

use super::user::MessageResponse;
use crate::error::ApiError;
use crate::extract::{Encoding, PageLanguage, SameOrigin, WantsHtml};
use crate::pages::{Page, RequestForm};
use crate::request_source::RequestSource;
use crate::routes::html;
use crate::state::AppState;

/// The form of an answer, chosen by the request's headers, and the language of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ResponseFormat {
    /// Whether the client sent a form or prefers HTML; every other one gets JSON.
    pub(super) is_html: bool,
    language: PageLanguage,
}

impl FromRequestParts<AppState> for ResponseFormat {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(ResponseFormat::of(parts, state))
    }
}

impl ResponseFormat {
    fn of(parts: &Parts, state: &AppState) -> ResponseFormat {
        let sent_a_form = Encoding::of(&parts.headers) == Ok(Encoding::Form);
        let language = PageLanguage::of(&parts.uri, &parts.headers, state.settings.default_locale);
        ResponseFormat { is_html: sent_a_form || WantsHtml::of(&parts.headers).0, language }
    }

    /// The same in the language of an account. The answer must not tell a stranger that the account exists: use it only
    /// for a person who has the account's link or code.
    pub(super) fn of_account(self, user: &User) -> ResponseFormat {
        ResponseFormat { language: self.language.of_account(user), ..self }
    }

    /// A page, also for clients that get JSON elsewhere.
    pub(super) fn page(self, state: &AppState, status: StatusCode, shown: &Page<'_>) -> Response {
        html::page(state, self.language, status, shown)
    }

    /// The answer 200: a page, or the message as JSON.
    pub(super) fn success(self, state: &AppState, message: &'static str, shown: &Page<'_>) -> Response {
        if self.is_html {
            self.page(state, StatusCode::OK, shown)
        } else {
            Json(MessageResponse { message }).into_response()
        }
    }

    /// An error's answer. The page of an expired link offers `form`, which asks for a new link.
    pub(super) fn failure(self, state: &AppState, error: ApiError, form: Option<RequestForm>) -> Response {
        if self.is_html { self.failure_page(state, error, form) } else { error.into_response() }
    }

    /// The same as a page, also for clients that get JSON elsewhere.
    pub(super) fn failure_page(
        self,
        state: &AppState,
        error: ApiError,
        form: Option<RequestForm>,
    ) -> Response {
        let shown = match &error {
            ApiError::LinkExpired => Page::LinkExpired { form },
            ApiError::LinkInvalid => Page::LinkInvalid {},
            _ => return html::error_page(state, self.language, error),
        };
        self.error_page(state, error, &shown)
    }

    /// A page with the status of an error.
    pub(super) fn error_page(self, state: &AppState, error: ApiError, shown: &Page<'_>) -> Response {
        let mut response = self.page(state, error.row().status, shown);
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
            same_origin.map_err(|error| ResponseFormat::of(parts, state).failure(state, error, None))?;
        }
        Ok(SameOriginForm)
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let name = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    name.is_empty() || OF_FORMS.iter().any(|form| form.eq_ignore_ascii_case(name))
}

//! Pages as answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::error::{ApiError, ApiResult};
use crate::extract::PageLanguage;
use crate::pages::{Language, Page};
use crate::state::AppState;

/// A rendered page with its headers. A template that fails is a 500, and is logged.
pub fn page(state: &AppState, language: PageLanguage, status: StatusCode, page: &Page<'_>) -> Response {
    in_language(state, language.chosen(), status, page)
}

/// A page of operators and developers, in English.
pub fn english_page(state: &AppState, status: StatusCode, page: &Page<'_>) -> Response {
    in_language(state, Language::ENGLISH, status, page)
}

fn in_language(state: &AppState, language: Language, status: StatusCode, page: &Page<'_>) -> Response {
    let html = match state.pages.render(language, page) {
        Ok(html) => html,
        Err(error) => return ApiError::server(error).into_response(),
    };
    let content_language = [(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.locale.tag()))];
    let mut response =
        (status, content_language, state.pages.headers(page, &html), Html(html)).into_response();
    if language.by_header {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("accept-language"));
    }
    response
}

/// An error as a page, with its status and its headers.
pub fn error_page(state: &AppState, language: PageLanguage, error: ApiError) -> Response {
    with_error(error, |status, shown| page(state, language, status, shown))
}

/// The answer, or its error as a page in English: for routes that only operators use.
pub fn or_error_page(state: &AppState, answer: ApiResult<Response>) -> Response {
    let shown = |error| with_error(error, |status, shown| english_page(state, status, shown));
    answer.unwrap_or_else(shown)
}

fn with_error(error: ApiError, render: impl FnOnce(StatusCode, &Page<'_>) -> Response) -> Response {
    let (row, message) = (error.row(), error.message().to_owned());
    let (code, resolution) = (row.code, row.resolution);
    let shown = Page::Error { status: row.status.as_u16(), code, message: &message, resolution };
    let mut response = render(row.status, &shown);
    response.headers_mut().extend(error.headers());
    response.extensions_mut().insert(error);
    response
}

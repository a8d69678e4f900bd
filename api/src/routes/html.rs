//! Pages as answers.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::error::{ApiError, ApiResult};
use crate::pages::Page;
use crate::state::AppState;

/// A rendered page with its headers. A template that fails is a 500, and is logged.
pub fn page(state: &AppState, status: StatusCode, page: &Page<'_>) -> Response {
    match state.pages.render(page) {
        Ok(html) => (status, state.pages.headers(page, &html), Html(html)).into_response(),
        Err(error) => ApiError::server(error).into_response(),
    }
}

/// An error as a page, with its status and its headers.
pub fn error_page(state: &AppState, error: ApiError) -> Response {
    let (row, message) = (error.row(), error.message().to_owned());
    let shown = Page::Message { status: row.status.as_u16(), message: &message, resolution: row.resolution };
    let mut response = page(state, row.status, &shown);
    response.headers_mut().extend(error.headers());
    response.extensions_mut().insert(error);
    response
}

/// The answer, or its error as a page: for routes that only people use.
pub fn or_error_page(state: &AppState, answer: ApiResult<Response>) -> Response {
    answer.unwrap_or_else(|error| error_page(state, error))
}

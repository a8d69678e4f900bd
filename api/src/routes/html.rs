//! Pages as answers.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::error::ApiError;
use crate::pages::Page;
use crate::state::AppState;

/// A rendered page with its headers. A template that fails is a 500, logged.
pub fn page(state: &AppState, status: StatusCode, page: &Page<'_>) -> Response {
    match state.pages.render(page) {
        Ok(html) => (status, state.pages.headers(page), Html(html)).into_response(),
        Err(error) => ApiError::server(error).into_response(),
    }
}

/// An error as a page, for browsers: with its status and its headers.
pub fn error_page(state: &AppState, error: ApiError) -> Response {
    let (row, message) = (error.row(), error.message().to_owned());
    let shown = Page::Message { status: row.status.as_u16(), message: &message, resolution: row.resolution };
    let mut response = page(state, row.status, &shown);
    response.headers_mut().extend(error.headers());
    response.extensions_mut().insert(error);
    response
}

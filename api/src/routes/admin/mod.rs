//! For administrators: where is her mail? `/api/v1/admin` for programs, `/admin` for people.

mod board;
mod cookie;
mod emails;
mod filter;
mod login;
mod mail;

use axum::Router;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use super::html;
use crate::error::ApiResult;
use crate::rate_limit;
use crate::state::AppState;

/// The calls under `/api/v1/admin`.
pub(super) fn api() -> OpenApiRouter<AppState> {
    emails::router()
}

/// The pages under `/admin`. The login is limited per client address, as every door that takes a password.
pub(super) fn pages(state: &AppState) -> Router<AppState> {
    login::router()
        .layer(rate_limit::layer(state))
        .merge(board::router())
        .merge(mail::router())
        .merge(login::logout_router())
}

/// Errors as pages: only people come here.
fn shown(state: &AppState, answer: ApiResult<Response>) -> Response {
    answer.unwrap_or_else(|error| html::error_page(state, error))
}

#[cfg(test)]
mod tests;

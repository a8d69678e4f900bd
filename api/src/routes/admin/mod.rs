//! For administrators: find an email, send it again, cancel it, stop emails to a mailbox. `/api/v1/admin` for programs, `/admin` for people.

mod board;
mod cookie;
mod email;
mod emails;
mod filter;
mod login;
mod suppression_page;
mod suppressions;

use axum::Router;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::rate_limit;
use crate::state::AppState;

/// The calls under `/api/v1/admin`.
pub(super) fn api() -> OpenApiRouter<AppState> {
    emails::router().merge(suppressions::router())
}

/// The pages under `/admin`. The login takes a password, so it is limited per client address.
pub(super) fn pages(state: &AppState) -> Router<AppState> {
    login::router()
        .layer(from_fn_with_state(state.rate_limiter.clone(), rate_limit::limit))
        .merge(board::router())
        .merge(email::router())
        .merge(suppression_page::router())
        .merge(login::logout_router())
}

#[cfg(test)]
mod tests;

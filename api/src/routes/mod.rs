//! All calls.

pub mod auth;
pub mod books;
mod health;
pub mod html;
mod inbox;
pub(crate) mod metrics;
mod start;

use axum::Router;

use crate::error::ApiError;
use crate::layers;
use crate::state::AppState;

/// The whole service.
pub fn router(state: AppState) -> Router {
    let routes = Router::new()
        .merge(start::router())
        .merge(health::router())
        .merge(inbox::router())
        .merge(metrics::router())
        .merge(books::router())
        .nest("/api/v1/auth", auth::router(&state))
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    layers::wrap(routes, &state).with_state(state)
}

#[cfg(test)]
mod tests;

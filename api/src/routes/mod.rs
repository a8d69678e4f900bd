//! All calls, and what holds for each of them.

pub mod auth;

use axum::Router;
use axum::extract::DefaultBodyLimit;

use crate::error::ApiError;
use crate::state::AppState;

/// The largest body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The whole service.
pub fn router(state: AppState) -> Router {
    Router::new()
        .nest("/api/v1/auth", auth::router())
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(state)
}

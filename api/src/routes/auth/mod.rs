//! Accounts: `/api/v1/auth`.

use axum::Router;

use crate::state::AppState;

/// The calls under `/api/v1/auth`. The state is for layers: [`crate::rate_limit::layer`].
pub fn router(_state: &AppState) -> Router<AppState> {
    Router::new()
}

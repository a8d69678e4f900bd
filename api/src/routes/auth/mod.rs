//! Accounts: `/api/v1/auth`.

use axum::Router;

use crate::state::AppState;

/// The calls under `/api/v1/auth`.
pub fn router() -> Router<AppState> {
    Router::new()
}

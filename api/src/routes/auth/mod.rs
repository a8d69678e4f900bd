//! Accounts: `/api/v1/auth`. One file per endpoint; each begins with its router.

mod code;
mod email_change;
mod email_change_by_code;
mod email_change_undo;
mod link;
mod me;
mod not_me;
mod password_change;
mod profile;
mod request_link;
mod reset;
mod reset_by_code;
mod response_format;
mod send_mail;
mod session;
mod sign_up;
pub(super) mod unsubscribe;
mod user;
mod verify;
mod verify_by_code;

use utoipa_axum::router::OpenApiRouter;

pub(super) use session::{LoginRequest, authenticate};

use axum::middleware::from_fn_with_state;

use crate::rate_limit;
use crate::state::AppState;

/// The endpoints under `/api/v1/auth`. Those that hash a password, send an email, take a secret or change an
/// account are limited per client address.
pub fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let limited = OpenApiRouter::new()
        .merge(sign_up::router(state))
        .merge(verify::router())
        .merge(verify_by_code::router())
        .merge(request_link::router(state))
        .merge(session::login())
        .merge(reset::router())
        .merge(reset_by_code::router())
        .merge(password_change::router())
        .merge(email_change::router(state))
        .merge(email_change_by_code::router())
        .merge(email_change_undo::router())
        .merge(not_me::router())
        .merge(profile::router())
        .layer(from_fn_with_state(state.rate_limiter.clone(), rate_limit::limit));
    OpenApiRouter::new()
        .merge(limited)
        .merge(session::router())
        .merge(me::router(state))
        .merge(send_mail::router(state))
}

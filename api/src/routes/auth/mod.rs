//! Accounts: `/api/v1/auth`. A file per door; each begins with its router.

mod account;
mod email_change;
mod link;
mod me;
mod password_change;
mod reader;
mod requests;
mod reset;
mod send_mail;
mod session;
mod sign_up;
mod verify;

use utoipa_axum::router::OpenApiRouter;

pub(super) use session::{Login, authenticate};

use crate::rate_limit;
use crate::state::AppState;

/// The calls under `/api/v1/auth`. Those that cost a hash, a mail or a guess are limited per client address.
pub fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let limited = OpenApiRouter::new()
        .merge(sign_up::router())
        .merge(verify::router())
        .merge(requests::router())
        .merge(session::login())
        .merge(reset::router())
        .merge(password_change::router())
        .merge(email_change::router())
        .layer(rate_limit::layer(state));
    OpenApiRouter::new()
        .merge(limited)
        .merge(session::router())
        .merge(me::router())
        .merge(send_mail::router())
}

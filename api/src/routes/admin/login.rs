//! `/admin/login` opens the session of the operator's pages, `/admin/logout` ends it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bookly_shared::audit;
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use uuid::Uuid;

use super::cookie::{self, LIFETIME, LOGIN_PATH, Operator};
use crate::error::{ApiError, ApiResult};
use crate::extract::{ClientIp, JsonOrForm, OwnPage, SameOrigin};
use crate::pages::Page;
use crate::routes::auth::{LoginRequest, authenticate};
use crate::routes::html;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route(LOGIN_PATH, get(form).post(log_in))
}

pub(super) fn logout_router() -> Router<AppState> {
    Router::new().route("/admin/logout", post(log_out))
}

async fn form(State(state): State<AppState>) -> Response {
    html::english_page(&state, StatusCode::OK, &Page::AdminLogin { email: None, error: None })
}

async fn log_in(
    State(state): State<AppState>,
    ClientIp(client): ClientIp,
    body: Result<JsonOrForm<LoginRequest>, ApiError>,
) -> Response {
    let (email, opened) = match body {
        Ok(JsonOrForm { body: login, .. }) => {
            let email = login.email().map(|email| email.as_str().to_owned());
            let user = authenticate(&state, login, client).await;
            let opened = match user {
                Ok(user) => open(&state, user).await,
                Err(error) => Err(error),
            };
            (email, opened)
        }
        Err(error) => (None, Err(error)),
    };
    opened.unwrap_or_else(|error| refuse(&state, email.as_deref(), error))
}

/// Opens a session of these pages for a verified administrator.
async fn open(state: &AppState, user: User) -> ApiResult<Response> {
    if user.role != Role::Admin {
        audit::refused(&user, "admin_login_refused");
        return Err(ApiError::InsufficientPermissions);
    }
    if !user.is_verified {
        audit::refused(&user, "admin_login_refused");
        return Err(ApiError::AccountNotVerified);
    }
    let (sid, now) = (Uuid::new_v4(), state.now());
    if !state.db.open_session(sid, &user, now, now + LIFETIME).await? {
        // The password was changed while it was being checked.
        audit::refused(&user, "login_failed");
        return Err(ApiError::InvalidEmailOrPassword);
    }
    audit::account(&user, "admin_login_succeeded");
    Ok((cookie::set(state, user.uid, sid)?, Redirect::to("/admin")).into_response())
}

/// The form again, with the error.
fn refuse(state: &AppState, email: Option<&str>, error: ApiError) -> Response {
    let row = error.row();
    let message = match error {
        ApiError::InsufficientPermissions => "This page is for administrators",
        ApiError::Validation(_) => "Enter your address and your password",
        _ => row.message,
    };
    let mut response =
        html::english_page(state, row.status, &Page::AdminLogin { email, error: Some(message) });
    response.headers_mut().extend(error.headers());
    response.extensions_mut().insert(error);
    response
}

async fn log_out(State(state): State<AppState>, operator: Operator, own: OwnPage) -> Response {
    let ended = match own {
        Ok(SameOrigin) => state.db.end_session(operator.sid).await.map_err(ApiError::from),
        Err(error) => Err(error),
    };
    if ended.is_ok() {
        audit::account(&operator.user, "admin_logged_out");
    }
    html::or_error_page(
        &state,
        ended.map(|()| (cookie::clear(&state), Redirect::to(LOGIN_PATH)).into_response()),
    )
}

//! Sessions: login, refresh, logout.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use bookly_shared::audit;
use bookly_shared::db::users::User;
use bookly_shared::domain::{EmailAddress, Password};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AccessToken, ClientIp, Fields, FromFields, JsonBody, RefreshToken, Session};
use crate::jwt::{REFRESH_LIFETIME, TokenUser};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

/// The login alone: its requests are limited per client address.
pub(super) fn login() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(log_in))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(refresh)).routes(routes!(log_out))
}

/// `None` stands for a malformed value, which gets the same 400 as a wrong one.
#[derive(ToSchema)]
#[schema(as = Login, description = "Address and password")]
pub(crate) struct LoginRequest {
    #[schema(schema_with = schemas::login_email, required = true)]
    email: Option<EmailAddress>,
    #[schema(schema_with = schemas::password, required = true)]
    password: Option<Password>,
}

impl LoginRequest {
    /// The address, if it is well-formed.
    pub(crate) fn email(&self) -> Option<&EmailAddress> {
        self.email.as_ref()
    }
}

impl FromFields for LoginRequest {
    fn from_fields(fields: &mut Fields) -> Option<LoginRequest> {
        let email = fields.parse("email", |text| Ok::<_, Infallible>(EmailAddress::parse(text).ok()));
        let password =
            fields.parse_owned("password", |text| Ok::<_, Infallible>(Password::attempt(text).ok()));
        Some(LoginRequest { email: email?, password: password? })
    }
}

#[derive(Serialize, ToSchema)]
struct LoggedIn {
    message: &'static str,
    access_token: String,
    refresh_token: String,
    user: LoggedInUser,
}

#[derive(Serialize, ToSchema)]
struct LoggedInUser {
    email: String,
    uid: Uuid,
}

errors!(LoginErrors: body(), [ApiError::InvalidEmailOrPassword], limited(), always());

/// An unverified account may log in; the protected endpoints refuse it.
#[utoipa::path(
    post, path = "/login", tag = "Session", summary = "Log in",
    description = "Opens a session: an access token for the other endpoints, and a refresh token for the next access \
        token. Wrong passwords make further attempts for the address wait.",
    request_body = LoginRequest,
    responses((status = 200, description = "The session", body = LoggedIn), LoginErrors)
)]
async fn log_in(
    State(state): State<AppState>,
    ClientIp(client): ClientIp,
    JsonBody(login): JsonBody<LoginRequest>,
) -> ApiResult<Json<LoggedIn>> {
    let user = authenticate(&state, login, client).await?;
    open_session(&state, user).await
}

/// The account of a login. Failed attempts make further ones wait, and are logged; the caller logs the success.
///
/// # Errors
/// 400 `invalid_email_or_password`, 429 with the wait after too many failures, 503.
pub(crate) async fn authenticate(state: &AppState, login: LoginRequest, client: IpAddr) -> ApiResult<User> {
    let (Some(email), Some(password)) = (login.email, login.password) else {
        audit::wrong_password("", None, "login_failed");
        return Err(ApiError::InvalidEmailOrPassword);
    };
    let attempt = state.login_guard.begin(email.canonical(), client).await?;
    let (user, is_right) = check_password(state, &email, password).await?;
    let Some(user) = user.as_ref().filter(|_| is_right) else {
        attempt.failed().await?;
        audit::wrong_password(email.as_str(), user.as_ref(), "login_failed");
        return Err(ApiError::InvalidEmailOrPassword);
    };
    attempt.succeeded(user).await?;
    Ok(user.clone())
}

/// The account with this address, and whether the password is right. An unknown address costs a hash as well, so that the
/// time tells nothing.
async fn check_password(
    state: &AppState,
    email: &EmailAddress,
    password: Password,
) -> ApiResult<(Option<User>, bool)> {
    let Some(user) = state.db.user_of_mailbox(email.canonical()).await? else {
        state.hasher.verify_unknown(password).await?;
        return Ok((None, false));
    };
    let is_right = state.hasher.verify(password, user.password_hash.clone()).await?;
    Ok((Some(user), is_right))
}

async fn open_session(state: &AppState, user: User) -> ApiResult<Json<LoggedIn>> {
    let (sid, now) = (Uuid::new_v4(), state.now());
    let expires_at = now + REFRESH_LIFETIME;
    if !state.db.open_session(sid, &user, now, expires_at).await? {
        // The password was changed while it was checked.
        audit::refused(&user, "login_failed");
        return Err(ApiError::InvalidEmailOrPassword);
    }
    audit::account(&user, "login_succeeded");
    let token_user = token_user(&user);
    Ok(Json(LoggedIn {
        message: "Login successful",
        access_token: state.tokens.access(&token_user, sid, now)?,
        refresh_token: state.tokens.refresh(&token_user, sid, now, expires_at)?,
        user: LoggedInUser { email: user.email, uid: user.uid },
    }))
}

#[derive(Serialize, ToSchema)]
struct Refreshed {
    access_token: String,
}

errors!(RefreshTokenErrors: refresh(), always());

#[utoipa::path(
    method(get, post), path = "/refresh_token", tag = "Session", summary = "Get a new access token",
    security(("refresh_token" = [])),
    responses((status = 200, description = "Another access token of the same session", body = Refreshed), RefreshTokenErrors)
)]
async fn refresh(
    State(state): State<AppState>,
    RefreshToken(Session { user, sid }): RefreshToken,
) -> ApiResult<Json<Refreshed>> {
    let access_token = state.tokens.access(&token_user(&user), sid, state.now())?;
    Ok(Json(Refreshed { access_token }))
}

errors!(LogOutErrors: access(), always());

#[utoipa::path(
    method(get, post), path = "/logout", tag = "Session", summary = "Log out",
    description = "Ends the whole session, with its refresh token.",
    security(("access_token" = [])),
    responses((status = 200, description = "The session has ended", body = MessageResponse), LogOutErrors)
)]
async fn log_out(
    State(state): State<AppState>,
    AccessToken(session): AccessToken,
) -> ApiResult<Json<MessageResponse>> {
    state.db.end_session(session.sid).await?;
    audit::account(&session.user, "logged_out");
    Ok(Json(MessageResponse { message: "Logged Out Successfully" }))
}

fn token_user(user: &User) -> TokenUser {
    TokenUser { email: user.email.clone(), user_uid: user.uid, role: user.role }
}

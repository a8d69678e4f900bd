//! Sessions: login, refresh, logout.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::Json as Answer;
use axum::extract::State;
use bookly_shared::db::users::User;
use bookly_shared::domain::{EmailAddress, Password};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::Message;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AccessToken, ClientIp, Fields, FromFields, Json, RefreshToken, Session};
use crate::jwt::{REFRESH_LIFETIME, TokenUser};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

/// The door that guessers try.
pub(super) fn login() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(log_in))
}

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(refresh)).routes(routes!(log_out))
}

/// What is no address or no password is simply not right, as any other wrong one: `None`.
#[derive(ToSchema)]
#[schema(description = "Who logs in")]
pub(crate) struct Login {
    #[schema(schema_with = schemas::login_email, required = true)]
    email: Option<EmailAddress>,
    #[schema(schema_with = schemas::password, required = true)]
    password: Option<Password>,
}

impl Login {
    /// The address, if it is one.
    pub(crate) fn email(&self) -> Option<&EmailAddress> {
        self.email.as_ref()
    }
}

impl FromFields for Login {
    fn from_fields(fields: &mut Fields) -> Option<Login> {
        let email = fields.parse("email", |text| Ok::<_, Infallible>(EmailAddress::parse(text).ok()));
        let password =
            fields.parse_owned("password", |text| Ok::<_, Infallible>(Password::attempt(text).ok()));
        Some(Login { email: email?, password: password? })
    }
}

#[derive(Serialize, ToSchema)]
struct LoggedIn {
    message: &'static str,
    access_token: String,
    refresh_token: String,
    user: Who,
}

#[derive(Serialize, ToSchema)]
struct Who {
    email: String,
    uid: Uuid,
}

errors!(LoginErrors: body(), [ApiError::InvalidEmailOrPassword], limited(), always());

/// An unverified account may log in; the protected endpoints stop it.
#[utoipa::path(
    post, path = "/login", tag = "Session", summary = "Log in",
    description = "Opens a session: an access token for the other endpoints, and a refresh token for the next access \
        token. Wrong passwords slow down further attempts for the address.",
    request_body = Login,
    responses((status = 200, description = "The session", body = LoggedIn), LoginErrors)
)]
async fn log_in(
    State(state): State<AppState>,
    ClientIp(client): ClientIp,
    Json(login): Json<Login>,
) -> ApiResult<Answer<LoggedIn>> {
    let user = authenticate(&state, login, client).await?;
    open_session(&state, user).await
}

/// The account that logs in; guessers are slowed down.
///
/// # Errors
/// 400 `invalid_email_or_password`, 429 when failures came too fast, 503.
pub(crate) async fn authenticate(state: &AppState, login: Login, client: IpAddr) -> ApiResult<User> {
    let (Some(email), Some(password)) = (login.email, login.password) else {
        return Err(ApiError::InvalidEmailOrPassword);
    };
    let attempt = state.login_guard.begin(email.canonical(), client).await?;
    let Some(user) = check(state, &email, password).await? else {
        attempt.failed().await?;
        return Err(ApiError::InvalidEmailOrPassword);
    };
    attempt.succeeded().await?;
    Ok(user)
}

/// The account, if the password is its own. An unknown address costs a hash as well.
async fn check(state: &AppState, email: &EmailAddress, password: Password) -> ApiResult<Option<User>> {
    let Some(user) = state.db.user_of_mailbox(email.canonical()).await? else {
        state.hasher.verify_nobody(password).await?;
        return Ok(None);
    };
    let right = state.hasher.verify(password, user.password_hash.clone()).await?;
    Ok(right.then_some(user))
}

async fn open_session(state: &AppState, user: User) -> ApiResult<Answer<LoggedIn>> {
    let (sid, now) = (Uuid::new_v4(), state.now());
    let expires_at = now + REFRESH_LIFETIME;
    if !state.db.open_session(sid, &user, now, expires_at).await? {
        // The password was changed while it was being checked.
        return Err(ApiError::InvalidEmailOrPassword);
    }
    let who = token_user(&user);
    Ok(Answer(LoggedIn {
        message: "Login successful",
        access_token: state.tokens.access(&who, sid, now)?,
        refresh_token: state.tokens.refresh(&who, sid, now, expires_at)?,
        user: Who { email: user.email, uid: user.uid },
    }))
}

#[derive(Serialize, ToSchema)]
struct Refreshed {
    access_token: String,
}

errors!(RefreshErrors: refresh(), always());

#[utoipa::path(
    method(get, post), path = "/refresh_token", tag = "Session", summary = "Get a new access token",
    security(("refresh_token" = [])),
    responses((status = 200, description = "Another access token of the same session", body = Refreshed), RefreshErrors)
)]
async fn refresh(
    State(state): State<AppState>,
    RefreshToken(Session { user, sid }): RefreshToken,
) -> ApiResult<Answer<Refreshed>> {
    let access_token = state.tokens.access(&token_user(&user), sid, state.now())?;
    Ok(Answer(Refreshed { access_token }))
}

errors!(LogOutErrors: access(), always());

/// Ends the whole session: its refresh token too.
#[utoipa::path(
    method(get, post), path = "/logout", tag = "Session", summary = "Log out",
    description = "Ends the whole session: its refresh token, too.",
    security(("access_token" = [])),
    responses((status = 200, description = "The session is over", body = Message), LogOutErrors)
)]
async fn log_out(
    State(state): State<AppState>,
    AccessToken(session): AccessToken,
) -> ApiResult<Answer<Message>> {
    state.db.end_session(session.sid).await?;
    Ok(Answer(Message { message: "Logged Out Successfully" }))
}

fn token_user(user: &User) -> TokenUser {
    TokenUser { email: user.email.clone(), user_uid: user.uid, role: user.role }
}

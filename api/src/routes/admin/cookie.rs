//! The session of the operator's page: a signed cookie that names a row of `sessions`.
//!
//! Its key is its own: no access token opens the page, and the cookie opens no endpoint of the API.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use bookly_shared::db::sessions::Bearer;
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use bookly_shared::link_token::itsdangerous;
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::shown;
use crate::error::ApiResult;
use crate::state::AppState;

/// How long an operator stays logged in: a working day.
pub(super) const LIFETIME: TimeDelta = TimeDelta::hours(12);
/// The salt of the cookie's key.
const SALT: &str = "admin-session";
/// `__Host-` lets browsers take it only from this host, with `Secure` and for all paths (RFC 6265bis §4.1.3.2).
const NAME: &str = "__Host-bookly_admin";
/// No script reads it, no plain connection carries it, no other site's page or link brings it along.
const ATTRIBUTES: &str = "Path=/; HttpOnly; Secure; SameSite=Strict";

#[derive(Serialize, Deserialize)]
struct Ticket {
    uid: Uuid,
    sid: Uuid,
}

/// An administrator with an open session of the page. Others are sent to the login.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) user: User,
    pub(super) sid: Uuid,
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Operator, Response> {
        match operator(&parts.headers, state).await {
            Ok(Some(operator)) => Ok(operator),
            Ok(None) => Err(Redirect::to(super::login::PATH).into_response()),
            Err(error) => Err(shown(state, Err(error))),
        }
    }
}

/// Looked up at every request, so that logout, reset and demotion count at once.
async fn operator(headers: &HeaderMap, state: &AppState) -> ApiResult<Option<Operator>> {
    let Some(Ticket { uid, sid }) = ticket(headers, state) else { return Ok(None) };
    let user = match state.db.bearer(uid, sid, state.now()).await? {
        Bearer::Active(user) => *user,
        Bearer::Ended | Bearer::NoUser => return Ok(None),
    };
    let is_admin = user.is_verified && user.role == Role::Admin;
    Ok(is_admin.then_some(Operator { user, sid }))
}

/// The session's own end is the row's: the cookie's date is not looked at.
fn ticket(headers: &HeaderMap, state: &AppState) -> Option<Ticket> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, token) = pairs.find(|(name, _)| *name == NAME)?;
    let load =
        |secret: &SecretString| itsdangerous::loads(secret.expose_secret().as_bytes(), SALT, token).ok();
    let settings = &state.settings;
    let signed = load(&settings.jwt_secret).or_else(|| load(settings.jwt_previous_secret.as_ref()?))?;
    serde_json::from_slice(&signed.payload).ok()
}

/// The header that gives a browser its session.
pub(super) fn set(state: &AppState, uid: Uuid, sid: Uuid) -> Option<HeaderValue> {
    let ticket = serde_json::to_vec(&Ticket { uid, sid }).ok()?;
    let made = u64::try_from(state.now().timestamp()).unwrap_or(0);
    let token = itsdangerous::dumps(secret(state), SALT, &ticket, made);
    let age = LIFETIME.num_seconds();
    let mut value = HeaderValue::try_from(format!("{NAME}={token}; Max-Age={age}; {ATTRIBUTES}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The header that takes it away.
pub(super) fn clear() -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{NAME}=; Max-Age=0; {ATTRIBUTES}")).ok()
}

fn secret(state: &AppState) -> &[u8] {
    state.settings.jwt_secret.expose_secret().as_bytes()
}

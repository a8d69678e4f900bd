//! The session of the operator's pages: a signed cookie that names a row of `sessions`.
//!
//! Its key is its own: no access token opens the pages, and the cookie opens no endpoint of the API.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use bookly_shared::config::PublicUrl;
use bookly_shared::db::sessions::{Actor, Bearer};
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use bookly_shared::links::{dumps, loads};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};
use crate::routes::html;
use crate::state::AppState;

/// How long an operator stays logged in: a working day.
pub(super) const LIFETIME: TimeDelta = TimeDelta::hours(12);
/// Where an operator logs in.
pub(super) const LOGIN_PATH: &str = "/admin/login";
/// The salt of the cookie's key.
const SALT: &str = "admin-session";
/// With `__Host-` browsers take it only from this host, with `Secure` and for all paths (RFC 6265bis §4.1.3.2).
const NAME: &str = "__Host-admin_session";
/// Browsers store no `Secure` cookie of a plain http address that is not this machine's.
const NAME_WITHOUT_TLS: &str = "admin_session";

#[derive(Serialize, Deserialize)]
struct SessionId {
    uid: Uuid,
    sid: Uuid,
}

/// An administrator with an open session of these pages. Others are redirected to the login.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) user: User,
    pub(super) sid: Uuid,
}

impl Operator {
    /// Who makes a change: the change's transaction checks it again.
    pub(super) fn actor(&self) -> Actor {
        Actor { user_uid: self.user.uid, sid: self.sid, auth_version: self.user.auth_version }
    }
}

impl FromRequestParts<AppState> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Operator, Response> {
        match operator(&parts.headers, state).await {
            Ok(Some(operator)) => Ok(operator),
            Ok(None) => Err(Redirect::to(LOGIN_PATH).into_response()),
            Err(error) => Err(html::or_error_page(state, Err(error))),
        }
    }
}

/// Session and account are read at every request, so that logout, reset and demotion count at once.
async fn operator(headers: &HeaderMap, state: &AppState) -> ApiResult<Option<Operator>> {
    let Some(SessionId { uid, sid }) = session_id(headers, state) else { return Ok(None) };
    let user = match state.db.bearer(uid, sid, state.now()).await? {
        Bearer::Active(user) => *user,
        Bearer::Ended | Bearer::NoUser => return Ok(None),
    };
    let is_admin = user.is_verified && user.role == Role::Admin;
    Ok(is_admin.then_some(Operator { user, sid }))
}

/// The row says when the session ends, so the time in the cookie's signature is not checked.
fn session_id(headers: &HeaderMap, state: &AppState) -> Option<SessionId> {
    let jar = CookieJar::from_headers(headers);
    let cookie = jar.get(name(&state.settings.public_url))?;
    let settings = &state.settings;
    let load = |secret: &SecretString| loads(secret.expose_secret().as_bytes(), SALT, cookie.value()).ok();
    let signed = load(&settings.jwt_secret).or_else(|| load(settings.jwt_previous_secret.as_ref()?))?;
    serde_json::from_slice(&signed.payload).ok()
}

/// A cookie that opens a session in the browser.
pub(super) fn set(state: &AppState, uid: Uuid, sid: Uuid) -> ApiResult<CookieJar> {
    let id = serde_json::to_vec(&SessionId { uid, sid }).map_err(ApiError::server)?;
    let made = u64::try_from(state.now().timestamp()).unwrap_or(0);
    let token = dumps(secret(state), SALT, &id, made);
    let mut cookie = cookie(&state.settings.public_url, token);
    cookie.set_max_age(LIFETIME.to_std().ok().and_then(|age| age.try_into().ok()));
    Ok(CookieJar::new().add(cookie))
}

/// A cookie that ends it.
pub(super) fn clear(state: &AppState) -> CookieJar {
    let mut cookie = cookie(&state.settings.public_url, String::new());
    cookie.make_removal();
    CookieJar::new().add(cookie)
}

/// No script reads it, and no page or link of another site sends it. Where people come by TLS or from this machine, no
/// plain connection carries it.
fn cookie(url: &PublicUrl, value: String) -> Cookie<'static> {
    Cookie::build((name(url), value))
        .path("/")
        .http_only(true)
        .secure(is_secure(url))
        .same_site(SameSite::Strict)
        .build()
}

fn name(url: &PublicUrl) -> &'static str {
    if is_secure(url) { NAME } else { NAME_WITHOUT_TLS }
}

fn is_secure(url: &PublicUrl) -> bool {
    url.is_https() || url.is_this_machine()
}

fn secret(state: &AppState) -> &[u8] {
    state.settings.jwt_secret.expose_secret().as_bytes()
}

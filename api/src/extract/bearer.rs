//! Bearer tokens. Every request looks up the token's session and account, so that logout, reset and demotion count at
//! once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bookly_shared::db::sessions::Bearer;
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use uuid::Uuid;

use crate::error::ApiError;
use crate::jwt::Claims;
use crate::state::AppState;

/// A valid session and its account.
#[derive(Debug)]
pub struct Session {
    /// The account as it is now.
    pub user: User,
    /// The id of the session.
    pub sid: Uuid,
}

/// The session of an access token. Errors: 401, or 404 `user_not_found` when the account was deleted.
#[derive(Debug)]
pub struct AccessToken(pub Session);

/// The same for a verified account; others get 403 `account_not_verified`.
#[derive(Debug)]
pub struct VerifiedUser(pub Session);

/// The same for an administrator; others get 403 `insufficient_permissions`.
#[derive(Debug)]
pub struct AdminUser(pub Session);

/// The session of a refresh token; an access token gets 403 `refresh_token_required`.
#[derive(Debug)]
pub struct RefreshToken(pub Session);

impl FromRequestParts<AppState> for AccessToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let claims = claims(&parts.headers, state)?;
        if claims.refresh {
            return Err(ApiError::AccessTokenRequired);
        }
        Ok(AccessToken(session(&claims, state).await?))
    }
}

impl FromRequestParts<AppState> for VerifiedUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let AccessToken(session) = AccessToken::from_request_parts(parts, state).await?;
        if session.user.is_verified { Ok(VerifiedUser(session)) } else { Err(ApiError::AccountNotVerified) }
    }
}

impl FromRequestParts<AppState> for AdminUser {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let VerifiedUser(session) = VerifiedUser::from_request_parts(parts, state).await?;
        match session.user.role {
            Role::Admin => Ok(AdminUser(session)),
            Role::User => Err(ApiError::InsufficientPermissions),
        }
    }
}

impl FromRequestParts<AppState> for RefreshToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let claims = claims(&parts.headers, state)?;
        if !claims.refresh {
            return Err(ApiError::RefreshTokenRequired);
        }
        Ok(RefreshToken(session(&claims, state).await?))
    }
}

fn claims(headers: &HeaderMap, state: &AppState) -> Result<Claims, ApiError> {
    let token = bearer_token(headers).ok_or(ApiError::NotAuthenticated)?;
    Ok(state.tokens.read(token, state.now())?)
}

/// The token of an `Authorization` header. The scheme's name is case-insensitive (RFC 9110 §11.1).
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

async fn session(claims: &Claims, state: &AppState) -> Result<Session, ApiError> {
    match state.db.bearer(claims.user.user_uid, claims.sid, state.now()).await? {
        Bearer::Active(user) => Ok(Session { user: *user, sid: claims.sid }),
        Bearer::Ended => Err(ApiError::TokenRevoked),
        Bearer::NoUser => Err(ApiError::UserNotFound),
    }
}

#[cfg(test)]
mod tests;

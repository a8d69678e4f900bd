//! Bearer tokens. Every request looks up the token's session and account, so that logout, reset and demotion count at
//! once.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use bookly_shared::db::sessions::{Actor, Bearer, Checked};
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use bookly_shared::http_server::bearer_token;
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

/// What an endpoint requires of an account with a valid access token.
pub trait Admission: Sized {
    /// # Errors
    /// 403 when the account may not use the endpoint.
    fn admit(session: Session) -> Result<Self, ApiError>;
}

impl Admission for AccessToken {
    fn admit(session: Session) -> Result<Self, ApiError> {
        Ok(AccessToken(session))
    }
}

impl Admission for VerifiedUser {
    fn admit(session: Session) -> Result<Self, ApiError> {
        if session.user.is_verified { Ok(VerifiedUser(session)) } else { Err(ApiError::AccountNotVerified) }
    }
}

impl Admission for AdminUser {
    fn admit(session: Session) -> Result<Self, ApiError> {
        let VerifiedUser(session) = VerifiedUser::admit(session)?;
        match session.user.role {
            Role::Admin => Ok(AdminUser(session)),
            Role::User => Err(ApiError::InsufficientPermissions),
        }
    }
}

macro_rules! from_access_token {
    ($($admitted:ident),+) => {$(
        impl FromRequestParts<AppState> for $admitted {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
                $admitted::admit(find_session(&access_claims(&parts.headers, state)?, state).await?)
            }
        }
    )+};
}
from_access_token!(AccessToken, VerifiedUser, AdminUser);

impl FromRequestParts<AppState> for RefreshToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let claims = claims(&parts.headers, state)?;
        if !claims.refresh {
            return Err(ApiError::RefreshTokenRequired);
        }
        Ok(RefreshToken(find_session(&claims, state).await?))
    }
}

impl Session {
    /// Who makes a change: the change's transaction checks it again.
    pub fn actor(&self) -> Actor {
        Actor { user_uid: self.user.uid, sid: self.sid, auth_version: self.user.auth_version }
    }
}

/// The claims of an access token with a valid signature. Its session is not looked up.
pub(super) fn access_claims(headers: &HeaderMap, state: &AppState) -> Result<Claims, ApiError> {
    let claims = claims(headers, state)?;
    if claims.refresh { Err(ApiError::AccessTokenRequired) } else { Ok(claims) }
}

fn claims(headers: &HeaderMap, state: &AppState) -> Result<Claims, ApiError> {
    let token = bearer_token(headers).ok_or(ApiError::NotAuthenticated)?;
    Ok(state.tokens.read(token, state.now())?)
}

/// The session and the account of a token, as they are now.
pub(super) async fn find_session(claims: &Claims, state: &AppState) -> Result<Session, ApiError> {
    session_of(claims.user.user_uid, claims.sid, state).await
}

async fn session_of(user_uid: Uuid, sid: Uuid, state: &AppState) -> Result<Session, ApiError> {
    match state.db.bearer(user_uid, sid, state.now()).await? {
        Bearer::Active(user) => Ok(Session { user: *user, sid }),
        Bearer::Ended => Err(ApiError::TokenRevoked),
        Bearer::NoUser => Err(ApiError::UserNotFound),
    }
}

/// The value of a change that its transaction made. `A` is what the endpoint requires.
///
/// # Errors
/// Why the transaction refused it: the session ended, the account is gone, or it may not use the endpoint any more. A
/// session that goes on after a change of password, address or role gets 401 once, and a new token continues.
pub async fn done<A: Admission, T>(
    state: &AppState,
    actor: &Actor,
    checked: Checked<T>,
) -> Result<T, ApiError> {
    match checked {
        Checked::Done(value) => Ok(value),
        Checked::Revoked => {
            still_admitted::<A>(state, actor).await?;
            Err(ApiError::TokenRevoked)
        }
    }
}

/// Whether an actor whose change was refused still has a session and may use the endpoint.
///
/// # Errors
/// Why not.
pub async fn still_admitted<A: Admission>(state: &AppState, actor: &Actor) -> Result<(), ApiError> {
    A::admit(session_of(actor.user_uid, actor.sid, state).await?).map(drop)
}

#[cfg(test)]
mod tests;

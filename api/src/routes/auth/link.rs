//! The token of a link: reads it and finds its account.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use bookly_shared::db::users::User;
use bookly_shared::domain::EmailAddress;
use bookly_shared::links::{LinkClaims, Purpose, UNDO_WINDOW};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};
use crate::state::AppState;

/// Valid tokens have letters, digits, `-`, `_` and `.` only, so they stay as they are.
const PATH_SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// The last segment of a link's path, unchecked. It has no `Debug`: it may be a valid token.
pub(super) struct PathToken(String);

impl PathToken {
    /// The text, as it was sent.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The path of another endpoint for the same token. It may only be shown to the client that sent the token.
    pub(super) fn path_under(&self, endpoint: &str) -> String {
        format!("{endpoint}/{}", utf8_percent_encode(&self.0, PATH_SEGMENT))
    }
}

impl<S: Sync + Send> FromRequestParts<S> for PathToken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        // A segment that is not UTF-8 becomes an empty token, which is refused like every other invalid one.
        let token = Path::<String>::from_request_parts(parts, state).await;
        Ok(PathToken(token.map(|Path(token)| token).unwrap_or_default()))
    }
}

/// A valid link and its account.
pub(super) struct OpenedLink {
    /// The account as it is now.
    pub(super) user: User,
    /// The address in the link.
    pub(super) email: EmailAddress,
    /// `users.auth_version` when the link was made; `None` in links that may be used again.
    pub(super) version: Option<i64>,
    /// The email change that the link undoes.
    pub(super) change: Option<Uuid>,
}

/// A new token that verifies the account, for a person who proved the address in another way.
pub(super) fn verification_token(state: &AppState, user: &User) -> PathToken {
    let claims = LinkClaims { email: user.email.clone(), uid: user.uid, version: None, change: None };
    let token = state.links.sign(Purpose::EmailVerification, &claims, state.now());
    PathToken(token.as_str().to_owned())
}

/// Reads a link's token and finds its account. Changes nothing.
pub(super) async fn open(state: &AppState, purpose: Purpose, token: &PathToken) -> ApiResult<OpenedLink> {
    let claims = state.links.verify(purpose, &token.0, state.now(), lifetime(state, purpose))?;
    let email = EmailAddress::parse(&claims.email).map_err(|_| ApiError::LinkInvalid)?;
    let user = state.db.user(claims.uid).await?.ok_or(ApiError::UserNotFound)?;
    Ok(OpenedLink { user, email, version: claims.version, change: claims.change })
}

/// The same for single-use links: the account's `auth_version` must be the link's.
pub(super) async fn open_unused(
    state: &AppState,
    purpose: Purpose,
    token: &PathToken,
) -> ApiResult<OpenedLink> {
    let link = open(state, purpose, token).await?;
    if link.version == Some(link.user.auth_version) { Ok(link) } else { Err(ApiError::LinkInvalid) }
}

fn lifetime(state: &AppState, purpose: Purpose) -> Duration {
    let lifetimes = &state.settings.lifetimes;
    match purpose {
        Purpose::EmailVerification => lifetimes.email_verification,
        Purpose::PasswordReset => lifetimes.password_reset,
        Purpose::EmailChange => lifetimes.email_change,
        Purpose::EmailChangeUndo => UNDO_WINDOW.to_std().unwrap_or_default(),
    }
}

//! What the templates of each kind of mail get, typed.

use std::fmt;
use std::time::Duration;

use bookly_shared::domain::EmailKind;
use chrono::{DateTime, Utc};
use serde::Serialize;

use super::words::{ser_greetable, ser_lifetime, ser_moment};

/// A mail's values. Times and durations reach the templates in words.
///
/// `first_name` is as the account has it; templates get none in place of one that reads like a link.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are the words of the contract's table")]
pub enum EmailBody<'a> {
    /// To the account: proves its address.
    VerifyEmail {
        #[serde(serialize_with = "ser_greetable")]
        first_name: &'a str,
        link: &'a str,
        #[serde(serialize_with = "ser_lifetime")]
        lifetime: Duration,
    },
    /// To the account: opens the form for a new password.
    ResetPassword {
        #[serde(serialize_with = "ser_greetable")]
        first_name: &'a str,
        link: &'a str,
        #[serde(serialize_with = "ser_lifetime")]
        lifetime: Duration,
    },
    /// To the account, after the fact. `reset_url` is the form that asks for a reset link.
    PasswordChanged {
        #[serde(serialize_with = "ser_greetable")]
        first_name: &'a str,
        #[serde(serialize_with = "ser_moment")]
        changed_at: DateTime<Utc>,
        reset_url: &'a str,
    },
    /// To the new address: proves it.
    ChangeEmail {
        #[serde(serialize_with = "ser_greetable")]
        first_name: &'a str,
        new_address: &'a str,
        link: &'a str,
        #[serde(serialize_with = "ser_lifetime")]
        lifetime: Duration,
    },
    /// To the old address, which must not learn the whole new one.
    EmailChangeRequested {
        #[serde(serialize_with = "ser_greetable")]
        first_name: &'a str,
        masked_address: &'a str,
        #[serde(serialize_with = "ser_moment")]
        requested_at: DateTime<Utc>,
        reset_url: &'a str,
    },
    /// To any address that an administrator names.
    Welcome {},
}

impl EmailBody<'_> {
    /// Which mail this is.
    #[must_use]
    pub fn kind(&self) -> EmailKind {
        match self {
            Self::VerifyEmail { .. } => EmailKind::VerifyEmail,
            Self::ResetPassword { .. } => EmailKind::ResetPassword,
            Self::PasswordChanged { .. } => EmailKind::PasswordChanged,
            Self::ChangeEmail { .. } => EmailKind::ChangeEmail,
            Self::EmailChangeRequested { .. } => EmailKind::EmailChangeRequested,
            Self::Welcome {} => EmailKind::Welcome,
        }
    }

    /// The address that the mail is about; a greeting has none.
    pub(super) fn link(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::ResetPassword { link, .. }
            | Self::ChangeEmail { link, .. } => Some(link),
            Self::PasswordChanged { reset_url, .. } | Self::EmailChangeRequested { reset_url, .. } => {
                Some(reset_url)
            }
            Self::Welcome {} => None,
        }
    }
}

impl EmailBody<'static> {
    /// A mail of this kind with values as they may come, for trial renderings and previews.
    #[must_use]
    pub fn sample(kind: EmailKind) -> Self {
        let (first_name, lifetime, reset_url) = ("Zoë", Duration::from_secs(3600), RESET_URL);
        let requested_at = DateTime::from_timestamp(1_795_446_240, 0).unwrap_or_default();
        match kind {
            EmailKind::VerifyEmail => Self::VerifyEmail { first_name, link: VERIFY_LINK, lifetime },
            EmailKind::ResetPassword => Self::ResetPassword { first_name, link: RESET_LINK, lifetime },
            EmailKind::PasswordChanged => {
                Self::PasswordChanged { first_name, changed_at: requested_at, reset_url }
            }
            EmailKind::ChangeEmail => Self::ChangeEmail {
                first_name,
                new_address: "zoe.new@example.org",
                link: CHANGE_LINK,
                lifetime,
            },
            EmailKind::EmailChangeRequested => Self::EmailChangeRequested {
                first_name,
                masked_address: "z•••@example.org",
                requested_at,
                reset_url,
            },
            EmailKind::Welcome => Self::Welcome {},
        }
    }
}

/// Only the kind: links are secrets.
impl fmt::Debug for EmailBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailBody({})", self.kind())
    }
}

const RESET_URL: &str = "https://books.example.org/api/v1/auth/password-reset-request";
const VERIFY_LINK: &str = "https://books.example.org/api/v1/auth/verify/eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhLTdlNWMtN2QxYi1iY2M0LTRhOWUyZjM3YjZkMSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const RESET_LINK: &str = "https://books.example.org/api/v1/auth/password-reset-confirm/eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhIiwidiI6M30.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const CHANGE_LINK: &str = "https://books.example.org/api/v1/auth/email-change-confirm/eyJlbWFpbCI6InpvZS5uZXdAZXhhbXBsZS5vcmciLCJ2IjozfQ.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";

//! What the templates of each kind of email get, typed.

use std::fmt;
use std::time::Duration;

use bookly_shared::domain::{EmailKind, greeting_name};
use bookly_shared::templates::date_and_time;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

/// The values of an email. Templates get times and durations as text.
///
/// `first_name` is as the account has it; templates get none for a name that could carry a message.
#[derive(Clone, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields have the names of the contract's table")]
pub enum EmailBody {
    /// To the account: proves its address.
    VerifyEmail {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        link: String,
        #[serde(serialize_with = "lifetime_text")]
        lifetime: Duration,
    },
    /// To the account: opens the form for a new password.
    ResetPassword {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        link: String,
        #[serde(serialize_with = "lifetime_text")]
        lifetime: Duration,
    },
    /// To the account, after the change. `reset_url` is the form that asks for a reset link.
    PasswordChanged {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        #[serde(serialize_with = "time_text")]
        changed_at: DateTime<Utc>,
        reset_url: String,
    },
    /// To the new address: proves it.
    ChangeEmail {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        new_address: String,
        link: String,
        #[serde(serialize_with = "lifetime_text")]
        lifetime: Duration,
    },
    /// To the old address, which must not learn the whole new one.
    EmailChangeRequested {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        masked_address: String,
        #[serde(serialize_with = "time_text")]
        requested_at: DateTime<Utc>,
        reset_url: String,
    },
    /// To the old address, after the change. The link undoes it until `undo_until`.
    EmailChanged {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        masked_address: String,
        #[serde(serialize_with = "time_text")]
        changed_at: DateTime<Utc>,
        link: String,
        #[serde(serialize_with = "time_text")]
        undo_until: DateTime<Utc>,
    },
    /// To any address that an administrator names.
    Welcome {},
}

impl EmailBody {
    /// The kind of the email.
    #[must_use]
    pub fn kind(&self) -> EmailKind {
        match self {
            Self::VerifyEmail { .. } => EmailKind::VerifyEmail,
            Self::ResetPassword { .. } => EmailKind::ResetPassword,
            Self::PasswordChanged { .. } => EmailKind::PasswordChanged,
            Self::ChangeEmail { .. } => EmailKind::ChangeEmail,
            Self::EmailChangeRequested { .. } => EmailKind::EmailChangeRequested,
            Self::EmailChanged { .. } => EmailKind::EmailChanged,
            Self::Welcome {} => EmailKind::Welcome,
        }
    }

    /// The URL that the email must contain; a welcome has none.
    pub(super) fn url(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::ResetPassword { link, .. }
            | Self::ChangeEmail { link, .. }
            | Self::EmailChanged { link, .. } => Some(link),
            Self::PasswordChanged { reset_url, .. } | Self::EmailChangeRequested { reset_url, .. } => {
                Some(reset_url)
            }
            Self::Welcome {} => None,
        }
    }

    /// The token of the link: the longest part of it that is a word. Emails without a link of their own have no token.
    pub(super) fn token(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::ResetPassword { link, .. }
            | Self::ChangeEmail { link, .. }
            | Self::EmailChanged { link, .. } => {
                let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                link.split(|c| !is_token(c)).max_by_key(|part| part.len())
            }
            Self::PasswordChanged { .. } | Self::EmailChangeRequested { .. } | Self::Welcome {} => None,
        }
    }

    /// An email of this kind with made-up values, for trial renderings and previews.
    #[must_use]
    pub fn sample(kind: EmailKind) -> Self {
        let (first_name, lifetime) = ("Zoë".to_owned(), Duration::from_secs(3600));
        let (reset_url, time) = (RESET_URL.to_owned(), DateTime::from_timestamp(1_795_446_240, 0));
        let time = time.unwrap_or_default();
        match kind {
            EmailKind::VerifyEmail => {
                Self::VerifyEmail { first_name, link: VERIFY_LINK.to_owned(), lifetime }
            }
            EmailKind::ResetPassword => {
                Self::ResetPassword { first_name, link: RESET_LINK.to_owned(), lifetime }
            }
            EmailKind::PasswordChanged => Self::PasswordChanged { first_name, changed_at: time, reset_url },
            EmailKind::ChangeEmail => Self::ChangeEmail {
                first_name,
                new_address: "zoe.new@example.org".to_owned(),
                link: CHANGE_LINK.to_owned(),
                lifetime,
            },
            EmailKind::EmailChangeRequested => Self::EmailChangeRequested {
                first_name,
                masked_address: "z•••@example.org".to_owned(),
                requested_at: time,
                reset_url,
            },
            EmailKind::EmailChanged => Self::EmailChanged {
                first_name,
                masked_address: "z•••@example.org".to_owned(),
                changed_at: time,
                link: UNDO_LINK.to_owned(),
                undo_until: time + TimeDelta::hours(72),
            },
            EmailKind::Welcome => Self::Welcome {},
        }
    }
}

/// Shows the kind only: links are secrets.
impl fmt::Debug for EmailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailBody({})", self.kind())
    }
}

const RESET_URL: &str = "https://books.example.org/api/v1/auth/password-reset-request";
const VERIFY_LINK: &str = "https://books.example.org/api/v1/auth/verify/eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhLTdlNWMtN2QxYi1iY2M0LTRhOWUyZjM3YjZkMSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const RESET_LINK: &str = "https://books.example.org/api/v1/auth/password-reset-confirm/eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhIiwidiI6M30.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const CHANGE_LINK: &str = "https://books.example.org/api/v1/auth/email-change-confirm/eyJlbWFpbCI6InpvZS5uZXdAZXhhbXBsZS5vcmciLCJ2IjozfQ.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";

const UNDO_LINK: &str = "https://books.example.org/api/v1/auth/email-change-undo/eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsImMiOiIwMTkzYmQ1YSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// "1 hour", "90 minutes", "3 days": rounded down, so that no link is promised a longer life than it has.
fn lifetime_text<S: Serializer>(lifetime: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let seconds = lifetime.as_secs();
    let (count, unit) = match seconds {
        ..MINUTE => (seconds, "second"),
        _ if seconds >= 2 * DAY => (seconds / DAY, "day"),
        _ if seconds.is_multiple_of(HOUR) || seconds >= 3 * HOUR => (seconds / HOUR, "hour"),
        _ => (seconds / MINUTE, "minute"),
    };
    to.serialize_str(&format!("{count} {unit}{}", if count == 1 { "" } else { "s" }))
}

fn time_text<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&date_and_time(*time))
}

/// Serializes the name to greet by, or none.
fn greeting<S: Serializer>(name: &str, to: S) -> Result<S::Ok, S::Error> {
    greeting_name(name).serialize(to)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, to_value};

    use super::*;

    fn verify_email(first_name: &str, lifetime: u64) -> Value {
        let (first_name, lifetime) = (first_name.to_owned(), Duration::from_secs(lifetime));
        to_value(EmailBody::VerifyEmail { first_name, link: String::new(), lifetime }).unwrap()
    }

    #[test]
    fn a_lifetime_is_text_and_never_too_long() {
        let cases = [
            (1, "1 second"),
            (60, "1 minute"),
            (3599, "59 minutes"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (7200, "2 hours"),
            (12_000, "3 hours"),
            (86_400, "24 hours"),
            (259_200, "3 days"),
        ];
        for (seconds, text) in cases {
            assert_eq!(verify_email("Zoë", seconds)["lifetime"], text);
        }
    }

    #[test]
    fn a_name_that_could_carry_a_message_is_not_greeted() {
        for name in
            ["evil.example", "see //evil", "a@b", " ", "Anna\nBuy", "www.x", "<b>{{ 7*7 }}", "call 112"]
        {
            assert_eq!(verify_email(name, 60)["first_name"], Value::Null, "{name}");
        }
        for name in ["Zoë", "J. R.", "Dr. Who", "O'Brien", "李"] {
            assert_eq!(verify_email(name, 60)["first_name"], name);
        }
    }
}

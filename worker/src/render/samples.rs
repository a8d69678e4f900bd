//! An email of each kind with made-up values, for trial renderings and previews.

use std::time::Duration;

use bookly_shared::config::{Link, LinkTemplate};
use bookly_shared::domain::EmailKind;
use chrono::{DateTime, TimeDelta};

use super::body::EmailBody;

const CODE: &str = "1234 5678";
const RESET_URL: &str = "https://books.example.org/api/v1/auth/password-reset-request";
const VERIFY_LINK: (&str, &str) = (
    "https://books.example.org/api/v1/auth/verify/{token}",
    "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhLTdlNWMtN2QxYi1iY2M0LTRhOWUyZjM3YjZkMSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc",
);
const RESET_LINK: (&str, &str) = (
    "https://books.example.org/api/v1/auth/password-reset-confirm/{token}",
    "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhIiwidiI6M30.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc",
);
const CHANGE_LINK: (&str, &str) = (
    "https://books.example.org/api/v1/auth/email-change-confirm/{token}",
    "eyJlbWFpbCI6InpvZS5uZXdAZXhhbXBsZS5vcmciLCJ2IjozfQ.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc",
);
const UNDO_LINK: (&str, &str) = (
    "https://books.example.org/api/v1/auth/email-change-undo/{token}",
    "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsImMiOiIwMTkzYmQ1YSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc",
);

impl EmailBody {
    /// An email of this kind with made-up values.
    #[must_use]
    pub fn sample(kind: EmailKind) -> Self {
        Self::sample_to("Zoë", kind)
    }

    /// The emails to try the templates of this kind with: with a name, and without one, as after a sign-up with a name that
    /// no email repeats.
    pub(super) fn samples(kind: EmailKind) -> [Self; 2] {
        ["Zoë", ""].map(|first_name| Self::sample_to(first_name, kind))
    }

    fn sample_to(first_name: &str, kind: EmailKind) -> Self {
        let (first_name, lifetime) = (first_name.to_owned(), Duration::from_secs(3600));
        let code = CODE.to_owned();
        let (reset_url, time) = (RESET_URL.to_owned(), DateTime::from_timestamp(1_795_446_240, 0));
        let time = time.unwrap_or_default();
        match kind {
            EmailKind::VerifyEmail => {
                Self::VerifyEmail { first_name, link: link(VERIFY_LINK), code, lifetime }
            }
            EmailKind::ResetPassword => {
                Self::ResetPassword { first_name, link: link(RESET_LINK), code, lifetime }
            }
            EmailKind::PasswordChanged => Self::PasswordChanged { first_name, changed_at: time, reset_url },
            EmailKind::ChangeEmail => Self::ChangeEmail {
                first_name,
                new_address: "zoe.new@example.org".to_owned(),
                link: link(CHANGE_LINK),
                code,
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
                link: link(UNDO_LINK),
                undo_until: time + TimeDelta::hours(72),
            },
            EmailKind::Welcome => Self::Welcome {},
        }
    }
}

/// A link of a template and a token. Both are constants, so the template is valid.
fn link((template, token): (&str, &str)) -> Link {
    LinkTemplate::parse(template).unwrap_or_default().with_token(token)
}

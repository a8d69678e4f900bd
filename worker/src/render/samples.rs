//! An email of each kind with made-up values, for trial renderings and previews.

use std::time::Duration;

use bookly_shared::config::LinkTemplates;
use bookly_shared::domain::EmailKind;
use bookly_shared::links::LinkTemplate;
use chrono::{DateTime, TimeDelta};

use super::body::EmailBody;

const CODE: &str = "1234 5678";
const VERIFY_TOKEN: &str = "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhLTdlNWMtN2QxYi1iY2M0LTRhOWUyZjM3YjZkMSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const RESET_TOKEN: &str = "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhIiwidiI6M30.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const CHANGE_TOKEN: &str =
    "eyJlbWFpbCI6InpvZS5uZXdAZXhhbXBsZS5vcmciLCJ2IjozfQ.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const UNDO_TOKEN: &str = "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsImMiOiIwMTkzYmQ1YSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
const UNSUBSCRIBE_TOKEN: &str =
    "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";

impl EmailBody {
    /// An email of this kind with made-up values.
    #[must_use]
    pub fn sample(kind: EmailKind) -> Self {
        Self::sample_with_links(kind, &example_links())
    }

    /// The same with links that lead where an installation's do. Their tokens are made up.
    #[must_use]
    pub fn sample_with_links(kind: EmailKind, links: &LinkTemplates) -> Self {
        Self::sample_to("Zoë", kind, links)
    }

    /// The emails to try the templates of this kind with: with all values, and without those that may be missing, such as
    /// a name that no email repeats.
    pub(super) fn samples(kind: EmailKind) -> [Self; 2] {
        [Self::sample(kind), Self::sample_to("", kind, &example_links()).without_undo()]
    }

    /// `email_changed` as after an undo; other kinds as they are.
    pub(super) fn without_undo(mut self) -> Self {
        if let Self::EmailChanged { link, undo_until, .. } = &mut self {
            (*link, *undo_until) = (None, None);
        }
        self
    }

    fn sample_to(first_name: &str, kind: EmailKind, links: &LinkTemplates) -> Self {
        let (first_name, lifetime) = (first_name.to_owned(), Duration::from_secs(3600));
        let code = CODE.to_owned();
        let (reset_url, time) =
            (links.password_reset_request.clone(), DateTime::from_timestamp(1_795_446_240, 0));
        let time = time.unwrap_or_default();
        match kind {
            EmailKind::VerifyEmail => {
                Self::VerifyEmail { first_name, link: links.verify.with_token(VERIFY_TOKEN), code, lifetime }
            }
            EmailKind::ResetPassword => Self::ResetPassword {
                first_name,
                link: links.password_reset.with_token(RESET_TOKEN),
                code,
                lifetime,
            },
            EmailKind::PasswordChanged => Self::PasswordChanged { first_name, changed_at: time, reset_url },
            EmailKind::ChangeEmail => Self::ChangeEmail {
                first_name,
                new_address: "zoe.new@example.org".to_owned(),
                link: links.email_change.with_token(CHANGE_TOKEN),
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
                link: Some(links.email_change_undo.with_token(UNDO_TOKEN)),
                undo_until: Some(time + TimeDelta::hours(72)),
            },
            EmailKind::Welcome => {
                let link = links.unsubscribe.as_ref();
                Self::Welcome { unsubscribe: link.map(|link| link.with_token(UNSUBSCRIBE_TOKEN)) }
            }
        }
    }
}

/// The links of a made-up installation. The templates are constants, so they are valid.
fn example_links() -> LinkTemplates {
    const AUTH: &str = "https://books.example.org/api/v1/auth";
    let link = |path: &str| LinkTemplate::parse(&format!("{AUTH}/{path}/{{token}}")).unwrap_or_default();
    LinkTemplates {
        verify: link("verify"),
        password_reset: link("password-reset-confirm"),
        email_change: link("email-change-confirm"),
        email_change_undo: link("email-change-undo"),
        password_reset_request: format!("{AUTH}/password-reset-request"),
        unsubscribe: LinkTemplate::parse("https://books.example.org/api/v1/unsubscribe/{token}").ok(),
    }
}

//! The values of each kind of email, and what its templates make of them: subject, text and HTML.

use std::fmt;
use std::time::Duration;

use bookly_shared::config::ProductSettings;
use bookly_shared::domain::{EmailAddress, EmailKind, greeting_name, one_line};
use bookly_shared::links::Link;
use bookly_shared::locale::Locale;
use bookly_shared::templates::{RenderError, Templates};
use chrono::{DateTime, Utc};
use minijinja::Value;
use minijinja::value::Serde;
use serde::{Serialize, Serializer};

/// The values of an email. Templates get times as seconds since 1970, and durations in seconds; their filters make texts of
/// them, in the language of the reader.
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
        link: Link,
        code: String,
        #[serde(serialize_with = "seconds")]
        lifetime: Duration,
    },
    /// To the account: opens the form for a new password.
    ResetPassword {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        link: Link,
        code: String,
        #[serde(serialize_with = "seconds")]
        lifetime: Duration,
    },
    /// To the account, after the change. `reset_url` is the form that asks for a reset link.
    PasswordChanged {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        #[serde(serialize_with = "unix_seconds")]
        changed_at: DateTime<Utc>,
        reset_url: String,
    },
    /// To the new address: proves it.
    ChangeEmail {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        new_address: String,
        link: Link,
        code: String,
        #[serde(serialize_with = "seconds")]
        lifetime: Duration,
    },
    /// To the old address, which must not learn the whole new one.
    EmailChangeRequested {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        masked_address: String,
        #[serde(serialize_with = "unix_seconds")]
        requested_at: DateTime<Utc>,
        reset_url: String,
    },
    /// To the old address, after the change. The link undoes it until `undo_until`; after an undo there is neither.
    EmailChanged {
        #[serde(serialize_with = "greeting")]
        first_name: String,
        masked_address: String,
        #[serde(serialize_with = "unix_seconds")]
        changed_at: DateTime<Utc>,
        link: Option<Link>,
        #[serde(serialize_with = "unix_seconds_or_none")]
        undo_until: Option<DateTime<Utc>>,
    },
    /// To any address that an administrator names. The link that ends these emails stands in a header alone.
    Welcome {
        #[serde(skip)]
        unsubscribe: Option<Link>,
    },
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
            Self::Welcome { .. } => EmailKind::Welcome,
        }
    }

    /// The token of the link. Emails without a link of their own have none.
    pub(super) fn token(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { link, .. }
            | Self::ResetPassword { link, .. }
            | Self::ChangeEmail { link, .. } => Some(link.token()),
            Self::EmailChanged { link, .. } | Self::Welcome { unsubscribe: link } => {
                link.as_ref().map(Link::token)
            }
            Self::PasswordChanged { .. } | Self::EmailChangeRequested { .. } => None,
        }
    }

    /// The link that ends emails of this kind, for `List-Unsubscribe`.
    pub(super) fn unsubscribe(&self) -> Option<&str> {
        match self {
            Self::Welcome { unsubscribe } => unsubscribe.as_ref().map(Link::as_str),
            _ => None,
        }
    }

    /// The code beside the link, as it is shown.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::VerifyEmail { code, .. }
            | Self::ResetPassword { code, .. }
            | Self::ChangeEmail { code, .. } => Some(code),
            Self::PasswordChanged { .. }
            | Self::EmailChangeRequested { .. }
            | Self::EmailChanged { .. }
            | Self::Welcome { .. } => None,
        }
    }
}

/// Shows the kind only: links and codes are secrets.
impl fmt::Debug for EmailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailBody({})", self.kind())
    }
}

fn seconds<S: Serializer>(lifetime: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(lifetime.as_secs())
}

fn unix_seconds<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_i64(time.timestamp())
}

fn unix_seconds_or_none<S: Serializer>(time: &Option<DateTime<Utc>>, to: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.timestamp()).serialize(to)
}

/// Serializes the name to greet by, or none.
fn greeting<S: Serializer>(name: &str, to: S) -> Result<S::Ok, S::Error> {
    greeting_name(name).serialize(to)
}

/// Renders emails. [`MailRenderer::new`] makes it once, at the start.
#[derive(Debug)]
pub struct MailRenderer {
    templates: Templates,
}

/// An email's content, before headers and encodings.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The text part, lines ended by LF.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// The templates of an email, under `mail/<kind>/`.
pub(super) const PARTS: [&str; 3] = ["subject.txt", "body.txt", "body.html"];

/// Of the sender's name and the subject, in bytes: more than clients show, less than a line may have.
pub(super) const HEADER_LIMIT: usize = 500;

impl MailRenderer {
    /// For sample values only: errors contain the values of variables.
    pub(super) fn for_samples(mut templates: Templates, product: &ProductSettings, public_url: &str) -> Self {
        let public_url = public_url.trim_end_matches('/');
        templates.change(|env| {
            env.set_debug(true);
            // What every template gets beside the values of its kind. Also macros and messages can use it.
            env.add_global("app_name", product.name.as_str());
            env.add_global("public_url", public_url);
            env.add_global("home_url", product.home_url.as_deref().unwrap_or(public_url));
            env.add_global("logo_url", product.logo.as_ref().map(|logo| &*logo.url));
            env.add_global("support_email", product.support_email.as_ref().map(EmailAddress::as_str));
            env.add_global("colors", Value::from(Serde(&product.colors)));
        });
        Self { templates }
    }

    /// For real values: errors name none of them.
    pub(super) fn for_mail(mut self) -> Self {
        self.templates.change(|env| env.set_debug(false));
        self
    }

    /// Renders one email in a language.
    ///
    /// # Errors
    /// A template met a value that the samples did not have; another attempt gives the same error.
    pub fn render(&self, locale: Locale, body: &EmailBody) -> Result<Rendered, RenderError> {
        Ok(self.try_render(locale, body)?)
    }

    fn try_render(&self, locale: Locale, body: &EmailBody) -> Result<Rendered, minijinja::Error> {
        let [subject, text, html] = PARTS;
        // Once for all parts.
        let values = values(body);
        let part = |file| self.render_part(locale, body.kind(), file, values.clone());
        Ok(Rendered {
            subject: one_line(&part(subject)?),
            text: format!("{}\n", part(text)?.trim()),
            html: part(html)?.trim_start().to_owned(),
        })
    }

    pub(super) fn part(
        &self,
        locale: Locale,
        body: &EmailBody,
        file: &str,
    ) -> Result<String, minijinja::Error> {
        self.render_part(locale, body.kind(), file, values(body))
    }

    fn render_part(
        &self,
        locale: Locale,
        kind: EmailKind,
        file: &str,
        values: Value,
    ) -> Result<String, minijinja::Error> {
        self.templates.of(locale).get_template(&format!("mail/{kind}/{file}"))?.render(values)
    }
}

fn values(body: &EmailBody) -> Value {
    Value::from(Serde(body))
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered").field("subject", &self.subject).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Prepares a claimed email: decides whether it is still wanted, signs its link, and says what it contains.
//!
//! The decision comes after the claim, so that what happened since the request counts. Link and code are made here: no
//! row and no job ever holds a token or a code.

use bookly_shared::config::{LinkLifetimes, LinkTemplates};
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::users::{AccountKey, User};
use bookly_shared::db::{Db, DbError};
use bookly_shared::domain::closing_reason::{
    ADDRESS_CHANGED, ADDRESS_TAKEN, AUTH_CHANGED, NO_ACCOUNT, VERIFIED, suppressed,
};
use bookly_shared::domain::{EmailKind, SuppressionReason};
use bookly_shared::links::{
    CodeClaims, Link, LinkClaims, LinkSigner, LinkTemplate, Purpose, UNDO_WINDOW, bound_version,
};
use bookly_shared::locale::Locale;
use chrono::{DateTime, Utc};

use crate::render::EmailBody;

/// Prepares emails.
#[derive(Debug)]
pub(crate) struct Preparer {
    pub(crate) db: Db,
    pub(crate) signer: LinkSigner,
    pub(crate) lifetimes: LinkLifetimes,
    /// Where links lead.
    pub(crate) links: LinkTemplates,
    /// For accounts whose language is not known or not shipped, and for addresses without an account.
    pub(crate) default_locale: Locale,
}

/// What to do with a claimed email.
pub(crate) enum Decision {
    /// Send this.
    Send(EmailContent),
    /// Send nothing, for this reason.
    Cancel(&'static str),
}

/// An email's recipient, its language and what it says. Holds a link and a code: never logged.
pub(crate) struct EmailContent {
    pub(crate) recipient: String,
    pub(crate) locale: Locale,
    pub(crate) body: EmailBody,
}

impl Preparer {
    /// Decides by the account as it is now.
    pub(crate) async fn prepare(
        &self,
        email: &ClaimedEmail,
        now: DateTime<Utc>,
    ) -> Result<Decision, DbError> {
        match email.kind {
            EmailKind::Welcome => {
                if let Some(reason) = self.suppression(email, now).await? {
                    return Ok(Decision::Cancel(reason));
                }
                // To any address; if it has an account, in its language. Only the owner of the address reads it.
                let account = self.db.account_of(AccountKey::Mailbox(email.mailbox.clone())).await?;
                let locale = account.as_ref().map_or(self.default_locale, |user| self.locale_of(user));
                let recipient = email.recipient.clone();
                let body = EmailBody::Welcome { unsubscribe: self.unsubscribe_link(&recipient, now) };
                return Ok(Decision::Send(EmailContent { recipient, locale, body }));
            }
            EmailKind::VerifyEmail
            | EmailKind::ResetPassword
            | EmailKind::PasswordChanged
            | EmailKind::ChangeEmail
            | EmailKind::EmailChangeRequested
            | EmailKind::EmailChanged => {}
        }
        let Some(user) = self.account_of(email).await? else { return Ok(Decision::Cancel(NO_ACCOUNT)) };
        let reason = match self.reason_to_cancel(email, &user, now).await? {
            None => self.suppression(email, now).await?,
            reason => reason,
        };
        Ok(match reason {
            Some(reason) => Decision::Cancel(reason),
            None => Decision::Send(self.content(email, &user, now)),
        })
    }

    /// A request by address names no account. It is looked up here and not in the request, so that known and unknown
    /// addresses take the same time there.
    async fn account_of(&self, email: &ClaimedEmail) -> Result<Option<User>, DbError> {
        let key = email.user_uid.map_or_else(|| AccountKey::Mailbox(email.mailbox.clone()), AccountKey::Uid);
        self.db.account_of(key).await
    }

    async fn reason_to_cancel(
        &self,
        email: &ClaimedEmail,
        user: &User,
        now: DateTime<Utc>,
    ) -> Result<Option<&'static str>, DbError> {
        let has_other_address = user.email_canonical != email.mailbox;
        let auth_changed = match email.auth_version {
            Some(version) => version != user.auth_version,
            // A request by address looks no account up, so the times are compared.
            None => user.auth_changed_at > email.created_at,
        };
        Ok(match email.kind {
            EmailKind::VerifyEmail if has_other_address => Some(ADDRESS_CHANGED),
            EmailKind::VerifyEmail if user.is_verified => Some(VERIFIED),
            EmailKind::VerifyEmail => None,
            EmailKind::ResetPassword if has_other_address => Some(ADDRESS_CHANGED),
            EmailKind::ResetPassword if auth_changed => Some(AUTH_CHANGED),
            EmailKind::ResetPassword => None,
            EmailKind::ChangeEmail if auth_changed => Some(AUTH_CHANGED),
            EmailKind::ChangeEmail => {
                self.db.is_taken_for(user.uid, &email.mailbox, now).await?.then_some(ADDRESS_TAKEN)
            }
            // A notice goes to the address of its time, also when that was changed since: its owner must be warned.
            EmailKind::PasswordChanged | EmailKind::EmailChangeRequested | EmailKind::EmailChanged => None,
            // Not reached: `prepare` decides about it.
            EmailKind::Welcome => None,
        })
    }

    /// Checked last, so that an unwanted email does not use up the one a day.
    async fn suppression(
        &self,
        email: &ClaimedEmail,
        now: DateTime<Utc>,
    ) -> Result<Option<&'static str>, DbError> {
        match email.suppression() {
            Some(SuppressionReason::Bounce) if self.db.passes_bounce(email, now).await? => Ok(None),
            reason => Ok(reason.map(suppressed)),
        }
    }

    fn content(&self, email: &ClaimedEmail, user: &User, now: DateTime<Utc>) -> EmailContent {
        let recipient = match email.kind {
            // By address: the email goes to the account's own spelling, never to the requester's.
            EmailKind::VerifyEmail | EmailKind::ResetPassword => user.email.clone(),
            EmailKind::PasswordChanged
            | EmailKind::ChangeEmail
            | EmailKind::EmailChangeRequested
            | EmailKind::EmailChanged => email.recipient.clone(),
            // Not reached: `prepare` sends it.
            EmailKind::Welcome => email.recipient.clone(),
        };
        let body = self.body(email, user, &recipient, now);
        EmailContent { recipient, locale: self.locale_of(user), body }
    }

    fn unsubscribe_link(&self, recipient: &str, now: DateTime<Utc>) -> Option<Link> {
        let template = self.links.unsubscribe.as_ref()?;
        Some(template.with_token(self.signer.sign_unsubscribe(recipient, now).as_str()))
    }

    /// The account's language as of now, not as of the request.
    fn locale_of(&self, user: &User) -> Locale {
        user.locale.as_deref().and_then(Locale::of_tag).unwrap_or(self.default_locale)
    }

    fn body(&self, email: &ClaimedEmail, user: &User, recipient: &str, now: DateTime<Utc>) -> EmailBody {
        let first_name = user.first_name.clone();
        let change = email.context.email_change;
        let links = &self.links;
        let link = |purpose, template: &LinkTemplate, version| {
            let claims = LinkClaims { email: recipient.to_owned(), uid: user.uid, version, change };
            template.with_token(self.signer.sign(purpose, &claims, now).as_str())
        };
        // The use of a link that works once raises `auth_version`, which ends the link. The link carries the version of the
        // request. A request by address has none: its link carries the version of the account as it was just read.
        let version = Some(email.auth_version.unwrap_or(user.auth_version));
        let code = |purpose| {
            let version = bound_version(purpose, email.auth_version, user.auth_version);
            self.signer.code(purpose, &CodeClaims { email_id: email.id, uid: user.uid, version }).spaced()
        };
        match email.kind {
            EmailKind::VerifyEmail => EmailBody::VerifyEmail {
                first_name,
                link: link(Purpose::EmailVerification, &links.verify, None),
                code: code(Purpose::EmailVerification),
                lifetime: self.lifetimes.email_verification,
            },
            EmailKind::ResetPassword => EmailBody::ResetPassword {
                first_name,
                link: link(Purpose::PasswordReset, &links.password_reset, version),
                code: code(Purpose::PasswordReset),
                lifetime: self.lifetimes.password_reset,
            },
            EmailKind::ChangeEmail => EmailBody::ChangeEmail {
                first_name,
                new_address: recipient.to_owned(),
                link: link(Purpose::EmailChange, &links.email_change, version),
                code: code(Purpose::EmailChange),
                lifetime: self.lifetimes.email_change,
            },
            EmailKind::PasswordChanged => EmailBody::PasswordChanged {
                first_name,
                changed_at: email.created_at,
                reset_url: links.password_reset_request.clone(),
            },
            EmailKind::EmailChangeRequested => EmailBody::EmailChangeRequested {
                first_name,
                masked_address: email.context.masked_address.clone().unwrap_or_default(),
                requested_at: email.created_at,
                reset_url: links.password_reset_request.clone(),
            },
            EmailKind::EmailChanged => EmailBody::EmailChanged {
                first_name,
                masked_address: email.context.masked_address.clone().unwrap_or_default(),
                changed_at: email.created_at,
                link: change.map(|_| link(Purpose::EmailChangeUndo, &links.email_change_undo, None)),
                undo_until: change.map(|_| email.created_at + UNDO_WINDOW),
            },
            // Not reached: `prepare` makes it.
            EmailKind::Welcome => EmailBody::Welcome { unsubscribe: self.unsubscribe_link(recipient, now) },
        }
    }
}

//! Whether a claimed mail still makes sense, and if so, what it says and to whom.
//!
//! Asked after the claim, so that what happened since the request counts. Links are minted here, for the
//! first time: no token was ever in a row or in Redis.

use std::sync::Arc;
use std::time::Duration;

use bookly_shared::config::LinkLifetimes;
use bookly_shared::db::batch::Batcher;
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::emails::maintenance::NO_ACCOUNT;
use bookly_shared::db::users::User;
use bookly_shared::db::{Db, DbError};
use bookly_shared::domain::EmailKind;
use bookly_shared::link_token::{LinkClaims, LinkSigner, Purpose};
use chrono::{DateTime, Utc};

use crate::delivery::accounts::{Accounts, Whose};
use crate::render::EmailBody;

const VERIFIED: &str = "the address is verified already";
const ADDRESS_CHANGED: &str = "the account has another address now";
const ADDRESS_TAKEN: &str = "the new address has an account already";
const AUTH_CHANGED: &str = "the password, address or role was changed after the request";

/// What the letter writer knows of the service.
#[derive(Debug)]
pub(crate) struct Preparer {
    pub(crate) db: Db,
    pub(crate) accounts: Batcher<Accounts>,
    pub(crate) signer: LinkSigner,
    pub(crate) lifetimes: LinkLifetimes,
    /// What links begin with, without a slash at the end.
    pub(crate) public_url: String,
}

/// What to do with a claimed mail.
pub(crate) enum Decision {
    /// Send this.
    Send(Letter),
    /// Send nothing, for this reason.
    Cancel(&'static str),
}

/// A letter ready to be rendered. Holds a link, so it is never logged.
pub(crate) struct Letter {
    /// The address to mail.
    pub(crate) to: String,
    kind: EmailKind,
    first_name: String,
    link: String,
    lifetime: Duration,
    masked_address: String,
    reset_url: String,
    at: DateTime<Utc>,
}

impl Preparer {
    /// Looks at the account as it is now.
    pub(crate) async fn write(
        &self,
        mail: &ClaimedEmail,
        now: DateTime<Utc>,
    ) -> Result<Decision, Arc<DbError>> {
        if mail.kind == EmailKind::Welcome {
            return Ok(Decision::Send(self.letter(mail, None, now)));
        }
        let Some(user) = self.account(mail).await? else { return Ok(Decision::Cancel(NO_ACCOUNT)) };
        Ok(match self.objection(mail, &user).await? {
            Some(reason) => Decision::Cancel(reason),
            None => Decision::Send(self.letter(mail, Some(&user), now)),
        })
    }

    /// Requests by address name no account: it is looked up here, not in the request, so that known and
    /// unknown addresses cost the requester the same.
    async fn account(&self, mail: &ClaimedEmail) -> Result<Option<User>, Arc<DbError>> {
        self.accounts
            .ask(mail.user_uid.map_or_else(|| Whose::Mailbox(mail.mailbox.clone()), Whose::Uid))
            .await
    }

    async fn objection(
        &self,
        mail: &ClaimedEmail,
        user: &User,
    ) -> Result<Option<&'static str>, Arc<DbError>> {
        let theirs = user.email_canonical == mail.mailbox;
        let auth_changed = user.auth_changed_at > mail.created_at;
        Ok(match mail.kind {
            EmailKind::VerifyEmail if !theirs => Some(ADDRESS_CHANGED),
            EmailKind::VerifyEmail if user.is_verified => Some(VERIFIED),
            EmailKind::ResetPassword if !theirs => Some(ADDRESS_CHANGED),
            EmailKind::ResetPassword | EmailKind::ChangeEmail if auth_changed => Some(AUTH_CHANGED),
            EmailKind::ChangeEmail => self.db.user_of_mailbox(&mail.mailbox).await?.map(|_| ADDRESS_TAKEN),
            // Notices go to the address of their time, also when it was changed since: that is whom they warn.
            _ => None,
        })
    }

    fn letter(&self, mail: &ClaimedEmail, user: Option<&User>, now: DateTime<Utc>) -> Letter {
        let to = match (mail.kind, user) {
            // By address: what is mailed is the account's own spelling, never the requester's.
            (EmailKind::VerifyEmail | EmailKind::ResetPassword, Some(user)) => &user.email,
            _ => &mail.recipient,
        };
        Letter {
            to: to.clone(),
            kind: mail.kind,
            first_name: user.map(|user| user.first_name.clone()).unwrap_or_default(),
            link: user.map(|user| self.link(mail.kind, to, user, now)).unwrap_or_default(),
            lifetime: self.lifetimes.of(mail.kind),
            masked_address: mail.context.masked_address.clone().unwrap_or_default(),
            reset_url: format!("{}/api/v1/auth/password-reset-request", self.public_url),
            at: mail.created_at,
        }
    }

    /// The link of a kind that has one. Single-use links carry the state that their use changes.
    fn link(&self, kind: EmailKind, to: &str, user: &User, now: DateTime<Utc>) -> String {
        let (purpose, path, version) = match kind {
            EmailKind::VerifyEmail => (Purpose::EmailVerification, "verify", None),
            EmailKind::ResetPassword => {
                (Purpose::PasswordReset, "password-reset-confirm", Some(user.auth_version))
            }
            EmailKind::ChangeEmail => (Purpose::EmailChange, "email-change-confirm", Some(user.auth_version)),
            EmailKind::PasswordChanged | EmailKind::EmailChangeRequested | EmailKind::Welcome => {
                return String::new();
            }
        };
        let claims = LinkClaims { email: to.to_owned(), uid: user.uid, version };
        let token = self.signer.sign(purpose, &claims, now);
        format!("{}/api/v1/auth/{path}/{}", self.public_url, token.as_str())
    }
}

impl Letter {
    /// What the template gets.
    pub(crate) fn body(&self) -> EmailBody<'_> {
        let (first_name, link, lifetime) = (self.first_name.as_str(), self.link.as_str(), self.lifetime);
        let (reset_url, masked_address) = (self.reset_url.as_str(), self.masked_address.as_str());
        match self.kind {
            EmailKind::VerifyEmail => EmailBody::VerifyEmail { first_name, link, lifetime },
            EmailKind::ResetPassword => EmailBody::ResetPassword { first_name, link, lifetime },
            EmailKind::PasswordChanged => {
                EmailBody::PasswordChanged { first_name, changed_at: self.at, reset_url }
            }
            EmailKind::ChangeEmail => {
                EmailBody::ChangeEmail { first_name, new_address: &self.to, link, lifetime }
            }
            EmailKind::EmailChangeRequested => EmailBody::EmailChangeRequested {
                first_name,
                masked_address,
                requested_at: self.at,
                reset_url,
            },
            EmailKind::Welcome => EmailBody::Welcome {},
        }
    }
}

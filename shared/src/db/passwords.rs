//! New passwords: by a link in the mailbox, or in exchange for the current one.

use chrono::{DateTime, TimeDelta, Utc};

use super::emails::insert::{NewEmail, insert_email};
use super::login_throttle::{REMEMBER_NETWORK, forget_logins};
use super::sessions::{Actor, Checked, require_actor};
use super::users::{Change, User};
use super::{Db, DbResult, in_transaction};

/// A link in the mailbox proves the address.
const RESET_PASSWORD: &str = "
UPDATE users
SET password_hash = $3, is_verified = true, auth_version = auth_version + 1, auth_changed_at = $4, update_at = $4
WHERE uid = $1 AND auth_version = $2";

const CHANGE_PASSWORD: &str = "
UPDATE users
SET password_hash = $2, auth_version = auth_version + 1, auth_changed_at = $3, update_at = $3
WHERE uid = $1";

pub(in crate::db) const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_uid = $1";

const END_OTHER_SESSIONS: &str = "DELETE FROM sessions WHERE user_uid = $1 AND sid <> $2";

const NOTICE_SINCE: &str = "
SELECT EXISTS (SELECT 1 FROM emails WHERE mailbox = $1 AND kind = 'password_changed' AND created_at > $2)";

/// The shortest time between two notices of a changed password to an address that is not verified. The address may be
/// another person's, and each notice also allows one more reset link.
const UNVERIFIED_NOTICE_EVERY: TimeDelta = TimeDelta::hours(24);

impl Db {
    /// Sets a new password by a reset link or code: marks the address as proven, ends every session, queues the notice.
    /// Of the networks of earlier logins only that of this client, `network`, is known afterwards.
    pub async fn reset_password(
        &self,
        user: &User,
        password_hash: &str,
        notice: &NewEmail,
        network: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        in_transaction!(self, tx => {
            let query = sqlx::query(RESET_PASSWORD).bind(user.uid).bind(user.auth_version);
            let done = query.bind(password_hash).bind(now).execute(&mut *tx).await?;
            if done.rows_affected() == 0 {
                return Ok(Change::Stale);
            }
            sqlx::query(END_SESSIONS).bind(user.uid).execute(&mut *tx).await?;
            // The owner has a new password, so earlier guesses no longer slow the login down, and the networks of
            // earlier logins may be an attacker's. The one that proved the address is the owner's: without it the next
            // guesses would keep the owner out again.
            let mailbox = &user.email_canonical;
            forget_logins!(tx, mailbox);
            sqlx::query(REMEMBER_NETWORK).bind(mailbox).bind(network).bind(now).execute(&mut *tx).await?;
            insert_email!(tx, notice);
            Change::Made(())
        })
    }

    /// Sets a new password after the current one was given: ends every session but the actor's, queues the notice. Of the
    /// networks of earlier logins only that of this client, `network`, is known afterwards, if the account is verified.
    /// Returns whether there is a notice: an unverified address gets one in [`UNVERIFIED_NOTICE_EVERY`].
    pub async fn change_password(
        &self,
        actor: &Actor,
        user: &User,
        password_hash: &str,
        notice: &NewEmail,
        network: &str,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<bool>> {
        let mailbox = &user.email_canonical;
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            let query = sqlx::query(CHANGE_PASSWORD).bind(actor.user_uid).bind(password_hash).bind(now);
            query.execute(&mut *tx).await?;
            sqlx::query(END_OTHER_SESSIONS).bind(actor.user_uid).bind(actor.sid).execute(&mut *tx).await?;
            forget_logins!(tx, mailbox);
            if user.is_verified {
                sqlx::query(REMEMBER_NETWORK).bind(mailbox).bind(network).bind(now).execute(&mut *tx).await?;
            }
            let since = now - UNVERIFIED_NOTICE_EVERY;
            let notified: bool =
                sqlx::query_scalar(NOTICE_SINCE).bind(mailbox).bind(since).fetch_one(&mut *tx).await?;
            let notify = user.is_verified || !notified;
            if notify {
                insert_email!(tx, notice);
            }
            Checked::Done(notify)
        })
    }
}

//! Accounts that exist: replaced by a sign-up, verified, given a role, deleted. Each change is one transaction.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::base_mailboxes::COUNT_FOR;
use super::email_changes::IS_RESERVED;
use super::emails::insert::{NewEmail, insert_email};
use super::idempotency::store_answer;
use super::login_throttle::{FORGET_NETWORKS, forget_logins};
use super::users::{AnswerFor, Change, NewAccount, SELECT_USER_OF_MAILBOX, User, bind_account};
use super::{Db, DbResult, in_transaction, on_db};
use crate::domain::closing_reason::NO_ACCOUNT;
use crate::domain::{EmailAddress, Role};
use crate::links::UNDO_WINDOW;

/// The result of a change of role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    /// The account has the role.
    Made,
    /// The account is not verified and cannot become an administrator.
    NotVerified,
    /// No account has the address.
    NoAccount,
}

/// An account that was deleted because it was not verified in time.
#[derive(Debug, sqlx::FromRow)]
pub struct PurgedAccount {
    /// Its id.
    pub uid: Uuid,
    /// Its address.
    pub email: String,
}

/// The result of the request to delete an account that another person made with one's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnverifiedDeletion {
    /// The account is deleted.
    Deleted,
    /// The account was verified, or not made by sign-up, so it stays.
    Refused,
}

/// An unverified account does not become an administrator: its password may be a stranger's.
const SET_ROLE: &str = "
UPDATE users
SET role = $2, auth_version = auth_version + 1, auth_changed_at = $3, update_at = $3
WHERE email_canonical = $1 AND (is_verified OR $2 <> 'admin')";

/// SQLite's WITH cannot write, so the count and the email are statements of their own there.
const INSERT_ACCOUNT: &str = "
INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                   auth_changed_at, created_at, update_at, created_via, locale)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10, $11)
ON CONFLICT (email_canonical) DO NOTHING
RETURNING *";

/// Only accounts that strangers can make are replaced. Each condition is checked again here, under the row's lock.
const DELETE_REPLACEABLE: &str = "
DELETE FROM users
WHERE uid = $1 AND created_via = 'sign_up' AND role = 'user' AND NOT is_verified AND created_at < $2";

const DELETE_UNVERIFIED: &str = "
DELETE FROM users
WHERE uid = $1 AND email_canonical = $2 AND created_via = 'sign_up' AND NOT is_verified";

const CANCEL_EMAILS_OF_ACCOUNT: &str = "
UPDATE emails SET state = 'cancelled', last_error = $3, closed_at = $4
WHERE mailbox = $1 AND user_uid = $2 AND state = 'queued'";

const PURGE_UNVERIFIED: &str = "
DELETE FROM users
WHERE uid IN (SELECT uid FROM users
              WHERE NOT is_verified AND created_via = 'sign_up' AND role = 'user' AND created_at < $1
              ORDER BY created_at
              LIMIT $2)
  AND NOT is_verified
RETURNING uid, email";

const VERIFY_ACCOUNT: &str = "
UPDATE users SET is_verified = true, update_at = $3
WHERE uid = $1 AND email_canonical = $2 AND NOT is_verified";

const HAS_MAILBOX: &str = "SELECT uid FROM users WHERE uid = $1 AND email_canonical = $2";

/// The most accounts that one statement deletes. Fewer than rows of other tables: the sessions and the changes of address of
/// each go with it, and each is returned for the log.
const MAX_PURGED_ACCOUNTS: i64 = 1_000;

impl Db {
    /// Creates an account with several statements, for SQLite and where an account is replaced or an answer stored.
    pub(super) async fn create_account_in_steps(
        &self,
        account: &NewAccount,
        uid: Uuid,
        email: &NewEmail,
        store: Option<AnswerFor<'_>>,
        now: DateTime<Utc>,
    ) -> DbResult<Option<User>> {
        let mailbox = account.email.canonical();
        in_transaction!(self, tx => {
            let counted = sqlx::query(self.count_sign_up())
                .bind(account.email.base_mailbox())
                .bind(now)
                .bind(now - COUNT_FOR)
                .bind(account.base_mailbox_limit)
                .execute(&mut *tx)
                .await?;
            // No account has the nil id.
            let reserved = sqlx::query_scalar(IS_RESERVED).bind(mailbox).bind(Uuid::nil()).bind(now - UNDO_WINDOW);
            let reserved: bool = reserved.fetch_one(&mut *tx).await?;
            if counted.rows_affected() == 0 || reserved {
                return Ok(None);
            }
            if let Some(old) = account.replaces {
                let deleted = sqlx::query(DELETE_REPLACEABLE).bind(old.uid).bind(old.created_before);
                if deleted.execute(&mut *tx).await?.rows_affected() == 0 {
                    return Ok(None);
                }
                let cancelled = sqlx::query(CANCEL_EMAILS_OF_ACCOUNT).bind(mailbox).bind(old.uid);
                cancelled.bind(NO_ACCOUNT).bind(now).execute(&mut *tx).await?;
                forget_logins!(tx, mailbox);
            }
            let query = bind_account!(sqlx::query_as(INSERT_ACCOUNT), account, uid, now);
            let query = query.bind(account.locale_text());
            let user: Option<User> = query.fetch_optional(&mut *tx).await?;
            let Some(user) = user else { return Ok(None) };
            insert_email!(tx, email);
            store_answer!(tx, store.and_then(|answer| answer(&user)).as_ref());
            Some(user)
        })
    }

    /// Marks an address as proven; a second call changes nothing. `Stale` when the account has another address now.
    pub async fn verify_account(
        &self,
        uid: Uuid,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        in_transaction!(self, tx => {
            let query = sqlx::query(VERIFY_ACCOUNT).bind(uid).bind(email.canonical()).bind(now);
            if query.execute(&mut *tx).await?.rows_affected() == 1 {
                // Before the verification anyone could have logged in with this address.
                sqlx::query(FORGET_NETWORKS).bind(email.canonical()).execute(&mut *tx).await?;
            }
            let has_mailbox = sqlx::query_scalar(HAS_MAILBOX).bind(uid).bind(email.canonical());
            let found: Option<Uuid> = has_mailbox.fetch_optional(&mut *tx).await?;
            if found.is_some() { Change::Made(()) } else { Change::Stale }
        })
    }

    /// Deletes an account that was made by sign-up and never verified, with its sessions and queued emails.
    pub async fn delete_unverified_account(
        &self,
        uid: Uuid,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> DbResult<UnverifiedDeletion> {
        in_transaction!(self, tx => {
            let deleted = sqlx::query(DELETE_UNVERIFIED).bind(uid).bind(email.canonical());
            if deleted.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(UnverifiedDeletion::Refused);
            }
            let cancelled = sqlx::query(CANCEL_EMAILS_OF_ACCOUNT).bind(email.canonical()).bind(uid);
            cancelled.bind(NO_ACCOUNT).bind(now).execute(&mut *tx).await?;
            forget_logins!(tx, email.canonical());
            UnverifiedDeletion::Deleted
        })
    }

    /// Gives an account another role. Its sessions go on: every request looks the role up.
    pub async fn set_role(
        &self,
        email: &EmailAddress,
        role: Role,
        now: DateTime<Utc>,
    ) -> DbResult<RoleChange> {
        in_transaction!(self, tx => {
            let query = sqlx::query(SET_ROLE).bind(email.canonical()).bind(role.as_str()).bind(now);
            if query.execute(&mut *tx).await?.rows_affected() == 1 {
                RoleChange::Made
            } else {
                let query = sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(email.canonical());
                let found: Option<User> = query.fetch_optional(&mut *tx).await?;
                if found.is_some() { RoleChange::NotVerified } else { RoleChange::NoAccount }
            }
        })
    }

    /// Deletes up to 1,000 accounts that were made by sign-up before a time and never verified, and returns them.
    pub async fn purge_unverified_accounts(
        &self,
        created_before: DateTime<Utc>,
    ) -> DbResult<Vec<PurgedAccount>> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query_as(PURGE_UNVERIFIED).bind(created_before).bind(MAX_PURGED_ACCOUNTS);
            query.fetch_all(&mut *connection).await?
        })
    }
}

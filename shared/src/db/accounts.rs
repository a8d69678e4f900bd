//! Accounts: created by sign-up, verified, replaced, deleted. Each change is one transaction together with the email that
//! it causes.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::base_mailboxes::COUNT_FOR;
use super::email_changes::{IS_RESERVED, UNDO_WINDOW};
use super::emails::enqueue::{NewEmail, bind_email, enqueue_email};
use super::emails::maintenance::NO_ACCOUNT;
use super::login_throttle::{FORGET_ALL_FAILURES, FORGET_NETWORKS};
use super::users::{Change, User};
use super::{Db, DbResult, Pools, in_transaction, on_db};
use crate::domain::{CreatedVia, EmailAddress, Role};

/// The values of a sign-up.
#[derive(Debug)]
pub struct NewAccount {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The chosen name.
    pub username: String,
    /// The address, not yet proven.
    pub email: EmailAddress,
    /// The password's hash, a PHC string.
    pub password_hash: String,
    /// How the account is created.
    pub created_via: CreatedVia,
    /// An unverified account to delete first, see [`User::replaceable`].
    pub replaces: Option<Replaceable>,
    /// How many sign-ups and address changes a mailbox gets in 24 hours, whatever follows its `+`.
    pub base_mailbox_limit: i32,
}

/// An account that signed up so long ago without being verified that a new sign-up replaces it.
#[derive(Clone, Copy, Debug)]
pub struct Replaceable {
    uid: Uuid,
    created_before: DateTime<Utc>,
}

impl Replaceable {
    /// The account's id.
    pub fn uid(&self) -> Uuid {
        self.uid
    }
}

/// An account that was deleted because nobody verified it in time.
#[derive(Debug, sqlx::FromRow)]
pub struct PurgedAccount {
    /// Its id.
    pub uid: Uuid,
    /// Its address.
    pub email: String,
}

/// The result of a sign-up.
#[derive(Debug)]
pub enum Creation {
    /// The account and the id of its email.
    Created(Box<User>, Uuid),
    /// The address has an account, or belongs to one again after an email change is undone.
    AddressTaken,
    /// The mailbox had too many sign-ups and address changes; the next one is possible after so long.
    TooManyForMailbox(TimeDelta),
}

/// The result of the request to delete an account that somebody else made with one's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disowned {
    /// The account is deleted.
    Deleted,
    /// The account was verified, or not made by sign-up, so it stays.
    Kept,
}

/// Counts the sign-up, creates the account and queues its email: one round trip instead of six. The parameters `$1` to
/// `$10` are the account, `$11` to `$21` the email, `$22` to `$24` the count; changes before `$25` cannot be undone.
const CREATE_ACCOUNT_POSTGRES: &str = "
WITH counted AS (
    INSERT INTO base_mailbox_counts AS counts (base_mailbox, counted_at, last_counted_at)
    VALUES ($22, ARRAY[$9::timestamptz], $9)
    ON CONFLICT (base_mailbox) DO UPDATE
    SET counted_at = counts.counted_at[cardinality(counts.counted_at) + 2 - $24 :] || excluded.last_counted_at,
        last_counted_at = excluded.last_counted_at
    WHERE cardinality(counts.counted_at) < $24
       OR counts.counted_at[cardinality(counts.counted_at) + 1 - $24] <= $23
    RETURNING base_mailbox
), account AS (
    INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                       auth_changed_at, created_at, update_at, created_via)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10
    FROM counted
    WHERE NOT EXISTS (SELECT 1 FROM email_changes
                      WHERE old_mailbox = $4 AND ended_at IS NULL AND changed_at > $25)
    ON CONFLICT (email_canonical) DO NOTHING
    RETURNING *
), email AS (
    INSERT INTO emails (id, kind, recipient, mailbox, user_uid, auth_version, context, request_id, traceparent,
                        created_at, enqueued_at, due_at, deadline_at, state)
    SELECT $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, $20, $21, 'queued' FROM account
)
SELECT * FROM account";

/// SQLite's WITH cannot write, so the count and the email are statements of their own there.
const INSERT_ACCOUNT: &str = "
INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                   auth_changed_at, created_at, update_at, created_via)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10)
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

/// The most accounts that one statement deletes: short locks, small transactions.
const PURGE_BATCH: i64 = 1_000;

/// Binds the ten values of an account, which both statements that insert one begin with.
macro_rules! bind_account {
    ($query:expr, $account:expr, $uid:expr, $now:expr) => {
        $query
            .bind($uid)
            .bind(&$account.username)
            .bind($account.email.as_str())
            .bind($account.email.canonical())
            .bind(&$account.first_name)
            .bind(&$account.last_name)
            .bind(Role::User.as_str())
            .bind(&$account.password_hash)
            .bind($now)
            .bind($account.created_via.as_str())
    };
}

impl Db {
    /// Creates an account and queues its verification email, `email(uid)`. Another request may create an account with
    /// the same address at the same moment: the unique index decides.
    pub async fn create_account(
        &self,
        account: &NewAccount,
        email: impl FnOnce(Uuid) -> NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Creation> {
        let uid = Uuid::new_v4();
        let email = email(uid);
        let created = match (&self.pools, account.replaces) {
            (Pools::Postgres(_), None) => {
                let user: DbResult<Option<User>> = on_db!(self.writer(), connection => {
                let query = bind_account!(sqlx::query_as(CREATE_ACCOUNT_POSTGRES), account, uid, now);
                let query = bind_email!(query, email)
                    .bind(account.email.base_mailbox())
                    .bind(now - COUNT_FOR)
                    .bind(account.base_mailbox_limit)
                    .bind(now - UNDO_WINDOW);
                query.fetch_optional(&mut *connection).await?
                });
                user?.inspect(|_| email.count())
            }
            _ => self.create_account_in_steps(account, uid, &email, now).await?,
        };
        match created {
            Some(user) => Ok(Creation::Created(Box::new(user), email.id)),
            None => self.why_not_created(account, now).await,
        }
    }

    async fn create_account_in_steps(
        &self,
        account: &NewAccount,
        uid: Uuid,
        email: &NewEmail,
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
                sqlx::query(FORGET_ALL_FAILURES).bind(mailbox).execute(&mut *tx).await?;
                sqlx::query(FORGET_NETWORKS).bind(mailbox).execute(&mut *tx).await?;
            }
            let query = bind_account!(sqlx::query_as(INSERT_ACCOUNT), account, uid, now);
            let user: Option<User> = query.fetch_optional(&mut *tx).await?;
            let Some(user) = user else { return Ok(None) };
            enqueue_email!(tx, email);
            Some(user)
        })
    }

    async fn why_not_created(&self, account: &NewAccount, now: DateTime<Utc>) -> DbResult<Creation> {
        let wait = self.base_mailbox_wait(&account.email, account.base_mailbox_limit, now).await?;
        Ok(wait.map_or(Creation::AddressTaken, Creation::TooManyForMailbox))
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
    pub async fn disown_account(
        &self,
        uid: Uuid,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> DbResult<Disowned> {
        in_transaction!(self, tx => {
            let deleted = sqlx::query(DELETE_UNVERIFIED).bind(uid).bind(email.canonical());
            if deleted.execute(&mut *tx).await?.rows_affected() == 0 {
                return Ok(Disowned::Kept);
            }
            let cancelled = sqlx::query(CANCEL_EMAILS_OF_ACCOUNT).bind(email.canonical()).bind(uid);
            cancelled.bind(NO_ACCOUNT).bind(now).execute(&mut *tx).await?;
            sqlx::query(FORGET_ALL_FAILURES).bind(email.canonical()).execute(&mut *tx).await?;
            sqlx::query(FORGET_NETWORKS).bind(email.canonical()).execute(&mut *tx).await?;
            Disowned::Deleted
        })
    }

    /// Deletes up to 1,000 accounts that were made by sign-up before a time and never verified, and returns them.
    pub async fn purge_unverified_accounts(
        &self,
        created_before: DateTime<Utc>,
    ) -> DbResult<Vec<PurgedAccount>> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query_as(PURGE_UNVERIFIED).bind(created_before).bind(PURGE_BATCH);
            query.fetch_all(&mut *connection).await?
        })
    }
}

impl User {
    /// Whether a sign-up with the same address may replace this account: a stranger may have made it, and the link
    /// that verifies it has expired.
    pub fn replaceable(&self, created_before: DateTime<Utc>) -> Option<Replaceable> {
        let made_by_stranger =
            self.created_via == CreatedVia::SignUp && self.role == Role::User && !self.is_verified;
        (made_by_stranger && self.created_at < created_before)
            .then_some(Replaceable { uid: self.uid, created_before })
    }
}

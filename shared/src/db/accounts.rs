//! Changes of an account. Each is one transaction together with the email that it causes.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::emails::enqueue::{NewEmail, bind_email, enqueue_email};
use super::users::User;
use super::{Db, DbResult, Pools, in_transaction, on_db};
use crate::domain::{EmailAddress, Role};

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
}

/// The result of a change that is allowed in one state of the account only.
#[derive(Debug)]
pub enum Change<T = ()> {
    /// The change is made.
    Made(T),
    /// The account changed after the link was made or the password was checked, so nothing is changed.
    Stale,
    /// Another account has the address.
    AddressTaken,
}

/// Writes the account and, if the address was free, its email: one round trip instead of four.
const CREATE_ACCOUNT_POSTGRES: &str = "
WITH account AS (
    INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                       auth_changed_at, created_at, update_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)
    ON CONFLICT (email_canonical) DO NOTHING
    RETURNING *
), email AS (
    INSERT INTO emails (id, kind, recipient, mailbox, user_uid, context, request_id, traceparent,
                        created_at, enqueued_at, due_at, deadline_at, state)
    SELECT $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $18, $19, 'queued' FROM account
)
SELECT * FROM account";

/// SQLite's WITH cannot write, so the email is a second statement there.
const INSERT_ACCOUNT: &str = "
INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                   auth_changed_at, created_at, update_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)
ON CONFLICT (email_canonical) DO NOTHING
RETURNING *";

const VERIFY_ACCOUNT: &str = "
UPDATE users
SET update_at = CASE WHEN is_verified THEN update_at ELSE $3 END, is_verified = true
WHERE uid = $1 AND email_canonical = $2";

const SET_PASSWORD: &str = "
UPDATE users
SET password_hash = $3, is_verified = (is_verified OR $4),
    auth_version = auth_version + 1, auth_changed_at = $5, update_at = $5
WHERE uid = $1 AND auth_version = $2";

const FORGET_LOGIN_FAILURES: &str = "DELETE FROM login_failures WHERE mailbox = $1";

const END_OTHER_SESSIONS: &str = "DELETE FROM sessions WHERE user_uid = $1 AND sid <> $2";

const FIND_OTHER_ACCOUNT: &str = "SELECT uid FROM users WHERE email_canonical = $1 AND uid <> $2";

const SET_EMAIL: &str = "
UPDATE users
SET email = $3, email_canonical = $4, is_verified = true,
    auth_version = auth_version + 1, auth_changed_at = $5, update_at = $5
WHERE uid = $1 AND auth_version = $2";

/// Binds the nine values of an account, which both statements that insert one begin with.
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
    };
}

impl Db {
    /// Creates an account and queues its verification email. Returns the account and the email's id, or `None` when
    /// the address has an account, also when another request creates it at the same moment.
    pub async fn create_account(
        &self,
        account: &NewAccount,
        email: impl FnOnce(Uuid) -> NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Option<(User, Uuid)>> {
        let uid = Uuid::new_v4();
        let email = email(uid);
        let Pools::Postgres(_) = self.pools else {
            return self.create_account_in_steps(account, uid, &email, now).await;
        };
        let user: DbResult<Option<User>> = on_db!(self.writer(), connection => {
            let query = bind_account!(sqlx::query_as(CREATE_ACCOUNT_POSTGRES), account, uid, now);
            bind_email!(query, email).fetch_optional(&mut *connection).await?
        });
        Ok(user?.map(|user| {
            email.count();
            (user, email.id)
        }))
    }

    async fn create_account_in_steps(
        &self,
        account: &NewAccount,
        uid: Uuid,
        email: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Option<(User, Uuid)>> {
        in_transaction!(self, tx => {
            let query = bind_account!(sqlx::query_as(INSERT_ACCOUNT), account, uid, now);
            let user: Option<User> = query.fetch_optional(&mut *tx).await?;
            let Some(user) = user else { return Ok(None) };
            enqueue_email!(tx, email);
            Some((user, email.id))
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
            let done = query.execute(&mut *tx).await?;
            if done.rows_affected() == 1 { Change::Made(()) } else { Change::Stale }
        })
    }

    /// Sets a new password by a reset link: marks the address as proven, ends every session, queues the notice.
    pub async fn reset_password(
        &self,
        user: &User,
        password_hash: &str,
        notice: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        self.set_password(user, password_hash, None, notice, now).await
    }

    /// Sets a new password after the old one was given: ends every session but `keep`, queues the notice.
    pub async fn change_password(
        &self,
        user: &User,
        password_hash: &str,
        keep: Uuid,
        notice: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        self.set_password(user, password_hash, Some(keep), notice, now).await
    }

    /// Without `keep` the change comes from a link in the mailbox, which proves the address.
    async fn set_password(
        &self,
        user: &User,
        password_hash: &str,
        keep: Option<Uuid>,
        notice: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        in_transaction!(self, tx => {
            let done = sqlx::query(SET_PASSWORD)
                .bind(user.uid)
                .bind(user.auth_version)
                .bind(password_hash)
                .bind(keep.is_none())
                .bind(now)
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Ok(Change::Stale);
            }
            // The owner has a new password, so earlier guesses no longer slow the login down.
            sqlx::query(FORGET_LOGIN_FAILURES).bind(&user.email_canonical).execute(&mut *tx).await?;
            // No session has the nil id.
            let keep = keep.unwrap_or(Uuid::nil());
            sqlx::query(END_OTHER_SESSIONS).bind(user.uid).bind(keep).execute(&mut *tx).await?;
            enqueue_email!(tx, notice);
            Change::Made(())
        })
    }

    /// Gives an account the address that a link in its mailbox just proved.
    pub async fn change_email(
        &self,
        uid: Uuid,
        version: i64,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        let changed: DbResult<Change> = in_transaction!(self, tx => {
            let other = sqlx::query_scalar(FIND_OTHER_ACCOUNT).bind(email.canonical()).bind(uid);
            let other: Option<Uuid> = other.fetch_optional(&mut *tx).await?;
            if other.is_some() {
                return Ok(Change::AddressTaken);
            }
            let done = sqlx::query(SET_EMAIL)
                .bind(uid)
                .bind(version)
                .bind(email.as_str())
                .bind(email.canonical())
                .bind(now)
                .execute(&mut *tx)
                .await;
            match done {
                Ok(done) if done.rows_affected() == 1 => Change::Made(()),
                Ok(_) => return Ok(Change::Stale),
                // Another account took the address after the SELECT.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                    return Ok(Change::AddressTaken);
                }
                Err(error) => return Err(error.into()),
            }
        });
        changed
    }
}

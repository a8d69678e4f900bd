//! Changes of an account, each one transaction together with the mail that goes with it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::emails::enqueue::{NewEmail, bind_mail, enqueue_email, insert_mail};
use super::users::User;
use super::{Db, DbResult, in_transaction, within_limit};
use crate::domain::{EmailAddress, Role};

/// What a sign-up brings.
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
    /// The password's PHC string.
    pub password_hash: String,
}

/// What became of a change that only one state of the account allows.
#[derive(Debug)]
pub enum Change<T = ()> {
    /// It was made.
    Made(T),
    /// The account changed since the link was made or the password was checked: the link is used up.
    Stale,
    /// Another account has the address.
    AddressTaken,
}

/// The account, unless its address has one. Its values are `$1` to `$9`.
macro_rules! insert_account {
    () => {
        "INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                            auth_changed_at, created_at, update_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9)
         ON CONFLICT (email_canonical) DO NOTHING"
    };
}

/// Binds the values of [`insert_account`].
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

/// The account and, if it is new, its mail: one statement, which spares Postgres three round trips a sign-up.
const CREATE_AT_ONCE: &str = concat!(
    "WITH account AS (",
    insert_account!(),
    " RETURNING *), mail AS (",
    insert_mail!(),
    "SELECT $10, $11, $12, $13, $14, $15, $16, $17, $18, $18, $19, $20, 'queued' FROM account)
     SELECT * FROM account"
);

impl Db {
    /// Makes an account and queues its verification mail. `None` when the address has an account already,
    /// also when that one is being made at this moment.
    pub async fn create_account(
        &self,
        account: &NewAccount,
        mail: impl FnOnce(Uuid) -> NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Option<(User, Uuid)>> {
        let uid = Uuid::new_v4();
        let mail = mail(uid);
        let Db::Postgres(pool) = self else { return self.create_in_steps(account, uid, &mail, now).await };
        let user: Option<User> = within_limit(async {
            let query = bind_mail!(bind_account!(sqlx::query_as(CREATE_AT_ONCE), account, uid, now), mail);
            Ok(query.fetch_optional(pool).await?)
        })
        .await?;
        Ok(user.map(|user| {
            mail.count();
            (user, mail.id)
        }))
    }

    /// The same for SQLite, whose WITH cannot write.
    async fn create_in_steps(
        &self,
        account: &NewAccount,
        uid: Uuid,
        mail: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Option<(User, Uuid)>> {
        in_transaction!(self, tx => {
            let query = bind_account!(sqlx::query_as(concat!(insert_account!(), " RETURNING *")), account, uid, now);
            let user: Option<User> = query.fetch_optional(&mut *tx).await?;
            let Some(user) = user else { return Ok(None) };
            enqueue_email!(tx, mail);
            Some((user, mail.id))
        })
    }

    /// Marks an address as proven. Idempotent. `Stale` when the account now has another address.
    pub async fn verify_account(
        &self,
        uid: Uuid,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        let sql = "UPDATE users SET update_at = CASE WHEN is_verified THEN update_at ELSE $3 END, is_verified = true
                   WHERE uid = $1 AND email_canonical = $2";
        in_transaction!(self, tx => {
            let done = sqlx::query(sql).bind(uid).bind(email.canonical()).bind(now).execute(&mut *tx).await?;
            if done.rows_affected() == 1 { Change::Made(()) } else { Change::Stale }
        })
    }

    /// Sets a new password by a reset link: proves the address, ends every session, queues the notice.
    pub async fn reset_password(
        &self,
        user: &User,
        password_hash: &str,
        notice: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        self.set_password(user, password_hash, None, notice, now).await
    }

    /// Sets a new password for who knows the old one: ends every session but `keep`, queues the notice.
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

    /// `keep` is the session of somebody who gave the old password; without it a link in the mailbox did,
    /// which proves the address.
    async fn set_password(
        &self,
        user: &User,
        password_hash: &str,
        keep: Option<Uuid>,
        notice: &NewEmail,
        now: DateTime<Utc>,
    ) -> DbResult<Change> {
        let set = "UPDATE users SET password_hash = $3, is_verified = (is_verified OR $4),
                          auth_version = auth_version + 1, auth_changed_at = $5, update_at = $5
                   WHERE uid = $1 AND auth_version = $2";
        let forget = "DELETE FROM login_failures WHERE mailbox = $1";
        let end = "DELETE FROM sessions WHERE user_uid = $1 AND sid <> $2";
        in_transaction!(self, tx => {
            let done = sqlx::query(set)
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
            // Whoever set it anew did not guess it.
            sqlx::query(forget).bind(&user.email_canonical).execute(&mut *tx).await?;
            // No session has the nil id.
            sqlx::query(end).bind(user.uid).bind(keep.unwrap_or(Uuid::nil())).execute(&mut *tx).await?;
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
        let taken = "SELECT uid FROM users WHERE email_canonical = $1 AND uid <> $2";
        let set = "UPDATE users SET email = $3, email_canonical = $4, is_verified = true,
                          auth_version = auth_version + 1, auth_changed_at = $5, update_at = $5
                   WHERE uid = $1 AND auth_version = $2";
        let changed: DbResult<Change> = in_transaction!(self, tx => {
            let other: Option<Uuid> =
                sqlx::query_scalar(taken).bind(email.canonical()).bind(uid).fetch_optional(&mut *tx).await?;
            if other.is_some() {
                return Ok(Change::AddressTaken);
            }
            let done = sqlx::query(set)
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
                // Somebody else got the address between the look and the change.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(Change::AddressTaken),
                Err(error) => return Err(error.into()),
            }
        });
        changed
    }
}

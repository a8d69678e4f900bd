//! The table `users`: the accounts.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::held_connection::HeldConnection;
use super::{Db, DbResult, in_transaction, read_db, within_limit};
use crate::domain::{EmailAddress, Role};

/// An account as it stands in the database.
#[derive(Clone, FromRow)]
pub struct User {
    /// The account's id.
    pub uid: Uuid,
    /// The chosen name; not unique, as in the original.
    pub username: String,
    /// The address as typed; emails go to this spelling.
    pub email: String,
    /// The address's canonical form, which is unique.
    pub email_canonical: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// What the account may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Whether the address was proven.
    pub is_verified: bool,
    /// The password's hash, a PHC string. It never leaves the server.
    pub password_hash: String,
    /// Grows with every change of password, address or role. Single-use links carry it.
    pub auth_version: i64,
    /// When `auth_version` last grew.
    pub auth_changed_at: DateTime<Utc>,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When the account last changed.
    pub update_at: DateTime<Utc>,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("uid", &self.uid).field("role", &self.role).finish_non_exhaustive()
    }
}

const SELECT_USER: &str = "SELECT * FROM users WHERE uid = $1";

const SELECT_USER_OF_MAILBOX: &str = "SELECT * FROM users WHERE email_canonical = $1";

const SELECT_USERS_POSTGRES: &str = "SELECT * FROM users WHERE uid = ANY($1)";

const SELECT_USERS_OF_MAILBOXES_POSTGRES: &str = "SELECT * FROM users WHERE email_canonical = ANY($1)";

const SET_ROLE: &str = "
UPDATE users
SET role = $2, auth_version = auth_version + 1, auth_changed_at = $3, update_at = $3
WHERE email_canonical = $1";

impl Db {
    /// The account with this id.
    pub async fn user(&self, uid: Uuid) -> DbResult<Option<User>> {
        Ok(read_db!(self, pool => sqlx::query_as(SELECT_USER).bind(uid).fetch_optional(pool).await?))
    }

    /// The account of a mailbox in its canonical form.
    pub async fn user_of_mailbox(&self, canonical: &str) -> DbResult<Option<User>> {
        Ok(read_db!(self, pool => {
            sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(canonical).fetch_optional(pool).await?
        }))
    }

    /// Gives an account another role. Its sessions go on: every request looks the role up.
    /// Returns whether there is such an account.
    pub async fn set_role(&self, email: &EmailAddress, role: Role, now: DateTime<Utc>) -> DbResult<bool> {
        in_transaction!(self, tx => {
            let query = sqlx::query(SET_ROLE).bind(email.canonical()).bind(role.as_str()).bind(now);
            query.execute(&mut *tx).await?.rows_affected() == 1
        })
    }
}

impl HeldConnection {
    /// The accounts with these ids and those of these mailboxes in their canonical form, in no order.
    pub async fn users_among(&mut self, uids: &[Uuid], mailboxes: &[String]) -> DbResult<Vec<User>> {
        within_limit(async {
            let mut users: Vec<User> = Vec::with_capacity(uids.len() + mailboxes.len());
            match self {
                HeldConnection::Postgres(connection) => {
                    if !uids.is_empty() {
                        let query = sqlx::query_as(SELECT_USERS_POSTGRES).bind(uids);
                        users.append(&mut query.fetch_all(&mut **connection).await?);
                    }
                    if !mailboxes.is_empty() {
                        let query = sqlx::query_as(SELECT_USERS_OF_MAILBOXES_POSTGRES).bind(mailboxes);
                        users.append(&mut query.fetch_all(&mut **connection).await?);
                    }
                }
                // SQLite has no round trips to save.
                HeldConnection::Sqlite(sqlite) => {
                    for uid in uids {
                        let query = sqlx::query_as(SELECT_USER).bind(uid);
                        users.extend(query.fetch_optional(&sqlite.reader).await?);
                    }
                    for mailbox in mailboxes {
                        let query = sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(mailbox);
                        users.extend(query.fetch_optional(&sqlite.reader).await?);
                    }
                }
            }
            Ok(users)
        })
        .await
    }
}

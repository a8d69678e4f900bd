//! The table `users`: the accounts.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::batch::{BatchOperation, HeldConnection};
use super::{Db, DbResult, in_transaction, on_db, within_limit};
use crate::domain::{CreatedVia, EmailAddress, Role};

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
    /// How the account was created.
    #[sqlx(try_from = "String")]
    pub created_via: CreatedVia,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When the account last changed.
    pub update_at: DateTime<Utc>,
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

/// The `auth_version` of a new account.
pub const FIRST_AUTH_VERSION: i64 = 0;

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("uid", &self.uid).field("role", &self.role).finish_non_exhaustive()
    }
}

const SELECT_USER: &str = "SELECT * FROM users WHERE uid = $1";

pub(in crate::db) const SELECT_USER_OF_MAILBOX: &str = "SELECT * FROM users WHERE email_canonical = $1";

const SELECT_USERS_POSTGRES: &str = "SELECT * FROM users WHERE uid = ANY($1)";

const SELECT_USERS_OF_MAILBOXES_POSTGRES: &str = "SELECT * FROM users WHERE email_canonical = ANY($1)";

/// An unverified account does not become an administrator: its password may be a stranger's.
const SET_ROLE: &str = "
UPDATE users
SET role = $2, auth_version = auth_version + 1, auth_changed_at = $3, update_at = $3
WHERE email_canonical = $1 AND (is_verified OR $2 <> 'admin')";

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

impl Db {
    /// The account with this id.
    pub async fn user(&self, uid: Uuid) -> DbResult<Option<User>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(SELECT_USER).bind(uid).fetch_optional(&mut *connection).await?
        })
    }

    /// The account of a mailbox in its canonical form.
    pub async fn user_of_mailbox(&self, canonical: &str) -> DbResult<Option<User>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(canonical).fetch_optional(&mut *connection).await?
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
}

/// Names an account.
#[derive(Clone, Debug)]
pub enum AccountKey {
    /// By its id.
    Uid(Uuid),
    /// By its mailbox in its canonical form.
    Mailbox(String),
}

impl Db {
    /// The account with this key, looked up together with those of other emails at the same time.
    pub async fn account_of(&self, key: AccountKey) -> DbResult<Option<User>> {
        self.batchers.find_accounts.run(key).await
    }
}

/// Finds accounts in batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct FindAccounts;

impl BatchOperation for FindAccounts {
    type Item = AccountKey;
    type Output = Option<User>;

    async fn run(&self, connection: &mut HeldConnection, keys: &[AccountKey]) -> DbResult<Vec<Option<User>>> {
        let users = within_limit(find_users(connection, keys)).await?;
        let user_of = |key: &AccountKey| {
            let has_key = |user: &&User| match key {
                AccountKey::Uid(uid) => user.uid == *uid,
                AccountKey::Mailbox(mailbox) => user.email_canonical == *mailbox,
            };
            users.iter().find(has_key).cloned()
        };
        Ok(keys.iter().map(user_of).collect())
    }
}

/// The accounts with these keys, in no order.
async fn find_users(connection: &mut HeldConnection, keys: &[AccountKey]) -> DbResult<Vec<User>> {
    let mut users: Vec<User> = Vec::with_capacity(keys.len());
    match connection {
        HeldConnection::Postgres(connection) => {
            let (uids, mailboxes) = split(keys);
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
        HeldConnection::Sqlite { reader, .. } => {
            for key in keys {
                let query = match key {
                    AccountKey::Uid(uid) => sqlx::query_as(SELECT_USER).bind(uid),
                    AccountKey::Mailbox(mailbox) => sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(mailbox),
                };
                let user: Option<User> = query.fetch_optional(&*reader).await?;
                users.extend(user);
            }
        }
    }
    Ok(users)
}

fn split(keys: &[AccountKey]) -> (Vec<Uuid>, Vec<&str>) {
    let (mut uids, mut mailboxes) = (Vec::new(), Vec::new());
    for key in keys {
        match key {
            AccountKey::Uid(uid) => uids.push(*uid),
            AccountKey::Mailbox(mailbox) => mailboxes.push(mailbox.as_str()),
        }
    }
    (uids, mailboxes)
}

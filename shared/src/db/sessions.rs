//! The table `sessions`: one row per login. A token is valid only while its row exists.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::users::User;
use super::{Db, DbResult, Pools, in_transaction, on_db};

/// The state of a bearer token's account and session.
#[derive(Debug)]
pub enum Bearer {
    /// Both exist.
    Active(Box<User>),
    /// The session was ended or is too old.
    Ended,
    /// The account was deleted.
    NoUser,
}

/// The session that makes a change, and the account's version when the request was admitted. Role, password and address
/// are those of that version.
#[derive(Clone, Copy, Debug)]
pub struct Actor {
    /// The account.
    pub user_uid: Uuid,
    /// The session.
    pub sid: Uuid,
    /// `users.auth_version` when the request was admitted.
    pub auth_version: i64,
}

/// The result of a change that is made only while its actor's session, role and `auth_version` are unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Checked<T> {
    /// The change is made.
    Done(T),
    /// The session ended or the account changed after the request was admitted, so nothing is changed.
    Revoked,
}

#[derive(sqlx::FromRow)]
struct UserAndSession {
    #[sqlx(flatten)]
    user: User,
    sid: Option<Uuid>,
}

/// The locks hold until the end of the transaction: what ends the session or changes the account waits for it.
const LOCK_ACTOR_POSTGRES: &str = "
SELECT s.sid
FROM users u JOIN sessions s ON s.user_uid = u.uid
WHERE u.uid = $1 AND u.auth_version = $2 AND s.sid = $3 AND s.expires_at > $4
FOR NO KEY UPDATE OF u FOR SHARE OF s";

/// SQLite has one writer at a time.
const LOCK_ACTOR_SQLITE: &str = "
SELECT s.sid
FROM users u JOIN sessions s ON s.user_uid = u.uid
WHERE u.uid = $1 AND u.auth_version = $2 AND s.sid = $3 AND s.expires_at > $4";

/// Ends a transaction with [`Checked::Revoked`] unless the actor may still act.
macro_rules! require_actor {
    ($db:expr, $tx:expr, $actor:expr, $now:expr) => {{
        let actor: &$crate::db::sessions::Actor = $actor;
        let query = sqlx::query_scalar($db.lock_actor()).bind(actor.user_uid).bind(actor.auth_version);
        let found: Option<uuid::Uuid> = query.bind(actor.sid).bind($now).fetch_optional(&mut *$tx).await?;
        if found.is_none() {
            return Ok($crate::db::sessions::Checked::Revoked);
        }
    }};
}
pub(in crate::db) use require_actor;

/// The lock makes a concurrent password change wait, so that it ends this session too.
const SELECT_AUTH_VERSION_POSTGRES: &str = "SELECT auth_version FROM users WHERE uid = $1 FOR UPDATE";

/// SQLite has one writer at a time and no FOR UPDATE.
const SELECT_AUTH_VERSION_SQLITE: &str = "SELECT auth_version FROM users WHERE uid = $1";

const INSERT_SESSION: &str =
    "INSERT INTO sessions (sid, user_uid, created_at, expires_at) VALUES ($1, $2, $3, $4)";

const SELECT_USER_AND_SESSION: &str = "
SELECT u.*, s.sid
FROM users u LEFT JOIN sessions s ON s.sid = $2 AND s.user_uid = u.uid AND s.expires_at > $3
WHERE u.uid = $1";

const DELETE_SESSION: &str = "DELETE FROM sessions WHERE sid = $1";

impl Db {
    /// The statement that locks an actor's account and session.
    pub(in crate::db) fn lock_actor(&self) -> &'static str {
        match self.pools {
            Pools::Postgres(_) => LOCK_ACTOR_POSTGRES,
            Pools::Sqlite { .. } => LOCK_ACTOR_SQLITE,
        }
    }

    /// Opens a session if the account still has the `auth_version` that the password was checked against.
    /// Returns whether it was opened: after a reset in between, a login with the old password must not count.
    pub async fn open_session(
        &self,
        sid: Uuid,
        user: &User,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> DbResult<bool> {
        let select_version = match self.pools {
            Pools::Postgres(_) => SELECT_AUTH_VERSION_POSTGRES,
            Pools::Sqlite { .. } => SELECT_AUTH_VERSION_SQLITE,
        };
        in_transaction!(self, tx => {
            let query = sqlx::query_scalar(select_version).bind(user.uid);
            let version: Option<i64> = query.fetch_optional(&mut *tx).await?;
            if version != Some(user.auth_version) {
                return Ok(false);
            }
            let query = sqlx::query(INSERT_SESSION).bind(sid).bind(user.uid).bind(now).bind(expires_at);
            query.execute(&mut *tx).await?;
            true
        })
    }

    /// The account and the session of a token. One query at every request makes logout, reset and demotion count at
    /// once.
    pub async fn bearer(&self, user_uid: Uuid, sid: Uuid, now: DateTime<Utc>) -> DbResult<Bearer> {
        let found: DbResult<Option<UserAndSession>> = on_db!(self.reader(), connection => {
            let query = sqlx::query_as(SELECT_USER_AND_SESSION).bind(user_uid).bind(sid).bind(now);
            query.fetch_optional(&mut *connection).await?
        });
        Ok(match found? {
            None => Bearer::NoUser,
            Some(UserAndSession { sid: None, .. }) => Bearer::Ended,
            Some(UserAndSession { user, .. }) => Bearer::Active(Box::new(user)),
        })
    }

    /// Ends one session: its access and refresh tokens are refused from the next request on.
    pub async fn end_session(&self, sid: Uuid) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            sqlx::query(DELETE_SESSION).bind(sid).execute(&mut *connection).await.map(drop)?
        })
    }
}

//! The table `sessions`: one row a login. A token is good only as long as its row stands.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::users::User;
use super::{Db, DbResult, in_transaction, on_db, read_db};

/// What a bearer token's account and session are, at this moment.
#[derive(Debug)]
pub enum Bearer {
    /// The account exists and the session stands.
    Active(Box<User>),
    /// The session was ended, or ran out.
    Ended,
    /// The account is gone.
    NoUser,
}

#[derive(sqlx::FromRow)]
struct UserAndSession {
    #[sqlx(flatten)]
    user: User,
    sid: Option<Uuid>,
}

impl Db {
    /// Opens a session if the account still has the `auth_version` that the password was checked against.
    /// Returns whether it was opened: a reset that came in between must not leave a session behind.
    pub async fn open_session(
        &self,
        sid: Uuid,
        user: &User,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> DbResult<bool> {
        // FOR UPDATE has no equal in SQLite, whose one writer makes it needless.
        let check = match self {
            Db::Postgres(_) => "SELECT auth_version FROM users WHERE uid = $1 FOR UPDATE",
            Db::Sqlite(_) => "SELECT auth_version FROM users WHERE uid = $1",
        };
        let insert = "INSERT INTO sessions (sid, user_uid, created_at, expires_at) VALUES ($1, $2, $3, $4)";
        in_transaction!(self, tx => {
            let version: Option<i64> = sqlx::query_scalar(check).bind(user.uid).fetch_optional(&mut *tx).await?;
            if version != Some(user.auth_version) {
                return Ok(false);
            }
            sqlx::query(insert).bind(sid).bind(user.uid).bind(now).bind(expires_at).execute(&mut *tx).await?;
            true
        })
    }

    /// The account and the session of a token, in one query, so that logout, reset and demotion count at once.
    pub async fn bearer(&self, user_uid: Uuid, sid: Uuid, now: DateTime<Utc>) -> DbResult<Bearer> {
        let sql = "SELECT u.*, s.sid FROM users u
                   LEFT JOIN sessions s ON s.sid = $2 AND s.user_uid = u.uid AND s.expires_at > $3
                   WHERE u.uid = $1";
        let found: Option<UserAndSession> = read_db!(self, pool => {
            sqlx::query_as(sql).bind(user_uid).bind(sid).bind(now).fetch_optional(pool).await?
        });
        Ok(match found {
            None => Bearer::NoUser,
            Some(UserAndSession { sid: None, .. }) => Bearer::Ended,
            Some(UserAndSession { user, .. }) => Bearer::Active(Box::new(user)),
        })
    }

    /// Ends one session: its access and refresh tokens are refused from the next request on.
    pub async fn end_session(&self, sid: Uuid) -> DbResult<()> {
        let sql = "DELETE FROM sessions WHERE sid = $1";
        on_db!(self, pool => sqlx::query(sql).bind(sid).execute(pool).await.map(|_| ())?);
        Ok(())
    }
}

//! A row of the table `users`, and what follows from it.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::domain::{CreatedVia, Role};

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
    /// The language that was asked for, a canonical BCP 47 tag; `None` when none is known. It may be one that is not
    /// shipped, see [`Locale::of_tag`](crate::locale::Locale::of_tag).
    pub locale: Option<String>,
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

/// An account that signed up so long ago without being verified that a new sign-up replaces it.
#[derive(Clone, Copy, Debug)]
pub struct Replaceable {
    pub(in crate::db) uid: Uuid,
    pub(in crate::db) created_before: DateTime<Utc>,
}

impl Replaceable {
    /// The account's id.
    pub fn uid(&self) -> Uuid {
        self.uid
    }
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

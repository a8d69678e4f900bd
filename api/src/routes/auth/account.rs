//! An account as clients see it.

use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::openapi::schemas;

/// The contract's User. Never the hash.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct Account {
    uid: Uuid,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    #[schema(schema_with = schemas::role)]
    role: Role,
    is_verified: bool,
    created_at: DateTime<Utc>,
    update_at: DateTime<Utc>,
}

impl From<User> for Account {
    fn from(user: User) -> Account {
        Account {
            uid: user.uid,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            role: user.role,
            is_verified: user.is_verified,
            created_at: user.created_at,
            update_at: user.update_at,
        }
    }
}

/// The answer of calls that have nothing to say but that they were done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Message {
    pub(super) message: &'static str,
}

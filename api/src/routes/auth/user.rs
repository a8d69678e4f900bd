//! The JSON of an account, and of answers that say only that something was done.

use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::openapi::schemas;

/// The account as clients see it, without the password's hash.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(super) struct UserResponse {
    uid: Uuid,
    username: String,
    email: String,
    first_name: String,
    last_name: String,
    #[schema(schema_with = schemas::role)]
    role: Role,
    is_verified: bool,
    #[schema(schema_with = schemas::stored_locale)]
    locale: Option<String>,
    created_at: DateTime<Utc>,
    update_at: DateTime<Utc>,
}

impl From<User> for UserResponse {
    fn from(user: User) -> UserResponse {
        UserResponse {
            uid: user.uid,
            username: user.username,
            email: user.email,
            first_name: user.first_name,
            last_name: user.last_name,
            role: user.role,
            is_verified: user.is_verified,
            locale: user.locale,
            created_at: user.created_at,
            update_at: user.update_at,
        }
    }
}

/// A sentence that says what was done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageResponse {
    pub(super) message: &'static str,
}

//! What an account changes of itself without a proof: its names and its language.

use chrono::{DateTime, Utc};

use super::sessions::{Actor, Checked, require_actor};
use super::users::User;
use super::{Db, DbResult, in_transaction};
use crate::domain::{PersonName, Username};
use crate::locale::LanguageTag;

/// The new values; what is `None` stays as it is.
#[derive(Debug, Default)]
pub struct ProfileChange {
    /// Given name.
    pub first_name: Option<PersonName>,
    /// Family name.
    pub last_name: Option<PersonName>,
    /// The chosen name.
    pub username: Option<Username>,
    /// The language of emails, or none.
    pub locale: Option<Option<LanguageTag>>,
}

const CHANGE_PROFILE: &str = "
UPDATE users
SET first_name = COALESCE($2, first_name), last_name = COALESCE($3, last_name), username = COALESCE($4, username),
    locale = CASE WHEN $5 THEN $6 ELSE locale END, update_at = $7
WHERE uid = $1
RETURNING *";

impl Db {
    /// Changes the actor's account and returns it.
    pub async fn change_profile(
        &self,
        actor: &Actor,
        change: &ProfileChange,
        now: DateTime<Utc>,
    ) -> DbResult<Checked<User>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            let query = sqlx::query_as(CHANGE_PROFILE)
                .bind(actor.user_uid)
                .bind(change.first_name.as_ref().map(PersonName::as_str))
                .bind(change.last_name.as_ref().map(PersonName::as_str))
                .bind(change.username.as_ref().map(Username::as_str))
                .bind(change.locale.is_some())
                .bind(change.locale.iter().flatten().next().map(ToString::to_string))
                .bind(now);
            Checked::Done(query.fetch_one(&mut *tx).await?)
        })
    }
}

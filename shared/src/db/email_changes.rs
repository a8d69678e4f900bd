//! The table `email_changes`: changes of an address, each of which the old mailbox can undo for 72 hours.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::base_mailboxes::COUNT_FOR;
use super::emails::insert::{EmailContext, NewEmail, RequestOrigin, insert_email};
use super::emails::on_request::{EmailRequest, insert_on_postgres, insert_on_sqlite};
use super::idempotency::{AnswerToStore, store_answer};
use super::login_throttle::{FORGET_NETWORKS, forget_logins};
use super::passwords::END_SESSIONS;
use super::sessions::{Actor, Checked, require_actor};
use super::users::{Change, User};
use super::{Db, DbError, DbResult, Pools, in_transaction, on_db};
use crate::domain::{EmailAddress, EmailKind};
use crate::links::UNDO_WINDOW;

/// A change that is done and can still be undone.
#[derive(Clone, sqlx::FromRow)]
pub struct EmailChange {
    /// The address before the change.
    pub old_email: String,
    /// Its canonical form.
    pub old_mailbox: String,
    /// The account's `auth_version` after the change: later changes have greater ones.
    pub auth_version: i64,
}

/// Whether the address `$1` is the old one of a change that can still be undone, by another account than `$2`.
pub(in crate::db) const IS_RESERVED: &str = "
SELECT EXISTS (SELECT 1 FROM email_changes
               WHERE old_mailbox = $1 AND user_uid <> $2 AND ended_at IS NULL AND changed_at > $3)";

/// Whether another account than `$2` has the address `$1`, or can still take it back.
const IS_TAKEN: &str = "
SELECT EXISTS (SELECT 1 FROM users WHERE email_canonical = $1 AND uid <> $2)
    OR EXISTS (SELECT 1 FROM email_changes
               WHERE old_mailbox = $1 AND user_uid <> $2 AND ended_at IS NULL AND changed_at > $3)";

const SET_EMAIL: &str = "
UPDATE users
SET email = $3, email_canonical = $4, is_verified = true,
    auth_version = auth_version + 1, auth_changed_at = $5, update_at = $5
WHERE uid = $1 AND auth_version = $2";

const INSERT_CHANGE: &str = "
INSERT INTO email_changes (id, user_uid, old_email, old_mailbox, auth_version, changed_at)
VALUES ($1, $2, $3, $4, $5, $6)";

const SELECT_CHANGE: &str = "
SELECT old_email, old_mailbox, auth_version
FROM email_changes
WHERE id = $1 AND user_uid = $2 AND ended_at IS NULL AND changed_at > $3";

/// The lock orders the undo after every other change of the account.
const LOCK_USER_POSTGRES: &str = "SELECT * FROM users WHERE uid = $1 FOR UPDATE";

/// SQLite has one writer at a time.
const LOCK_USER_SQLITE: &str = "SELECT * FROM users WHERE uid = $1";

/// A sign-up that ran at the same moment as the change can have taken the old address, unverified.
const DELETE_UNVERIFIED_OTHER: &str = "
DELETE FROM users
WHERE email_canonical = $1 AND uid <> $2 AND created_via = 'sign_up' AND NOT is_verified";

const RESTORE_EMAIL: &str = "
UPDATE users
SET email = $2, email_canonical = $3, password_hash = $4,
    auth_version = auth_version + 1, auth_changed_at = $5, update_at = $5
WHERE uid = $1";

const END_CHANGES: &str = "
UPDATE email_changes SET ended_at = $3 WHERE user_uid = $1 AND auth_version >= $2 AND ended_at IS NULL";

pub(in crate::db) const PURGE_CHANGES: &str = "
DELETE FROM email_changes WHERE id IN (SELECT id FROM email_changes WHERE changed_at < $1 LIMIT $2)";

/// A request to move an account to a new address.
#[derive(Debug)]
pub struct EmailChangeRequest<'a> {
    /// The session that asks.
    pub actor: &'a Actor,
    /// The link to the new address and the notice to the old one.
    pub request: EmailRequest,
    /// The new address.
    pub new_email: &'a EmailAddress,
    /// How many sign-ups and address changes a mailbox gets in 24 hours, whatever follows its `+`.
    pub base_mailbox_limit: i32,
    /// The answer, where it is stored for repeated requests.
    pub store: Option<&'a AnswerToStore>,
}

impl Db {
    /// Queues the emails of a request for a new address unless a limit of its mailbox is reached; returns whether they
    /// were queued. The address is not looked up.
    pub async fn request_email_change(&self, request: &EmailChangeRequest<'_>) -> DbResult<Checked<bool>> {
        let EmailChangeRequest { actor, request, new_email, base_mailbox_limit, store } = request;
        let now = request.email.created_at();
        in_transaction!(self, tx, insert = insert_on_postgres | insert_on_sqlite => {
            require_actor!(self, tx, actor, now);
            let queued = insert(&mut tx, std::slice::from_ref(request)).await?;
            let count = sqlx::query(self.count_sign_up()).bind(new_email.base_mailbox()).bind(now);
            let count = count.bind(now - COUNT_FOR).bind(*base_mailbox_limit);
            if !queued.is_empty() && count.execute(&mut *tx).await?.rows_affected() == 0 {
                tx.rollback().await?;
                return Ok(Checked::Done(false));
            }
            store_answer!(tx, *store);
            Checked::Done(!queued.is_empty())
        })
    }

    /// Gives an account the address that a link or code in its mailbox just proved. Queues the email that tells the old
    /// address and returns its id. `Stale` also when the session of an `actor` ended.
    pub async fn change_email(
        &self,
        user: &User,
        email: &EmailAddress,
        actor: Option<&Actor>,
        origin: RequestOrigin,
        now: DateTime<Utc>,
    ) -> DbResult<Change<Uuid>> {
        let old = parse(&user.email)?;
        let change = Uuid::now_v7();
        let context = EmailContext { masked_address: Some(email.masked()), email_change: Some(change) };
        let version = user.auth_version + 1;
        let notice = NewEmail::new(EmailKind::EmailChanged, &old, now)
            .about(user.uid, version)
            .with(context)
            .request_origin(origin);
        in_transaction!(self, tx => {
            if let Some(actor) = actor {
                let lock = sqlx::query_scalar(self.lock_actor()).bind(actor.user_uid).bind(actor.auth_version);
                let found: Option<Uuid> = lock.bind(actor.sid).bind(now).fetch_optional(&mut *tx).await?;
                if found.is_none() {
                    return Ok(Change::Stale);
                }
            }
            let taken = sqlx::query_scalar(IS_TAKEN).bind(email.canonical()).bind(user.uid);
            let taken: bool = taken.bind(now - UNDO_WINDOW).fetch_one(&mut *tx).await?;
            if taken {
                return Ok(Change::AddressTaken);
            }
            let set = sqlx::query(SET_EMAIL).bind(user.uid).bind(user.auth_version);
            let set = set.bind(email.as_str()).bind(email.canonical()).bind(now).execute(&mut *tx).await;
            match set {
                Ok(done) if done.rows_affected() == 1 => {}
                Ok(_) => return Ok(Change::Stale),
                // Another account took the address after the SELECT.
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                    return Ok(Change::AddressTaken);
                }
                Err(error) => return Err(error.into()),
            }
            let insert = sqlx::query(INSERT_CHANGE).bind(change).bind(user.uid).bind(old.as_str());
            insert.bind(old.canonical()).bind(version).bind(now).execute(&mut *tx).await?;
            // The networks belong to the address, not to the account.
            sqlx::query(FORGET_NETWORKS).bind(old.canonical()).execute(&mut *tx).await?;
            sqlx::query(FORGET_NETWORKS).bind(email.canonical()).execute(&mut *tx).await?;
            insert_email!(tx, &notice);
            Change::Made(notice.id)
        })
    }

    /// Whether an account cannot move to this mailbox, in its canonical form, because of another account.
    pub async fn is_taken_for(&self, user_uid: Uuid, mailbox: &str, now: DateTime<Utc>) -> DbResult<bool> {
        on_db!(self.reader(), connection => {
            let query = sqlx::query_scalar(IS_TAKEN).bind(mailbox).bind(user_uid).bind(now - UNDO_WINDOW);
            query.fetch_one(&mut *connection).await?
        })
    }

    /// A change that can still be undone.
    pub async fn email_change(
        &self,
        change: Uuid,
        user_uid: Uuid,
        now: DateTime<Utc>,
    ) -> DbResult<Option<EmailChange>> {
        on_db!(self.reader(), connection => {
            let query = sqlx::query_as(SELECT_CHANGE).bind(change).bind(user_uid).bind(now - UNDO_WINDOW);
            query.fetch_optional(&mut *connection).await?
        })
    }

    /// Restores the address that an account had before a change, whatever changed since. Ends this and later undo links
    /// and all sessions, and replaces the password's hash. Queues a reset link to the restored address and a notice
    /// without a link to the address that loses the account, and returns their ids.
    pub async fn undo_email_change(
        &self,
        change: Uuid,
        user_uid: Uuid,
        unknown_password_hash: &str,
        origin: RequestOrigin,
        now: DateTime<Utc>,
    ) -> DbResult<Change<Vec<Uuid>>> {
        let lock_user = match self.pools {
            Pools::Postgres(_) => LOCK_USER_POSTGRES,
            Pools::Sqlite { .. } => LOCK_USER_SQLITE,
        };
        in_transaction!(self, tx => {
            let user: Option<User> = sqlx::query_as(lock_user).bind(user_uid).fetch_optional(&mut *tx).await?;
            let query = sqlx::query_as(SELECT_CHANGE).bind(change).bind(user_uid).bind(now - UNDO_WINDOW);
            let found: Option<EmailChange> = query.fetch_optional(&mut *tx).await?;
            let (Some(user), Some(change)) = (user, found) else { return Ok(Change::Stale) };
            let mailbox = &change.old_mailbox;
            sqlx::query(DELETE_UNVERIFIED_OTHER).bind(mailbox).bind(user_uid).execute(&mut *tx).await?;
            let restore = sqlx::query(RESTORE_EMAIL).bind(user_uid).bind(&change.old_email).bind(mailbox);
            match restore.bind(unknown_password_hash).bind(now).execute(&mut *tx).await {
                Ok(_) => {}
                Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
                    return Ok(Change::AddressTaken);
                }
                Err(error) => return Err(error.into()),
            }
            let end = sqlx::query(END_CHANGES).bind(user_uid).bind(change.auth_version).bind(now);
            end.execute(&mut *tx).await?;
            sqlx::query(END_SESSIONS).bind(user_uid).execute(&mut *tx).await?;
            for mailbox in [mailbox, &user.email_canonical] {
                forget_logins!(tx, mailbox);
            }
            let emails = emails_of_undo(&user, &change, &origin, now)?;
            for email in &emails {
                insert_email!(tx, email);
            }
            Change::Made(emails.iter().map(|email| email.id).collect())
        })
    }
}

/// The reset link to the restored address, and the notice to the other one, where there is another one. `user` is the
/// account before the undo.
fn emails_of_undo(
    user: &User,
    change: &EmailChange,
    origin: &RequestOrigin,
    now: DateTime<Utc>,
) -> DbResult<Vec<NewEmail>> {
    let restored = parse(&change.old_email)?;
    let email = |kind, to: &EmailAddress| {
        NewEmail::new(kind, to, now).about(user.uid, user.auth_version + 1).request_origin(origin.clone())
    };
    let mut emails = vec![email(EmailKind::ResetPassword, &restored)];
    if user.email_canonical != change.old_mailbox {
        // Without a change that it could undo.
        let context = EmailContext { masked_address: Some(restored.masked()), email_change: None };
        emails.push(email(EmailKind::EmailChanged, &parse(&user.email)?).with(context));
    }
    Ok(emails)
}

/// The address was valid when it was stored.
fn parse(stored: &str) -> DbResult<EmailAddress> {
    EmailAddress::parse(stored).map_err(|error| DbError::from(sqlx::Error::Decode(Box::new(error))))
}

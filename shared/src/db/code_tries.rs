//! The tables `code_tries` and `email_code_tries`: how often codes may be tried.
//!
//! A wrong code counts for the submitted address, or for the account of a session, and for every email that it was
//! compared with. The row of the address is locked for the whole try, so that tries at several processes take turns:
//! each is counted before the next one is compared.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use uuid::{Builder, Uuid};

use super::users::{SELECT_USER_OF_MAILBOX, User};
use super::{Db, DbResult, Pools, in_transaction, on_db};
use crate::domain::{EmailAddress, EmailKind};
use crate::links::MAX_CANDIDATES;

/// Wrong codes after which an email's code is no longer good. Its link is.
pub const TRIES_PER_EMAIL: i32 = 5;
/// Wrong codes after which an address, or an account, has none left.
pub const TRIES_PER_SUBJECT: i32 = 10;
/// The count of an address starts again this long after its last wrong code: in no hour there are more of them.
pub const FORGET_TRIES_AFTER: TimeDelta = TimeDelta::hours(1);
const MOST_EMAILS: i64 = MAX_CANDIDATES as i64;
/// Longer than a link can be valid.
pub const KEEP_EMAIL_TRIES: TimeDelta = TimeDelta::days(8);

/// What a code is submitted for.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A submitted address, for the code of an email of this kind. Its account is looked up, and may not exist.
    Address(&'a EmailAddress, EmailKind),
    /// The account of a session, for the code of an email to its new address.
    Account(&'a User),
}

/// An email that the code may be of.
#[derive(Clone, FromRow)]
pub struct CandidateEmail {
    /// The row's id.
    pub id: Uuid,
    /// The address that it was for.
    pub recipient: String,
    /// The `auth_version` of the row.
    pub auth_version: Option<i64>,
}

/// Read before the lock is taken, so that a flood of tries takes none once there are too many.
const HAS_NO_TRY_LEFT: &str = "
SELECT EXISTS (SELECT 1 FROM code_tries WHERE subject = $1 AND tries >= $2 AND last_tried_at > $3)";

/// Makes the row of a subject and locks it until the end of the transaction. Counts nothing.
const LOCK_TRIES: &str = "
INSERT INTO code_tries AS counts (subject, tries, last_tried_at)
VALUES ($1, 0, $2)
ON CONFLICT (subject) DO UPDATE
SET tries = CASE WHEN counts.last_tried_at <= $3 THEN 0 ELSE counts.tries END
RETURNING tries";

/// Emails with an attempt in the code's lifetime, also where the answer was lost or the row is cancelled: the mail may
/// have arrived. Requests for unknown addresses leave such rows too, so that they cost the same.
const CANDIDATES_OF_MAILBOX: &str = "
SELECT id, recipient, auth_version
FROM emails
WHERE mailbox = $1 AND kind = $5 AND claimed_at > $2
  AND NOT EXISTS (SELECT 1 FROM email_code_tries AS tried WHERE tried.email_id = emails.id AND tried.tries >= $3)
ORDER BY id DESC
LIMIT $4";

const CANDIDATES_OF_ACCOUNT: &str = "
SELECT id, recipient, auth_version
FROM emails
WHERE user_uid = $1 AND kind = 'change_email' AND claimed_at > $2
  AND NOT EXISTS (SELECT 1 FROM email_code_tries AS tried WHERE tried.email_id = emails.id AND tried.tries >= $3)
ORDER BY id DESC
LIMIT $4";

const COUNT_WRONG_CODE: &str = "
UPDATE code_tries SET tries = tries + 1, last_tried_at = $2 WHERE subject = $1";

/// One statement for all emails: the time of a wrong code must not show how many an address had. `$1` is a JSON array of
/// their ids in hexadecimal digits.
const COUNT_ON_EMAILS_POSTGRES: &str = "
INSERT INTO email_code_tries AS counts (email_id, tries, last_tried_at)
SELECT compared.id::uuid, 1, $2
FROM jsonb_array_elements_text($1) AS compared (id)
ON CONFLICT (email_id) DO UPDATE SET tries = counts.tries + 1, last_tried_at = $2";

/// SQLite takes `ON CONFLICT` only after a `SELECT` with a `WHERE`.
const COUNT_ON_EMAILS_SQLITE: &str = "
INSERT INTO email_code_tries AS counts (email_id, tries, last_tried_at)
SELECT unhex(compared.value), 1, $2
FROM json_each($1) AS compared
WHERE true
ON CONFLICT (email_id) DO UPDATE SET tries = counts.tries + 1, last_tried_at = $2";

pub(in crate::db) const PURGE_CODE_TRIES: &str = "
DELETE FROM code_tries WHERE subject IN (SELECT subject FROM code_tries WHERE last_tried_at < $1 LIMIT $2)";

pub(in crate::db) const PURGE_EMAIL_CODE_TRIES: &str = "
DELETE FROM email_code_tries
WHERE email_id IN (SELECT email_id FROM email_code_tries WHERE last_tried_at < $1 LIMIT $2)";

/// The result of a try.
#[derive(Default)]
pub struct Tried {
    /// The account, and the email that has the code.
    pub found: Option<(User, CandidateEmail)>,
    /// Whether this wrong code was the last one: the next ones are not compared, for an hour.
    pub was_last: bool,
}

impl Subject<'_> {
    /// An address has an `@` and an id has none, so the two cannot be one.
    fn key(&self) -> String {
        match self {
            Subject::Address(email, _) => email.canonical().to_owned(),
            Subject::Account(user) => user.uid.to_string(),
        }
    }
}

impl Db {
    /// Tries a code that is good for `lifetime` after the last attempt to send its email began. `find` compares it with
    /// emails and returns the place of the one that has it; it gets no account and no emails where there are none, and
    /// is not called when no try is left. A wrong code is counted. A right one is not, and stays good until its use
    /// changes the account.
    pub async fn try_code(
        &self,
        subject: Subject<'_>,
        lifetime: TimeDelta,
        now: DateTime<Utc>,
        find: impl Fn(Option<&User>, &[CandidateEmail]) -> Option<usize>,
    ) -> DbResult<Tried> {
        let key = subject.key();
        let count_on_emails = match self.pools {
            Pools::Postgres(_) => COUNT_ON_EMAILS_POSTGRES,
            Pools::Sqlite { .. } => COUNT_ON_EMAILS_SQLITE,
        };
        let has_none_left: DbResult<bool> = on_db!(self.reader(), connection => {
            let query = sqlx::query_scalar(HAS_NO_TRY_LEFT).bind(&key).bind(TRIES_PER_SUBJECT);
            query.bind(now - FORGET_TRIES_AFTER).fetch_one(&mut *connection).await?
        });
        if has_none_left? {
            return Ok(Tried::default());
        }
        in_transaction!(self, tx => {
            let lock = sqlx::query_scalar(LOCK_TRIES).bind(&key).bind(now).bind(now - FORGET_TRIES_AFTER);
            let tries: i32 = lock.fetch_one(&mut *tx).await?;
            if tries >= TRIES_PER_SUBJECT {
                return Ok(Tried::default());
            }
            let since = now - lifetime;
            let (user, emails): (Option<User>, Vec<CandidateEmail>) = match subject {
                Subject::Address(email, kind) => {
                    let user = sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(email.canonical());
                    let emails = sqlx::query_as(CANDIDATES_OF_MAILBOX).bind(email.canonical()).bind(since);
                    let emails = emails.bind(TRIES_PER_EMAIL).bind(MOST_EMAILS).bind(kind.as_str());
                    (user.fetch_optional(&mut *tx).await?, emails.fetch_all(&mut *tx).await?)
                }
                Subject::Account(user) => {
                    let emails = sqlx::query_as(CANDIDATES_OF_ACCOUNT).bind(user.uid).bind(since);
                    let emails = emails.bind(TRIES_PER_EMAIL).bind(MOST_EMAILS);
                    (Some(user.clone()), emails.fetch_all(&mut *tx).await?)
                }
            };
            let found = find(user.as_ref(), &emails).and_then(|place| emails.get(place));
            if let (Some(user), Some(email)) = (user, found) {
                return Ok(Tried { found: Some((user, email.clone())), was_last: false });
            }
            sqlx::query(COUNT_WRONG_CODE).bind(&key).bind(now).execute(&mut *tx).await?;
            let compared = ids_of(&emails, &key);
            sqlx::query(count_on_emails).bind(compared).bind(now).execute(&mut *tx).await?;
            Tried { found: None, was_last: tries + 1 == TRIES_PER_SUBJECT }
        })
    }
}

/// The ids as JSON, which both databases read as a list. Without an email the wrong code is counted in a row that belongs to
/// no email, always the same one for a subject: it is written as long as the row of an email. A write to another table, or an
/// update of a row that exists already, takes less time.
fn ids_of(emails: &[CandidateEmail], subject: &str) -> serde_json::Value {
    if emails.is_empty() {
        return serde_json::json!([id_of_no_email(subject).simple().to_string()]);
    }
    emails.iter().map(|email| email.id.simple().to_string()).collect()
}

/// The ids of emails are of version 7, and this is of version 4.
fn id_of_no_email(subject: &str) -> Uuid {
    let hash: [u8; 32] = Sha256::digest(subject).into();
    Builder::from_random_bytes(std::array::from_fn(|place| hash[place])).into_uuid()
}

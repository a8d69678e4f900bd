//! The table `idempotency_keys`: a request that is repeated with the same `Idempotency-Key` and body gets the answer of
//! the first one, and changes nothing more.
//!
//! A request first claims its key, in a statement of its own, so that all processes see that it is under way. Its answer
//! is stored in the transaction of its change, so both are stored or neither. A claim that outlives its
//! process is forgotten after [`FORGET_CLAIM_AFTER`]; if its request still ends later, its change is rolled back.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Db, DbResult, Pools, on_db};

/// How long an answer is stored, from when its request claimed the key.
pub const KEEP_ANSWER_FOR: TimeDelta = TimeDelta::hours(24);
/// A request without an answer is forgotten after this time, which is longer than a request can take.
pub const FORGET_CLAIM_AFTER: TimeDelta = TimeDelta::seconds(60);
/// The most keys of one caller. The oldest ones go first.
pub const KEYS_PER_CALLER: i64 = 1_000;

/// What a request is known by. Any other part makes it another request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Who sends it: an account, else a client's network.
    pub caller: String,
    /// The method and the path.
    pub operation: String,
    /// The header.
    pub key: String,
}

/// A body by its HMAC: a body can hold a password, which a plain hash would let one guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyMac {
    /// Under the secret of now.
    pub current: [u8; 32],
    /// Under the secret before a change.
    pub previous: Option<[u8; 32]>,
}

/// A request's hold of its key.
#[derive(Clone, Debug)]
pub struct KeyClaim {
    key: RequestKey,
    id: Uuid,
}

/// An answer as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The status.
    pub status: u16,
    /// The handler's headers, not those that every answer gets.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// An answer to be stored in the transaction of a change.
#[derive(Clone, Debug)]
pub struct AnswerToKeep {
    /// The request's hold of its key.
    pub claim: KeyClaim,
    /// The answer, if the change is made.
    pub answer: StoredAnswer,
}

/// The result of the attempt to claim a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// The request has the key: it is the first one.
    First,
    /// The first request has no answer yet.
    UnderWay,
    /// The first request had another body.
    OtherBody,
    /// The answer of the first request.
    Answered(StoredAnswer),
}

impl KeyClaim {
    /// A hold that is not claimed yet.
    pub fn new(key: RequestKey) -> KeyClaim {
        KeyClaim { key, id: Uuid::new_v4() }
    }
}

/// A row, unless it is to be forgotten: `$4` is [`KEEP_ANSWER_FOR`] ago, `$5` [`FORGET_CLAIM_AFTER`].
const SELECT_KEY: &str = "
SELECT body_mac, status, headers, body
FROM idempotency_keys
WHERE caller = $1 AND operation = $2 AND key = $3
  AND claimed_at > $4 AND (status IS NOT NULL OR claimed_at > $5)";

/// Makes the row, or takes over one that is to be forgotten. Of several requests at once one changes the row.
const CLAIM_KEY: &str = "
INSERT INTO idempotency_keys AS known (caller, operation, key, body_mac, claim, claimed_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (caller, operation, key) DO UPDATE
SET body_mac = excluded.body_mac, claim = excluded.claim, claimed_at = excluded.claimed_at,
    status = NULL, headers = NULL, body = NULL
WHERE known.claimed_at <= $7 OR (known.status IS NULL AND known.claimed_at <= $8)";

/// Requests under way stay. Rows that another request deletes at this moment are skipped, so that two requests do not
/// wait for each other.
const FORGET_OLDEST_POSTGRES: &str = "
DELETE FROM idempotency_keys
WHERE (caller, operation, key) IN (
    SELECT caller, operation, key
    FROM idempotency_keys
    WHERE caller = $1 AND (status IS NOT NULL OR claimed_at <= $2)
      AND claimed_at <= (SELECT claimed_at FROM idempotency_keys
                         WHERE caller = $1
                         ORDER BY claimed_at DESC
                         OFFSET $3 LIMIT 1)
    FOR UPDATE SKIP LOCKED)";

/// SQLite has one writer at a time, and takes `OFFSET` only after `LIMIT`.
const FORGET_OLDEST_SQLITE: &str = "
DELETE FROM idempotency_keys
WHERE caller = $1 AND (status IS NOT NULL OR claimed_at <= $2)
  AND claimed_at <= (SELECT claimed_at FROM idempotency_keys
                     WHERE caller = $1
                     ORDER BY claimed_at DESC
                     LIMIT 1 OFFSET $3)";

/// No row when another request took the key over.
pub(in crate::db) const KEEP_ANSWER: &str = "
UPDATE idempotency_keys SET status = $5, headers = $6, body = $7
WHERE caller = $1 AND operation = $2 AND key = $3 AND claim = $4 AND status IS NULL";

const RELEASE_KEY: &str = "
DELETE FROM idempotency_keys
WHERE caller = $1 AND operation = $2 AND key = $3 AND claim = $4 AND status IS NULL";

pub(in crate::db) const PURGE_KEYS: &str = "
DELETE FROM idempotency_keys
WHERE (caller, operation, key) IN (
    SELECT caller, operation, key FROM idempotency_keys WHERE claimed_at < $1 LIMIT $2)";

/// Binds the four values that name a claim.
macro_rules! bind_claim {
    ($query:expr, $claim:expr) => {{
        let claim: &$crate::db::idempotency::KeyClaim = $claim;
        let key = claim.key();
        $query.bind(&key.caller).bind(&key.operation).bind(&key.key).bind(claim.id())
    }};
}

/// Binds the values of [`KEEP_ANSWER`].
macro_rules! bind_answer {
    ($query:expr, $claim:expr, $answer:expr) => {{
        let answer: &$crate::db::idempotency::StoredAnswer = $answer;
        let query = $crate::db::idempotency::bind_claim!($query, $claim);
        query.bind(i32::from(answer.status)).bind(sqlx::types::Json(&answer.headers)).bind(&answer.body)
    }};
}

/// Stores an answer in the transaction of its change. Ends the transaction with an error when another request took the
/// key over: then this one was silent for longer than a request can take.
macro_rules! keep_answer {
    ($tx:expr, $keep:expr) => {
        if let Some($crate::db::idempotency::AnswerToKeep { claim, answer }) = $keep {
            let keep = sqlx::query($crate::db::idempotency::KEEP_ANSWER);
            let keep = $crate::db::idempotency::bind_answer!(keep, claim, answer);
            if keep.execute(&mut *$tx).await?.rows_affected() == 0 {
                return Err($crate::db::DbError::timed_out());
            }
        }
    };
}
pub(in crate::db) use {bind_answer, bind_claim, keep_answer};

impl KeyClaim {
    pub(in crate::db) fn key(&self) -> &RequestKey {
        &self.key
    }
    pub(in crate::db) fn id(&self) -> Uuid {
        self.id
    }
}

#[derive(sqlx::FromRow)]
struct KnownKey {
    body_mac: Vec<u8>,
    status: Option<i32>,
    headers: Option<Json<Vec<(String, String)>>>,
    body: Option<String>,
}

impl KnownKey {
    fn answers(self, body: &BodyMac) -> Claimed {
        let macs = [Some(body.current), body.previous];
        if !macs.into_iter().flatten().any(|mac| self.body_mac == mac) {
            return Claimed::OtherBody;
        }
        let status = self.status.and_then(|status| u16::try_from(status).ok());
        let (Some(status), Some(Json(headers)), Some(body)) = (status, self.headers, self.body) else {
            return Claimed::UnderWay;
        };
        Claimed::Answered(StoredAnswer { status, headers, body })
    }
}

impl Db {
    /// Claims a key for its first request, or returns what is known of that one.
    pub async fn claim_key(&self, claim: &KeyClaim, body: &BodyMac, now: DateTime<Utc>) -> DbResult<Claimed> {
        let known = match self.known_key(&claim.key, now).await? {
            None if self.claim_unknown_key(claim, body, now).await? => return Ok(Claimed::First),
            // Another request has claimed the key since.
            None => self.known_key(&claim.key, now).await?,
            known => known,
        };
        Ok(known.map_or(Claimed::UnderWay, |known| known.answers(body)))
    }

    async fn known_key(&self, key: &RequestKey, now: DateTime<Utc>) -> DbResult<Option<KnownKey>> {
        on_db!(self.reader(), connection => {
            let query = sqlx::query_as(SELECT_KEY).bind(&key.caller).bind(&key.operation).bind(&key.key);
            let query = query.bind(now - KEEP_ANSWER_FOR).bind(now - FORGET_CLAIM_AFTER);
            query.fetch_optional(&mut *connection).await?
        })
    }

    /// Returns whether the key was unknown or to be forgotten, and so is claimed.
    async fn claim_unknown_key(
        &self,
        claim: &KeyClaim,
        body: &BodyMac,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        let forget_oldest = match self.pools {
            Pools::Postgres(_) => FORGET_OLDEST_POSTGRES,
            Pools::Sqlite { .. } => FORGET_OLDEST_SQLITE,
        };
        let KeyClaim { key, id } = claim;
        let lost = now - FORGET_CLAIM_AFTER;
        on_db!(self.writer(), connection => {
            let query = sqlx::query(CLAIM_KEY).bind(&key.caller).bind(&key.operation).bind(&key.key);
            let query = query.bind(&body.current[..]).bind(id).bind(now).bind(now - KEEP_ANSWER_FOR).bind(lost);
            let is_claimed = query.execute(&mut *connection).await?.rows_affected() == 1;
            if is_claimed {
                let forget = sqlx::query(forget_oldest).bind(&key.caller).bind(lost).bind(KEYS_PER_CALLER);
                forget.execute(&mut *connection).await?;
            }
            is_claimed
        })
    }

    /// Stores the answer of a request that changed nothing. Has no effect where the transaction of a change stored one,
    /// or another request took the key over.
    pub async fn keep_answer(&self, claim: &KeyClaim, answer: &StoredAnswer) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            let keep = bind_answer!(sqlx::query(KEEP_ANSWER), claim, answer);
            keep.execute(&mut *connection).await.map(drop)?
        })
    }

    /// Gives a key back whose request has no answer that is stored.
    pub async fn release_key(&self, claim: &KeyClaim) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            bind_claim!(sqlx::query(RELEASE_KEY), claim).execute(&mut *connection).await.map(drop)?
        })
    }
}

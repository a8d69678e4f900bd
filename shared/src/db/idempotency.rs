//! The table `idempotency_keys`: a request that is repeated with the same `Idempotency-Key` and body gets the answer of
//! the first one, and changes nothing more.
//!
//! A request first reserves its key, in a statement of its own, so that all processes see that it is under way. Its answer
//! is stored in the transaction of its change, so both are stored or neither. A reservation that outlives its
//! process is forgotten after [`FORGET_RESERVATION_AFTER`]; if its request still ends later, its change is rolled back.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Db, DbResult, Pools, on_db};

/// How long an answer is stored, from when its request reserved the key.
pub const STORE_ANSWER_FOR: TimeDelta = TimeDelta::hours(24);
/// A request without an answer is forgotten after this time, which is longer than a request can take.
pub const FORGET_RESERVATION_AFTER: TimeDelta = TimeDelta::seconds(60);
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

/// A request's reservation of its key.
#[derive(Clone, Debug)]
pub struct KeyReservation {
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
pub struct AnswerToStore {
    /// The request's reservation of its key.
    pub reservation: KeyReservation,
    /// The answer, if the change is made.
    pub answer: StoredAnswer,
}

/// The result of the attempt to reserve a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The request has the key: it is the first one.
    First,
    /// The first request has no answer yet.
    UnderWay,
    /// The first request had another body.
    OtherBody,
    /// The answer of the first request.
    Answered(StoredAnswer),
}

impl KeyReservation {
    /// A reservation that is not made yet.
    pub fn new(key: RequestKey) -> KeyReservation {
        KeyReservation { key, id: Uuid::new_v4() }
    }
}

/// A row, unless it is to be forgotten: `$4` is [`STORE_ANSWER_FOR`] ago, `$5` [`FORGET_RESERVATION_AFTER`].
const SELECT_KEY: &str = "
SELECT body_mac, status, headers, body
FROM idempotency_keys
WHERE caller = $1 AND operation = $2 AND key = $3
  AND reserved_at > $4 AND (status IS NOT NULL OR reserved_at > $5)";

/// Makes the row, or takes over one that is to be forgotten. Of several requests at once one changes the row.
const RESERVE_KEY: &str = "
INSERT INTO idempotency_keys AS known (caller, operation, key, body_mac, reservation, reserved_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (caller, operation, key) DO UPDATE
SET body_mac = excluded.body_mac, reservation = excluded.reservation, reserved_at = excluded.reserved_at,
    status = NULL, headers = NULL, body = NULL
WHERE known.reserved_at <= $7 OR (known.status IS NULL AND known.reserved_at <= $8)";

/// Requests under way stay. Rows that another request deletes at this moment are skipped, so that two requests do not
/// wait for each other.
const FORGET_OLDEST_POSTGRES: &str = "
DELETE FROM idempotency_keys
WHERE (caller, operation, key) IN (
    SELECT caller, operation, key
    FROM idempotency_keys
    WHERE caller = $1 AND (status IS NOT NULL OR reserved_at <= $2)
      AND reserved_at <= (SELECT reserved_at FROM idempotency_keys
                         WHERE caller = $1
                         ORDER BY reserved_at DESC
                         OFFSET $3 LIMIT 1)
    FOR UPDATE SKIP LOCKED)";

/// SQLite has one writer at a time, and takes `OFFSET` only after `LIMIT`.
const FORGET_OLDEST_SQLITE: &str = "
DELETE FROM idempotency_keys
WHERE caller = $1 AND (status IS NOT NULL OR reserved_at <= $2)
  AND reserved_at <= (SELECT reserved_at FROM idempotency_keys
                     WHERE caller = $1
                     ORDER BY reserved_at DESC
                     LIMIT 1 OFFSET $3)";

/// No row when another request took the key over.
pub(in crate::db) const STORE_ANSWER: &str = "
UPDATE idempotency_keys SET status = $5, headers = $6, body = $7
WHERE caller = $1 AND operation = $2 AND key = $3 AND reservation = $4 AND status IS NULL";

const RELEASE_KEY: &str = "
DELETE FROM idempotency_keys
WHERE caller = $1 AND operation = $2 AND key = $3 AND reservation = $4 AND status IS NULL";

pub(in crate::db) const PURGE_KEYS: &str = "
DELETE FROM idempotency_keys
WHERE (caller, operation, key) IN (
    SELECT caller, operation, key FROM idempotency_keys WHERE reserved_at < $1 LIMIT $2)";

/// Binds the four values that name a reservation.
macro_rules! bind_reservation {
    ($query:expr, $reservation:expr) => {{
        let reservation: &$crate::db::idempotency::KeyReservation = $reservation;
        let key = reservation.key();
        $query.bind(&key.caller).bind(&key.operation).bind(&key.key).bind(reservation.id())
    }};
}

/// Binds the values of [`STORE_ANSWER`].
macro_rules! bind_answer {
    ($query:expr, $reservation:expr, $answer:expr) => {{
        let answer: &$crate::db::idempotency::StoredAnswer = $answer;
        let query = $crate::db::idempotency::bind_reservation!($query, $reservation);
        query.bind(i32::from(answer.status)).bind(sqlx::types::Json(&answer.headers)).bind(&answer.body)
    }};
}

/// Stores an answer in the transaction of its change. Ends the transaction with an error when another request took the
/// key over: then this one was silent for longer than a request can take.
macro_rules! store_answer {
    ($tx:expr, $store:expr) => {
        if let Some($crate::db::idempotency::AnswerToStore { reservation, answer }) = $store {
            let store = sqlx::query($crate::db::idempotency::STORE_ANSWER);
            let store = $crate::db::idempotency::bind_answer!(store, reservation, answer);
            if store.execute(&mut *$tx).await?.rows_affected() == 0 {
                return Err($crate::db::DbError::timed_out());
            }
        }
    };
}
pub(in crate::db) use {bind_answer, bind_reservation, store_answer};

impl KeyReservation {
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
    fn answers(self, body: &BodyMac) -> Reserved {
        let macs = [Some(body.current), body.previous];
        if !macs.into_iter().flatten().any(|mac| self.body_mac == mac) {
            return Reserved::OtherBody;
        }
        let status = self.status.and_then(|status| u16::try_from(status).ok());
        let (Some(status), Some(Json(headers)), Some(body)) = (status, self.headers, self.body) else {
            return Reserved::UnderWay;
        };
        Reserved::Answered(StoredAnswer { status, headers, body })
    }
}

impl Db {
    /// Reserves a key for its first request, or returns what is known of that one.
    pub async fn reserve_key(
        &self,
        reservation: &KeyReservation,
        body: &BodyMac,
        now: DateTime<Utc>,
    ) -> DbResult<Reserved> {
        let known = match self.known_key(&reservation.key, now).await? {
            None if self.reserve_unknown_key(reservation, body, now).await? => return Ok(Reserved::First),
            // Another request has reserved the key since.
            None => self.known_key(&reservation.key, now).await?,
            known => known,
        };
        Ok(known.map_or(Reserved::UnderWay, |known| known.answers(body)))
    }

    async fn known_key(&self, key: &RequestKey, now: DateTime<Utc>) -> DbResult<Option<KnownKey>> {
        on_db!(self.reader(), connection => {
            let query = sqlx::query_as(SELECT_KEY).bind(&key.caller).bind(&key.operation).bind(&key.key);
            let query = query.bind(now - STORE_ANSWER_FOR).bind(now - FORGET_RESERVATION_AFTER);
            query.fetch_optional(&mut *connection).await?
        })
    }

    /// Returns whether the key was unknown or to be forgotten, and so is reserved.
    async fn reserve_unknown_key(
        &self,
        reservation: &KeyReservation,
        body: &BodyMac,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        let forget_oldest = match self.pools {
            Pools::Postgres(_) => FORGET_OLDEST_POSTGRES,
            Pools::Sqlite { .. } => FORGET_OLDEST_SQLITE,
        };
        let KeyReservation { key, id } = reservation;
        let lost = now - FORGET_RESERVATION_AFTER;
        on_db!(self.writer(), connection => {
            let query = sqlx::query(RESERVE_KEY).bind(&key.caller).bind(&key.operation).bind(&key.key);
            let query = query.bind(&body.current[..]).bind(id).bind(now).bind(now - STORE_ANSWER_FOR).bind(lost);
            let is_reserved = query.execute(&mut *connection).await?.rows_affected() == 1;
            if is_reserved {
                let forget = sqlx::query(forget_oldest).bind(&key.caller).bind(lost).bind(KEYS_PER_CALLER);
                forget.execute(&mut *connection).await?;
            }
            is_reserved
        })
    }

    /// Stores the answer of a request that changed nothing. Has no effect where the transaction of a change stored one,
    /// or another request took the key over.
    pub async fn store_answer(&self, reservation: &KeyReservation, answer: &StoredAnswer) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            let store = bind_answer!(sqlx::query(STORE_ANSWER), reservation, answer);
            store.execute(&mut *connection).await.map(drop)?
        })
    }

    /// Ends the reservation of a key whose request has no answer to store.
    pub async fn release_key(&self, reservation: &KeyReservation) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            bind_reservation!(sqlx::query(RELEASE_KEY), reservation).execute(&mut *connection).await.map(drop)?
        })
    }
}

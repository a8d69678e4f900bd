//! Mails that anybody can ask for, for any mailbox: each mailbox is sent so many, whoever asks.
//!
//! They are queued in groups: requests that come while others are being queued share the next commit.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::enqueue::{NewEmail, enqueue_email, insert_mail};
use crate::config::MailboxLimits;
use crate::db::batch::{BatchOperation, column};
use crate::db::held_connection::HeldConnection;
use crate::db::{DbResult, within_limit};

/// A mail that somebody asked for.
#[derive(Debug)]
pub struct EmailRequest {
    /// Queued if its mailbox has not had its share.
    pub mail: NewEmail,
    /// Queued with it.
    pub along: Vec<NewEmail>,
    /// How long the link in the mail lives. One mail in that time is always let through: otherwise somebody
    /// could use the limit up and so keep the mailbox' owner out.
    pub lifetime: TimeDelta,
}

/// Queues what was asked for, unless its mailbox has had its share; answers whether it did. Nothing about accounts
/// is looked up, so that known and unknown addresses meet the same limit.
#[derive(Debug)]
pub struct EmailRequests {
    /// The settings' numbers.
    pub limits: MailboxLimits,
}

/// The mails that were.
type Queued = HashSet<Uuid>;

impl BatchOperation for EmailRequests {
    type Item = EmailRequest;
    type Answer = bool;

    async fn ask(&self, db: &mut HeldConnection, requests: &[EmailRequest]) -> DbResult<Vec<bool>> {
        within_limit(async {
            let queued = match db {
                HeldConnection::Postgres(connection) => {
                    let mut tx = connection.begin().await?;
                    let queued = self.queue_on_postgres(&mut tx, requests).await?;
                    tx.commit().await?;
                    queued
                }
                HeldConnection::Sqlite(sqlite) => {
                    let mut tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    let queued = self.queue_on_sqlite(&mut tx, requests).await?;
                    tx.commit().await?;
                    queued
                }
            };
            Ok(requests.iter().map(|request| queued.contains(&request.mail.id)).collect())
        })
        .await
    }
}

impl EmailRequests {
    /// Two statements for all of them, unless a mailbox is asked for more than once.
    async fn queue_on_postgres(&self, tx: &mut PgConnection, requests: &[EmailRequest]) -> DbResult<Queued> {
        let locks: Vec<String> = requests.iter().map(EmailRequest::share).collect();
        sqlx::query(ONE_AT_A_TIME).bind(locks).execute(&mut *tx).await?;
        let mut queued = Queued::new();
        for round in rounds(requests) {
            queued.extend(self.queue_round(tx, &round).await?);
        }
        for request in requests.iter().filter(|request| queued.contains(&request.mail.id)) {
            request.mail.count();
            for mail in &request.along {
                enqueue_email!(tx, mail);
            }
        }
        Ok(queued)
    }

    async fn queue_round(&self, tx: &mut PgConnection, round: &[&EmailRequest]) -> DbResult<Vec<Uuid>> {
        let ids = sqlx::query_scalar(QUEUE_WITHIN_LIMIT)
            .bind(column(round, |asked| asked.mail.id))
            .bind(column(round, |asked| asked.mail.kind().as_str()))
            .bind(column(round, |asked| asked.mail.recipient()))
            .bind(column(round, |asked| asked.mail.mailbox()))
            .bind(column(round, |asked| asked.mail.user_uid()))
            .bind(column(round, |asked| Json(asked.mail.context())))
            .bind(column(round, |asked| asked.mail.request_id()))
            .bind(column(round, |asked| asked.mail.traceparent()))
            .bind(column(round, |asked| asked.mail.times().0))
            .bind(column(round, |asked| asked.mail.times().1))
            .bind(column(round, |asked| asked.mail.times().2))
            .bind(column(round, |asked| asked.since().0))
            .bind(column(round, |asked| asked.since().1))
            .bind(column(round, |asked| asked.since().2))
            .bind(self.limits.per_quarter_hour)
            .bind(self.limits.per_day);
        Ok(ids.fetch_all(tx).await?)
    }

    /// One after the other: SQLite's WITH cannot write.
    async fn queue_on_sqlite(
        &self,
        tx: &mut SqliteConnection,
        requests: &[EmailRequest],
    ) -> DbResult<Queued> {
        let mut queued = Queued::new();
        for request in requests {
            let (mail, (quarter, day, lifetime)) = (&request.mail, request.since());
            let room =
                sqlx::query_scalar(HAS_ROOM).bind(mail.id).bind(mail.mailbox()).bind(mail.kind().as_str());
            let room = room.bind(quarter).bind(day).bind(lifetime);
            let room = room.bind(self.limits.per_quarter_hour).bind(self.limits.per_day);
            if !room.fetch_one(&mut *tx).await? {
                sqlx::query(AS_IF).bind(mail.mailbox()).bind(mail.kind().as_str()).execute(&mut *tx).await?;
                continue;
            }
            queued.insert(mail.id);
            for mail in std::iter::once(mail).chain(&request.along) {
                enqueue_email!(tx, mail);
            }
        }
        Ok(queued)
    }
}

impl EmailRequest {
    /// Whose share it takes from: a mailbox has one of each kind of mail.
    fn share(&self) -> String {
        format!("{}:{}", self.mail.kind(), self.mail.mailbox())
    }

    /// Since when mails count: a quarter of an hour, a day, a link's lifetime.
    fn since(&self) -> (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>) {
        let (now, ..) = self.mail.times();
        (now - TimeDelta::minutes(15), now - TimeDelta::days(1), now - self.lifetime)
    }
}

/// Each share once a round.
fn rounds(requests: &[EmailRequest]) -> Vec<Vec<&EmailRequest>> {
    let mut earlier: HashMap<String, usize> = HashMap::new();
    let mut rounds: Vec<Vec<&EmailRequest>> = Vec::new();
    for request in requests {
        let round = earlier.entry(request.share()).or_default();
        match rounds.get_mut(*round) {
            Some(others) => others.push(request),
            None => rounds.push(vec![request]),
        }
        *round += 1;
    }
    rounds
}

/// Held until the transaction's end: requests for one mailbox count each other, whichever process they come to. In
/// the order of the locks, so that two groups do not wait for each other. SQLite has one writer at a time.
const ONE_AT_A_TIME: &str = "SELECT count(pg_advisory_xact_lock(number))
    FROM (SELECT hashtextextended(name, 0) AS number FROM unnest($1::text[]) AS name ORDER BY 1) AS locks";

/// Whether a mailbox may be sent a mail. What is counted is what was queued, so that what is refused does not prolong
/// the wait, and not the mail itself, which may be asked for again after an answer that was lost. The last count is of
/// links that may be alive: a new password makes the older ones useless, and its notice tells when that was. Without
/// that, who changes somebody's password could use the limit up before, and keep the owner out for an hour.
macro_rules! has_room {
    (mail $id:literal $mailbox:literal $kind:literal since $quarter:literal $day:literal $lifetime:literal
     below $per_quarter:literal $per_day:literal) => {
        concat!(
            "(SELECT (count(*) FILTER (WHERE created_at > ",
            $quarter,
            ") < ",
            $per_quarter,
            "
                      AND count(*) FILTER (WHERE created_at > ",
            $day,
            ") < ",
            $per_day,
            ")
                  OR count(*) FILTER (WHERE created_at > ",
            $lifetime,
            " AND created_at >= coalesce(
                      (SELECT max(created_at) FROM emails
                       WHERE mailbox = ",
            $mailbox,
            " AND kind = 'password_changed'), ",
            $lifetime,
            ")) = 0
              FROM emails WHERE mailbox = ",
            $mailbox,
            " AND kind = ",
            $kind,
            " AND id <> ",
            $id,
            ")"
        )
    };
}

/// Changes nothing, at the price of an insert: otherwise the time of the answer would tell that a mailbox has had
/// its share. The columns are those of two indexes, which are written anew with them.
macro_rules! as_if {
    () => {
        "UPDATE emails SET mailbox = mailbox, created_at = created_at, closed_at = closed_at "
    };
}

/// The row for [`as_if`]: a closed one, which no worker wants at the moment.
macro_rules! closed_one {
    ($mailbox:literal, $kind:literal) => {
        concat!(
            "(SELECT id FROM emails WHERE mailbox = ",
            $mailbox,
            " AND kind = ",
            $kind,
            " AND closed_at IS NOT NULL
              ORDER BY created_at DESC LIMIT 1)"
        )
    };
}

const HAS_ROOM: &str =
    concat!("SELECT ", has_room!(mail "$1" "$2" "$3" since "$4" "$5" "$6" below "$7" "$8"));
const AS_IF: &str = concat!(as_if!(), "WHERE id = ", closed_one!("$1", "$2"));
/// All that follows the locks. Each mailbox and kind may stand here once: a statement does not see its own rows.
const QUEUE_WITHIN_LIMIT: &str = concat!(
    "WITH asked AS (SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::jsonb[],
                                         $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[],
                                         $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
                                         $14::timestamptz[])
                    AS asked (id, kind, recipient, mailbox, user_uid, context, request_id, traceparent, accepted_at,
                              deadline_at, due_at, quarter, day, lifetime)),
          judged AS MATERIALIZED (SELECT *, ",
    has_room!(mail "asked.id" "asked.mailbox" "asked.kind" since "asked.quarter" "asked.day" "asked.lifetime"
              below "$15" "$16"),
    " AS has_room FROM asked),
          queued AS (",
    insert_mail!(),
    "SELECT id, kind, recipient, mailbox, user_uid, context, request_id, traceparent, accepted_at, accepted_at,
            deadline_at, due_at, 'queued' FROM judged WHERE has_room ON CONFLICT (id) DO NOTHING),
          refused AS (",
    as_if!(),
    "FROM (SELECT ",
    closed_one!("judged.mailbox", "judged.kind"),
    " AS closed FROM judged WHERE NOT has_room) AS refused WHERE id = closed)
     SELECT id FROM judged WHERE has_room"
);

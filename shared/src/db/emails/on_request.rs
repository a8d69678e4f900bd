//! Emails that anybody can request for any mailbox. The limit of a mailbox counts all requests together.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::types::Json;
use sqlx::{Connection, PgConnection, SqliteConnection};
use uuid::Uuid;

use super::insert::{NewEmail, insert_email};
use crate::config::MailboxLimits;
use crate::db::batch::{BatchOperation, HeldConnection, column};
use crate::db::session::BEGIN_POSTGRES;
use crate::db::{Db, DbResult, within_limit};

/// A request for an email.
#[derive(Clone, Debug)]
pub struct EmailRequest {
    /// Queued unless the limit of its mailbox is reached.
    pub email: NewEmail,
    /// Queued with it.
    pub along: Vec<NewEmail>,
    /// The limits of a mailbox.
    pub limits: MailboxLimits,
    /// The lifetime of the email's link. One email in that time is always queued: otherwise an attacker could use up
    /// the limit and so lock the owner of the mailbox out.
    pub lifetime: TimeDelta,
}

impl Db {
    /// Queues an email unless the limit of its mailbox is reached; returns whether it was queued. No account is looked
    /// up, so that known and unknown addresses have the same limit and take the same time.
    pub async fn insert_on_request(&self, request: EmailRequest) -> DbResult<bool> {
        self.batch(InsertRequests, request).await
    }
}

/// Requests that come while others are queued share the next commit.
#[derive(Clone, Copy, Debug)]
struct InsertRequests;

/// The ids of the queued emails.
type Queued = HashSet<Uuid>;

impl BatchOperation for InsertRequests {
    type Item = EmailRequest;
    type Output = bool;

    async fn run(&self, connection: &mut HeldConnection, requests: &[EmailRequest]) -> DbResult<Vec<bool>> {
        within_limit(async {
            let queued = match connection {
                HeldConnection::Postgres(connection) => {
                    let mut tx = connection.begin_with(BEGIN_POSTGRES).await?;
                    let queued = insert_on_postgres(&mut tx, requests).await?;
                    tx.commit().await?;
                    queued
                }
                HeldConnection::Sqlite { writer, .. } => {
                    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                    let queued = insert_on_sqlite(&mut tx, requests).await?;
                    tx.commit().await?;
                    queued
                }
            };
            Ok(requests.iter().map(|request| queued.contains(&request.email.id)).collect())
        })
        .await
    }
}

impl EmailRequest {
    /// What the limit counts: emails of one kind to one mailbox.
    fn counter(&self) -> String {
        format!("{}:{}", self.email.kind(), self.email.mailbox())
    }

    /// Since when emails count.
    fn since(&self) -> CountedSince {
        let now = self.email.created_at();
        CountedSince {
            quarter_hour: now - TimeDelta::minutes(15),
            day: now - TimeDelta::days(1),
            lifetime: now - self.lifetime,
        }
    }
}

struct CountedSince {
    quarter_hour: DateTime<Utc>,
    day: DateTime<Utc>,
    lifetime: DateTime<Utc>,
}

/// Two statements for all requests, unless a mailbox is requested more than once.
pub(in crate::db) async fn insert_on_postgres(
    tx: &mut PgConnection,
    requests: &[EmailRequest],
) -> DbResult<Queued> {
    let counters: Vec<String> = requests.iter().map(EmailRequest::counter).collect();
    sqlx::query(LOCK_MAILBOXES_POSTGRES).bind(counters).execute(&mut *tx).await?;
    let mut queued = Queued::new();
    for round in rounds(requests) {
        queued.extend(insert_round(tx, &round).await?);
    }
    for request in requests.iter().filter(|request| queued.contains(&request.email.id)) {
        request.email.count();
        for email in &request.along {
            insert_email!(tx, email);
        }
    }
    Ok(queued)
}

async fn insert_round(tx: &mut PgConnection, round: &[&EmailRequest]) -> DbResult<Vec<Uuid>> {
    let ids = sqlx::query_scalar(INSERT_WITHIN_LIMITS_POSTGRES)
        .bind(column(round, |request| request.email.id))
        .bind(column(round, |request| request.email.kind().as_str()))
        .bind(column(round, |request| request.email.recipient()))
        .bind(column(round, |request| request.email.mailbox()))
        .bind(column(round, |request| request.email.user_uid()))
        .bind(column(round, |request| Json(request.email.context())))
        .bind(column(round, |request| request.email.request_id()))
        .bind(column(round, |request| request.email.traceparent()))
        .bind(column(round, |request| request.email.created_at()))
        .bind(column(round, |request| request.email.deadline_at()))
        .bind(column(round, |request| request.since().quarter_hour))
        .bind(column(round, |request| request.since().day))
        .bind(column(round, |request| request.since().lifetime))
        .bind(column(round, |request| request.limits.per_quarter_hour))
        .bind(column(round, |request| request.limits.per_day))
        .bind(column(round, |request| request.email.auth_version()));
    Ok(ids.fetch_all(tx).await?)
}

/// One request after the other, because SQLite's WITH cannot write.
pub(in crate::db) async fn insert_on_sqlite(
    tx: &mut SqliteConnection,
    requests: &[EmailRequest],
) -> DbResult<Queued> {
    let mut queued = Queued::new();
    for request in requests {
        let (email, since) = (&request.email, request.since());
        let is_within_limits = sqlx::query_scalar(IS_WITHIN_LIMITS_SQLITE)
            .bind(email.id)
            .bind(email.mailbox())
            .bind(email.kind().as_str())
            .bind(since.quarter_hour)
            .bind(since.day)
            .bind(since.lifetime)
            .bind(request.limits.per_quarter_hour)
            .bind(request.limits.per_day);
        if !is_within_limits.fetch_one(&mut *tx).await? {
            let same_work = sqlx::query(WRITE_AS_IF_QUEUED_SQLITE);
            same_work.bind(email.mailbox()).bind(email.kind().as_str()).execute(&mut *tx).await?;
            continue;
        }
        queued.insert(email.id);
        for email in std::iter::once(email).chain(&request.along) {
            insert_email!(tx, email);
        }
    }
    Ok(queued)
}

/// Splits the requests so that each mailbox and kind is once in a round.
fn rounds(requests: &[EmailRequest]) -> Vec<Vec<&EmailRequest>> {
    let mut earlier: HashMap<String, usize> = HashMap::new();
    let mut rounds: Vec<Vec<&EmailRequest>> = Vec::new();
    for request in requests {
        let round = earlier.entry(request.counter()).or_default();
        match rounds.get_mut(*round) {
            Some(others) => others.push(request),
            None => rounds.push(vec![request]),
        }
        *round += 1;
    }
    rounds
}

/// Locks each mailbox and kind until the end of the transaction, so that requests to several processes count each
/// other. The fixed order keeps two batches from waiting for each other. SQLite has one writer at a time.
const LOCK_MAILBOXES_POSTGRES: &str = "
SELECT count(pg_advisory_xact_lock(number))
FROM (SELECT hashtextextended(current_schema() || ' ' || name, 0) AS number
      FROM unnest($1::text[]) AS name
      ORDER BY 1) AS locks";

/// Queues the requests whose mailbox has not reached its limits, and returns their ids. A statement does not see its
/// own rows, so each mailbox and kind is in it once.
///
/// The limits count queued emails, so that a refused request does not prolong the wait. They do not count the email
/// itself, which may be requested again after its answer was lost.
///
/// The third count is of links that may still work; where there is none, the email is queued whatever the limits say. A
/// new password ends older reset links, and the row of its notice has the time, so older ones are not counted.
/// Otherwise an attacker could use up the limit, change the password, and so lock the owner out for an hour. For other
/// kinds older links are counted in any case: an attacker sees whether a request for a new address is below the limit,
/// and would learn from it that there is a new password.
///
/// A refusal writes one closed row, which no worker wants, unchanged: otherwise the shorter time of the answer would
/// show that a mailbox has reached its limit. The columns are in two indexes, which are written as by an insert.
const INSERT_WITHIN_LIMITS_POSTGRES: &str = "
WITH request AS (
    SELECT *
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::jsonb[], $7::text[], $8::text[],
                $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[],
                $14::bigint[], $15::bigint[], $16::bigint[])
         AS request (id, kind, recipient, mailbox, user_uid, context, request_id, traceparent, created_at,
                     deadline_at, quarter_hour_ago, day_ago, lifetime_ago, per_quarter_hour, per_day, auth_version)
), judged AS MATERIALIZED (
    SELECT *,
           (SELECT (count(*) FILTER (WHERE emails.created_at > request.quarter_hour_ago) < request.per_quarter_hour
                    AND count(*) FILTER (WHERE emails.created_at > request.day_ago) < request.per_day)
                   OR count(*) FILTER (
                          WHERE emails.created_at > request.lifetime_ago
                            AND (request.kind <> 'reset_password'
                                 OR emails.created_at >= coalesce(
                                        (SELECT max(notice.created_at) FROM emails AS notice
                                         WHERE notice.mailbox = request.mailbox AND notice.kind = 'password_changed'),
                                        request.lifetime_ago))) = 0
            FROM emails
            WHERE emails.mailbox = request.mailbox AND emails.kind = request.kind AND emails.id <> request.id)
           AS is_within_limits
    FROM request
), queued AS (
    INSERT INTO emails (id, kind, recipient, mailbox, user_uid, auth_version, context, request_id, traceparent,
                        created_at, enqueued_at, due_at, deadline_at, state)
    SELECT id, kind, recipient, mailbox, user_uid, auth_version, context, request_id, traceparent,
           created_at, created_at, created_at, deadline_at, 'queued'
    FROM judged
    WHERE is_within_limits
    ON CONFLICT (id) DO NOTHING
), refused AS (
    UPDATE emails SET mailbox = emails.mailbox, created_at = emails.created_at, closed_at = emails.closed_at
    FROM (SELECT (SELECT closed.id FROM emails AS closed
                  WHERE closed.mailbox = judged.mailbox AND closed.kind = judged.kind
                    AND closed.closed_at IS NOT NULL
                  ORDER BY closed.created_at DESC LIMIT 1) AS id
          FROM judged WHERE NOT is_within_limits) AS refused
    WHERE emails.id = refused.id
)
SELECT id FROM judged WHERE is_within_limits";

/// The same limits for one request.
const IS_WITHIN_LIMITS_SQLITE: &str = "
SELECT (count(*) FILTER (WHERE created_at > $4) < $7 AND count(*) FILTER (WHERE created_at > $5) < $8)
       OR count(*) FILTER (
              WHERE created_at > $6
                AND ($3 <> 'reset_password'
                     OR created_at >= coalesce((SELECT max(created_at) FROM emails
                                                WHERE mailbox = $2 AND kind = 'password_changed'), $6))) = 0
FROM emails
WHERE mailbox = $2 AND kind = $3 AND id <> $1";

/// The same work for a refused request.
const WRITE_AS_IF_QUEUED_SQLITE: &str = "
UPDATE emails SET mailbox = mailbox, created_at = created_at, closed_at = closed_at
WHERE id = (SELECT id FROM emails
            WHERE mailbox = $1 AND kind = $2 AND closed_at IS NOT NULL
            ORDER BY created_at DESC LIMIT 1)";

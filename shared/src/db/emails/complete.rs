//! Closes the rows of emails that were sent, failed or cancelled, and records the attempt with it.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::attempts::{AttemptOutcome, RECORD_ATTEMPT, Reason, bind_attempt};
use super::claim::ClaimedEmail;
use crate::db::batch::{BatchOperation, HeldConnection, column};
use crate::db::{Db, DbResult, Pools, in_transaction, on_db, within_limit};
use crate::domain::MailServer;

/// An email that the mail server accepted.
#[derive(Clone, Debug)]
pub struct SentEmail {
    id: Uuid,
    fencing_token: i64,
    worker: String,
    claimed_at: DateTime<Utc>,
    closed_at: DateTime<Utc>,
    smtp_code: Option<u16>,
    reply: String,
    server: Option<MailServer>,
}

impl SentEmail {
    /// A claimed email with the mail server's reply, which came `now`. `smtp_code` is `None`, and `reply` says where
    /// the file is, when the email was stored as a file.
    pub fn new(email: &ClaimedEmail, smtp_code: Option<u16>, reply: String, now: DateTime<Utc>) -> SentEmail {
        SentEmail {
            id: email.id,
            fencing_token: email.fencing_token,
            worker: email.worker.clone(),
            claimed_at: email.claimed_at,
            closed_at: now,
            smtp_code,
            reply,
            server: None,
        }
    }

    /// The same with the mail server that accepted it, where there are two.
    pub fn by(self, server: Option<MailServer>) -> SentEmail {
        SentEmail { server, ..self }
    }

    fn duration_ms(&self) -> i64 {
        (self.closed_at - self.claimed_at).num_milliseconds().max(0)
    }
}

/// Closes the rows of sent emails, whichever claim sent them. The first reply stays: a copy that another claim sent
/// changes only the attempts, and so does a 250 for a row that a report has closed. One statement for many rows, because most of the cost is the commit's flush to disk.
const COMPLETE_SENT_POSTGRES: &str = "
WITH sent AS (
    SELECT *
    FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $7::bigint[],
                $8::timestamptz[], $9::text[])
         AS sent (id, fencing_token, worker, smtp_code, reply, claimed_at, duration_ms, closed_at, server)
), closed AS (
    UPDATE emails
    SET closed_at = CASE WHEN state IN ('sent', 'bounced', 'complained') THEN emails.closed_at ELSE sent.closed_at END,
        reply = CASE WHEN state IN ('sent', 'bounced', 'complained') THEN emails.reply ELSE sent.reply END,
        last_error = CASE WHEN state IN ('bounced', 'complained') THEN last_error END,
        state = CASE WHEN state IN ('bounced', 'complained') THEN state ELSE 'sent' END, lease_until = NULL
    FROM sent
    WHERE emails.id = sent.id
    RETURNING sent.*
)
INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, smtp_code, reply, started_at, duration_ms, server)
SELECT id, fencing_token, worker, 'sent', smtp_code, reply, claimed_at, duration_ms, server FROM closed
ON CONFLICT (email_id, fencing_token) DO UPDATE
SET outcome = EXCLUDED.outcome, smtp_code = EXCLUDED.smtp_code, reply = EXCLUDED.reply,
    duration_ms = EXCLUDED.duration_ms, server = EXCLUDED.server";

const COMPLETE_SENT_SQLITE: &str = "
UPDATE emails
SET closed_at = CASE WHEN state IN ('sent', 'bounced', 'complained') THEN closed_at ELSE $2 END,
    reply = CASE WHEN state IN ('sent', 'bounced', 'complained') THEN reply ELSE $3 END,
    last_error = CASE WHEN state IN ('bounced', 'complained') THEN last_error END,
    state = CASE WHEN state IN ('bounced', 'complained') THEN state ELSE 'sent' END, lease_until = NULL
WHERE id = $1";

impl Db {
    /// Closes the row of an email that the mail server accepted. It holds for every claim: a 250 is a fact. A row that a
    /// report has closed stays as it is.
    pub async fn complete_sent(&self, email: SentEmail) -> DbResult<()> {
        self.batch(CompleteSent { claimed_rows: self.claimed_rows.clone() }, email).await
    }
}

/// Closes rows in batches.
#[derive(Clone, Debug)]
struct CompleteSent {
    /// Locked while a statement runs.
    claimed_rows: Arc<Mutex<()>>,
}

impl BatchOperation for CompleteSent {
    type Item = SentEmail;
    type Output = ();

    async fn run(&self, connection: &mut HeldConnection, emails: &[SentEmail]) -> DbResult<Vec<()>> {
        let _turn = self.claimed_rows.lock().await;
        // One statement changes a row once, so two claims of one email need two statements.
        let mut ids = HashSet::new();
        let (firsts, copies): (Vec<_>, Vec<_>) =
            emails.iter().cloned().partition(|email| ids.insert(email.id));
        within_limit(complete_batch(connection, &firsts)).await?;
        for copy in &copies {
            within_limit(complete_batch(connection, std::slice::from_ref(copy))).await?;
        }
        Ok(vec![(); emails.len()])
    }
}

async fn complete_batch(connection: &mut HeldConnection, emails: &[SentEmail]) -> DbResult<()> {
    match connection {
        HeldConnection::Postgres(connection) => complete_on_postgres(connection, emails).await,
        HeldConnection::Sqlite { writer, .. } => {
            let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
            for email in emails {
                let reason = Reason { smtp_code: email.smtp_code, text: &email.reply, server: email.server };
                let query = sqlx::query(COMPLETE_SENT_SQLITE).bind(email.id).bind(email.closed_at);
                query.bind(&email.reply).execute(&mut *tx).await?;
                let query = sqlx::query(RECORD_ATTEMPT);
                let query = bind_attempt!(query, email, AttemptOutcome::Sent, reason, email.closed_at);
                query.execute(&mut *tx).await?;
            }
            tx.commit().await?;
            Ok(())
        }
    }
}

async fn complete_on_postgres(connection: &mut PgConnection, emails: &[SentEmail]) -> DbResult<()> {
    sqlx::query(COMPLETE_SENT_POSTGRES)
        .bind(column(emails, |email| email.id))
        .bind(column(emails, |email| email.fencing_token))
        .bind(column(emails, |email| email.worker.as_str()))
        .bind(column(emails, |email| email.smtp_code.map(i32::from)))
        .bind(column(emails, |email| email.reply.as_str()))
        .bind(column(emails, |email| email.claimed_at))
        .bind(column(emails, SentEmail::duration_ms))
        .bind(column(emails, |email| email.closed_at))
        .bind(column(emails, |email| email.server.map(MailServer::as_str)))
        .execute(connection)
        .await?;
    Ok(())
}

/// `$4` is the outcome, which is also the new state: `failed` or `cancelled`.
const CLOSE_UNSENT_POSTGRES: &str = "
WITH closed AS (
    UPDATE emails
    SET state = $4, last_error = $6, closed_at = $10, lease_until = NULL
    WHERE id = $1 AND fencing_token = $2 AND state = 'sending'
    RETURNING id, fencing_token
)
INSERT INTO email_attempts (email_id, fencing_token, worker, outcome, smtp_code, reply, started_at, duration_ms, server)
SELECT id, fencing_token, $3, $4, $5, $6, $7, $8, $9 FROM closed
ON CONFLICT (email_id, fencing_token) DO UPDATE
SET outcome = EXCLUDED.outcome, smtp_code = EXCLUDED.smtp_code, reply = EXCLUDED.reply,
    duration_ms = EXCLUDED.duration_ms, server = EXCLUDED.server";

const CLOSE_UNSENT_SQLITE: &str = "
UPDATE emails
SET state = $3, last_error = $4, closed_at = $5, lease_until = NULL
WHERE id = $1 AND fencing_token = $2 AND state = 'sending'";

impl Db {
    /// Fails an email for good. Returns whether the claim still held; if not, nothing is changed.
    pub async fn complete_failed(
        &self,
        email: &ClaimedEmail,
        reason: Reason<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        self.close_unsent(email, AttemptOutcome::Failed, reason, now).await
    }

    /// Cancels an email that is not wanted any more. Returns whether the claim still held; if not, nothing is changed.
    pub async fn cancel(&self, email: &ClaimedEmail, reason: &str, now: DateTime<Utc>) -> DbResult<bool> {
        self.close_unsent(email, AttemptOutcome::Cancelled, Reason::from(reason), now).await
    }

    async fn close_unsent(
        &self,
        email: &ClaimedEmail,
        outcome: AttemptOutcome,
        reason: Reason<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        match self.pools {
            Pools::Postgres(_) => on_db!(self.writer(), connection => {
                let query = sqlx::query(CLOSE_UNSENT_POSTGRES);
                let query = bind_attempt!(query, email, outcome, reason, now).bind(now);
                query.execute(&mut *connection).await?.rows_affected() == 1
            }),
            Pools::Sqlite { .. } => in_transaction!(self, tx => {
                let close = sqlx::query(CLOSE_UNSENT_SQLITE).bind(email.id).bind(email.fencing_token);
                let close = close.bind(outcome.as_str()).bind(reason.text).bind(now);
                let held = close.execute(&mut *tx).await?.rows_affected() == 1;
                if held {
                    let query = bind_attempt!(sqlx::query(RECORD_ATTEMPT), email, outcome, reason, now);
                    query.execute(&mut *tx).await?;
                }
                held
            }),
        }
    }
}

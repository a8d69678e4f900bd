//! The ways an attempt ends: sent, failed, cancelled, put back, lost. Each closes or frees the row and records the
//! attempt with it.

use chrono::{DateTime, Utc};

use super::attempts::{Ending, Reason, bind_attempt, end_attempt, record_attempt};
use super::claim::ClaimedEmail;
use crate::db::batch::column;
use crate::db::held_connection::HeldConnection;
use crate::db::{Db, DbResult, on_db, within_limit};
use sqlx::PgConnection;
use uuid::Uuid;

/// A mail that the mail server took.
#[derive(Clone, Debug)]
pub struct SentEmail {
    /// The row.
    pub id: Uuid,
    /// The claim that earned it.
    pub fencing_token: i64,
    /// Its worker.
    pub worker: String,
    /// When it was claimed.
    pub claimed_at: DateTime<Utc>,
    /// When the server had answered.
    pub closed_at: DateTime<Utc>,
    /// The code of the mail server's reply; `None` when the mail was stored as a file.
    pub smtp_code: Option<u16>,
    /// The reply with its code, or where the file is.
    pub reply: String,
}

impl SentEmail {
    /// A claimed email with the mail server's reply. `now` is when the reply came.
    pub fn new(mail: &ClaimedEmail, smtp_code: Option<u16>, reply: String, now: DateTime<Utc>) -> SentEmail {
        SentEmail {
            id: mail.id,
            fencing_token: mail.fencing_token,
            worker: mail.worker.clone(),
            claimed_at: mail.claimed_at,
            closed_at: now,
            smtp_code,
            reply,
        }
    }

    fn duration_ms(&self) -> i64 {
        (self.closed_at - self.claimed_at).num_milliseconds().max(0)
    }
}

/// The first answer stands: a copy that another claim sent changes nothing.
macro_rules! sent {
    ($at:literal, $words:literal) => {
        concat!(
            "closed_at = CASE WHEN state = 'sent' THEN closed_at ELSE ",
            $at,
            " END,
             reply = CASE WHEN state = 'sent' THEN reply ELSE ",
            $words,
            " END,
             state = 'sent', last_error = NULL, lease_until = NULL"
        )
    };
}

/// One statement for all of them: the commit's flush to disk is most of what a closing costs.
async fn close_sent_on_postgres(connection: &mut PgConnection, mails: &[SentEmail]) -> DbResult<()> {
    let sql =
        concat!(
        "WITH mail AS (SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::integer[], $5::text[],
                                            $6::timestamptz[], $7::bigint[], $8::timestamptz[])
                                AS mail (id, fencing_token, worker, code, words, claimed_at, duration_ms, ended_at)),
              ended AS (UPDATE emails SET ", sent!("mail.ended_at", "mail.words"), "
                        FROM mail WHERE emails.id = mail.id RETURNING mail.*) ",
        record_attempt!("SELECT id, fencing_token, worker, 'sent', code, words, claimed_at, duration_ms FROM ended")
    );
    sqlx::query(sql)
        .bind(column(mails, |mail| mail.id))
        .bind(column(mails, |mail| mail.fencing_token))
        .bind(column(mails, |mail| mail.worker.as_str()))
        .bind(column(mails, |mail| mail.smtp_code.map(i32::from)))
        .bind(column(mails, |mail| mail.reply.as_str()))
        .bind(column(mails, |mail| mail.claimed_at))
        .bind(column(mails, SentEmail::duration_ms))
        .bind(column(mails, |mail| mail.closed_at))
        .execute(connection)
        .await?;
    Ok(())
}

impl HeldConnection {
    /// Records that the mail server took these mails, each named once. Holds whichever claim earned it: a 250 is a fact.
    pub async fn complete_sent(&mut self, mails: &[SentEmail]) -> DbResult<()> {
        within_limit(async {
            match self {
                HeldConnection::Postgres(connection) => close_sent_on_postgres(connection, mails).await,
                HeldConnection::Sqlite(sqlite) => {
                    let mut tx = sqlite.writer.begin_with("BEGIN IMMEDIATE").await?;
                    for mail in mails {
                        let close = concat!("UPDATE emails SET ", sent!("$2", "$3"), " WHERE id = $1");
                        let query = sqlx::query(close).bind(mail.id).bind(mail.closed_at).bind(&mail.reply);
                        query.execute(&mut *tx).await?;
                        let record = record_attempt!("VALUES ($1, $2, $3, 'sent', $4, $5, $6, $7)");
                        let query =
                            sqlx::query(record).bind(mail.id).bind(mail.fencing_token).bind(&mail.worker);
                        let query = query.bind(mail.smtp_code.map(i32::from)).bind(&mail.reply);
                        query.bind(mail.claimed_at).bind(mail.duration_ms()).execute(&mut *tx).await?;
                    }
                    tx.commit().await?;
                    Ok(())
                }
            }
        })
        .await
    }
}

impl Db {
    /// Gives a mail up, with the reason. Returns whether this claim still held.
    pub async fn complete_failed(
        &self,
        mail: &ClaimedEmail,
        reason: Reason<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        self.close_unsent(mail, Ending::Failed, reason, now).await
    }

    /// Drops a mail that makes no sense any more, with the reason. Returns whether this claim still held.
    pub async fn cancel(&self, mail: &ClaimedEmail, reason: &str, now: DateTime<Utc>) -> DbResult<bool> {
        self.close_unsent(mail, Ending::Cancelled, Reason::from(reason), now).await
    }

    /// These endings of an attempt have the names of the states that they leave the mail in.
    async fn close_unsent(
        &self,
        mail: &ClaimedEmail,
        ending: Ending,
        reason: Reason<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        end_attempt!(
            self,
            "UPDATE emails SET state = $4, last_error = $6, closed_at = $9, lease_until = NULL
             WHERE id = $1 AND fencing_token = $2 AND state = 'sending'",
            mail,
            ending,
            reason,
            now,
            now
        )
    }

    /// Puts a mail back for another attempt. Returns whether this claim still held.
    pub async fn retry_later(
        &self,
        mail: &ClaimedEmail,
        retry: &Retry<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<bool> {
        end_attempt!(
            self,
            "UPDATE emails SET state = 'queued', due_at = $9, last_error = $6, enqueued_at = NULL, lease_until = NULL,
                               attempts = attempts - $10, lost_answers = lost_answers + $11
             WHERE id = $1 AND fencing_token = $2 AND state = 'sending'",
            mail,
            retry.ending,
            retry.reason,
            now,
            retry.due_at,
            i32::from(!retry.counts),
            i32::from(retry.answer_lost)
        )
    }

    /// Records that this attempt stopped because the mail was another worker's by then. The row is left alone.
    pub async fn record_lost_lease(
        &self,
        mail: &ClaimedEmail,
        reason: Reason<'_>,
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        let sql = record_attempt!("VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
        on_db!(self, pool => {
            let query = bind_attempt!(sqlx::query(sql), mail, Ending::LeaseLost, reason, now);
            query.execute(pool).await?.rows_affected()
        });
        Ok(())
    }
}

/// How a mail is put back.
#[derive(Debug)]
pub struct Retry<'a> {
    /// When it is due again.
    pub due_at: DateTime<Utc>,
    /// What to call this attempt: retried, or the database went away.
    pub ending: Ending,
    /// Why, for the operator.
    pub reason: Reason<'a>,
    /// Whether the attempt counts: not while the mail server as a whole cannot be reached.
    pub counts: bool,
    /// Whether the mail was given to the server and its answer was lost.
    pub answer_lost: bool,
}

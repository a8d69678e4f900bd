//! Emails as JSON. The names of the fields are those of the tables and do not change.

use bookly_shared::db::emails::admin::EmailRow;
use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::db::emails::reports::ReportRow;
use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

/// A row of `emails`.
#[derive(Serialize)]
pub(super) struct EmailDocument<'a> {
    id: Uuid,
    kind: &'a str,
    recipient: &'a str,
    state: &'a str,
    attempts: i32,
    lost_leases: i32,
    lost_answers: i32,
    created_at: DateTime<Utc>,
    due_at: DateTime<Utc>,
    deadline_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
    worker: Option<&'a str>,
    reply: Option<&'a str>,
    last_error: Option<&'a str>,
    request_id: Option<&'a str>,
    traceparent: Option<&'a str>,
}

/// A row of `email_attempts`.
#[derive(Serialize)]
pub(super) struct AttemptDocument<'a> {
    fencing_token: i64,
    worker: &'a str,
    outcome: &'a str,
    smtp_code: Option<i32>,
    reply: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a str>,
    started_at: DateTime<Utc>,
    duration_ms: Option<i64>,
}

/// A row of `email_reports`.
#[derive(Serialize)]
pub(super) struct ReportDocument<'a> {
    outcome: &'a str,
    source: &'a str,
    reply: &'a str,
    reported_at: DateTime<Utc>,
}

impl<'a> From<&'a ReportRow> for ReportDocument<'a> {
    fn from(row: &'a ReportRow) -> Self {
        ReportDocument {
            outcome: &row.outcome,
            source: &row.source,
            reply: &row.reply,
            reported_at: row.reported_at,
        }
    }
}

impl<'a> From<&'a EmailRow> for EmailDocument<'a> {
    fn from(row: &'a EmailRow) -> Self {
        EmailDocument {
            id: row.id,
            kind: &row.kind,
            recipient: &row.recipient,
            state: &row.state,
            attempts: row.attempts,
            lost_leases: row.lost_leases,
            lost_answers: row.lost_answers,
            created_at: row.created_at,
            due_at: row.due_at,
            deadline_at: row.deadline_at,
            closed_at: row.closed_at,
            worker: row.worker.as_deref(),
            reply: row.reply.as_deref(),
            last_error: row.last_error.as_deref(),
            request_id: row.request_id.as_deref(),
            traceparent: row.traceparent.as_deref(),
        }
    }
}

impl<'a> From<&'a AttemptRow> for AttemptDocument<'a> {
    fn from(row: &'a AttemptRow) -> Self {
        AttemptDocument {
            fencing_token: row.fencing_token,
            worker: &row.worker,
            outcome: &row.outcome,
            smtp_code: row.smtp_code,
            reply: row.reply.as_deref(),
            server: row.server.as_deref(),
            started_at: row.started_at,
            duration_ms: row.duration_ms,
        }
    }
}

//! `/api/v1/admin/emails`: find an email, send it again, cancel it.

use axum::Json;
use axum::extract::State;
use bookly_shared::audit;
use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::db::emails::list::EmailRow;
use bookly_shared::db::emails::reports::ReportRow;
use bookly_shared::db::sessions::Actor;
use bookly_shared::db::users::User;
use bookly_shared::domain::EmailState;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::filter::EmailQuery;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AdminUser, Query, Uid, done};
use crate::openapi::errors;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(retry))
        .routes(routes!(cancel))
}

/// An email. It holds no link and no token: the worker makes them when it sends the email, and does not store them.
#[derive(Debug, Serialize, ToSchema)]
struct Email {
    /// Newer emails have greater ids; the Message-ID is made from it
    id: Uuid,
    #[schema(example = "verify_email")]
    kind: String,
    #[schema(example = "zoe@example.org")]
    recipient: String,
    /// `queued`, `sending`, `sent`, `failed`, `cancelled`, `bounced` or `complained`
    #[schema(example = "sent")]
    state: String,
    /// Attempts so far
    attempts: i32,
    /// Workers that were lost during an attempt
    lost_leases: i32,
    /// Replies of the mail server that were lost after it had the whole email
    lost_answers: i32,
    /// When the next attempt is due, or the last one was
    due_at: DateTime<Utc>,
    /// When it fails if it could not be sent
    deadline_at: DateTime<Utc>,
    /// The worker of the last attempt
    worker: Option<String>,
    /// Why it is not sent, or did not arrive
    #[schema(example = "RCPT TO: 450 4.2.1 mailbox busy")]
    last_error: Option<String>,
    /// The mail server's reply when it accepted the email
    #[schema(example = "250 2.0.0 Ok: queued as 4F3A2")]
    reply: Option<String>,
    /// The id of the request that asked for it
    request_id: Option<String>,
    /// The trace of that request
    traceparent: Option<String>,
    created_at: DateTime<Utc>,
    closed_at: Option<DateTime<Utc>>,
}

impl From<EmailRow> for Email {
    fn from(row: EmailRow) -> Email {
        Email {
            id: row.id,
            kind: row.kind,
            recipient: row.recipient,
            state: row.state,
            attempts: row.attempts,
            lost_leases: row.lost_leases,
            lost_answers: row.lost_answers,
            due_at: row.due_at,
            deadline_at: row.deadline_at,
            worker: row.worker,
            last_error: row.last_error,
            reply: row.reply,
            request_id: row.request_id,
            traceparent: row.traceparent,
            created_at: row.created_at,
            closed_at: row.closed_at,
        }
    }
}

/// A list of emails
#[derive(Debug, Serialize, ToSchema)]
struct EmailList {
    emails: Vec<Email>,
    /// Whether there are more: continue with `before`
    more: bool,
}

/// An email with all attempts
#[derive(Debug, Serialize, ToSchema)]
struct EmailWithHistory {
    #[serde(flatten)]
    email: Email,
    /// All attempts, oldest first
    history: Vec<EmailAttempt>,
    /// What was reported after the email was sent, oldest first; absent where nothing was
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reports: Vec<EmailReport>,
}

/// What a receiver or provider said of an email after it was sent
#[derive(Debug, Serialize, ToSchema)]
struct EmailReport {
    /// `bounced`, `soft_bounced`, `delayed` or `complained`
    #[schema(example = "bounced")]
    outcome: String,
    /// `postmark`, `mailgun`, `sendgrid`, `resend`, or `dsn` for a report by email
    #[schema(example = "postmark")]
    source: String,
    /// The reporter's words
    #[schema(example = "550 5.1.1 no such user")]
    reply: String,
    reported_at: DateTime<Utc>,
}

impl From<ReportRow> for EmailReport {
    fn from(row: ReportRow) -> EmailReport {
        EmailReport {
            outcome: row.outcome,
            source: row.source,
            reply: row.reply,
            reported_at: row.reported_at,
        }
    }
}

/// One attempt to send an email
#[derive(Debug, Serialize, ToSchema)]
struct EmailAttempt {
    /// The number of the claim; a later attempt has a greater one
    fencing_token: i64,
    worker: String,
    /// `sent`, `retried`, `failed`, `cancelled`, `lease_lost`, `worker_lost` or `database_away`
    #[schema(example = "retried")]
    outcome: String,
    /// The mail server's code, if it replied
    #[schema(example = 450)]
    smtp_code: Option<i32>,
    /// The mail server's reply, or the error
    reply: Option<String>,
    /// `first` or `fallback`; only where there is a fallback, and one was asked
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "fallback")]
    server: Option<String>,
    started_at: DateTime<Utc>,
    /// From the claim to the end; null when the worker was lost
    duration_ms: Option<i64>,
}

impl From<AttemptRow> for EmailAttempt {
    fn from(row: AttemptRow) -> EmailAttempt {
        EmailAttempt {
            fencing_token: row.fencing_token,
            worker: row.worker,
            outcome: row.outcome,
            smtp_code: row.smtp_code,
            reply: row.reply,
            server: row.server,
            started_at: row.started_at,
            duration_ms: row.duration_ms,
        }
    }
}

errors!(ListErrors: verified(), [ApiError::InsufficientPermissions], fields(), always());
errors!(ShowErrors: verified(), [ApiError::InsufficientPermissions, ApiError::EmailNotFound], fields(), always());
errors!(RetryErrors:
    verified(), [ApiError::InsufficientPermissions, ApiError::EmailNotFound, ApiError::EmailNotFailed], fields(), always());
errors!(CancelErrors:
    verified(), [ApiError::InsufficientPermissions, ApiError::EmailNotFound, ApiError::EmailNotQueued], fields(), always());

#[utoipa::path(
    get, path = "/api/v1/admin/emails", tag = "Administration", operation_id = "list_emails",
    summary = "All emails, newest first", description = "For administrators.",
    params(EmailQuery),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the list", body = EmailList), ListErrors)
)]
async fn list(
    State(state): State<AppState>,
    _admin: AdminUser,
    Query(query): Query<EmailQuery>,
) -> ApiResult<Json<EmailList>> {
    let (rows, more) = state.db.list_emails(&query.filter, query.limit).await?;
    Ok(Json(EmailList { emails: rows.into_iter().map(Email::from).collect(), more }))
}

#[utoipa::path(
    get, path = "/api/v1/admin/emails/{id}", tag = "Administration", operation_id = "show_email",
    summary = "An email, with all attempts to send it", description = "For administrators.",
    params(("id" = Uuid, Path, description = "The email's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The email", body = EmailWithHistory), ShowErrors)
)]
async fn show(
    State(state): State<AppState>,
    _admin: AdminUser,
    Uid(id): Uid,
) -> ApiResult<Json<EmailWithHistory>> {
    with_history(&state, id).await
}

#[utoipa::path(
    post, path = "/api/v1/admin/emails/{id}/retry", tag = "Administration", operation_id = "retry_email",
    summary = "Send a failed email again", description = "Queues it once more, with a new deadline. For administrators.",
    params(("id" = Uuid, Path, description = "The email's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The email, queued again", body = EmailWithHistory), RetryErrors)
)]
async fn retry(
    State(state): State<AppState>,
    AdminUser(session): AdminUser,
    Uid(id): Uid,
) -> ApiResult<Json<EmailWithHistory>> {
    retry_email(&state, id, &session.user, &session.actor()).await?;
    with_history(&state, id).await
}

#[utoipa::path(
    post, path = "/api/v1/admin/emails/{id}/cancel", tag = "Administration", operation_id = "cancel_email",
    summary = "Cancel an email that waits", description = "An email that a worker is sending cannot be cancelled. For administrators.",
    params(("id" = Uuid, Path, description = "The email's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The email, cancelled", body = EmailWithHistory), CancelErrors)
)]
async fn cancel(
    State(state): State<AppState>,
    AdminUser(session): AdminUser,
    Uid(id): Uid,
) -> ApiResult<Json<EmailWithHistory>> {
    cancel_email(&state, id, &session.user, &session.actor()).await?;
    with_history(&state, id).await
}

async fn with_history(state: &AppState, id: Uuid) -> ApiResult<Json<EmailWithHistory>> {
    let email = found(state, id).await?.into();
    let history = state.db.attempts_of(id).await?.into_iter().map(EmailAttempt::from).collect();
    let reports = state.db.reports_of(id).await?.into_iter().map(EmailReport::from).collect();
    Ok(Json(EmailWithHistory { email, history, reports }))
}

/// The email with this id.
pub(super) async fn found(state: &AppState, id: Uuid) -> ApiResult<EmailRow> {
    state.db.email(id).await?.ok_or(ApiError::EmailNotFound)
}

/// Queues a failed email once more, and enqueues its job.
pub(super) async fn retry_email(state: &AppState, id: Uuid, admin: &User, actor: &Actor) -> ApiResult<()> {
    let retried = state.db.retry_email_by(actor, id, state.now()).await?;
    if !done::<AdminUser, _>(state, actor, retried).await? {
        found(state, id).await?;
        return Err(ApiError::EmailNotFailed);
    }
    audit::email(admin, id, "email_retried");
    state.jobs.enqueue(id);
    Ok(())
}

/// Cancels an email that waits.
pub(super) async fn cancel_email(state: &AppState, id: Uuid, admin: &User, actor: &Actor) -> ApiResult<()> {
    let cancelled = state.db.cancel_email_by(actor, id, state.now()).await?;
    if !done::<AdminUser, _>(state, actor, cancelled).await? {
        let row = found(state, id).await?;
        // Cancelling it twice is not an error.
        if row.state != EmailState::Cancelled.as_str() {
            return Err(ApiError::EmailNotQueued);
        }
        return Ok(());
    }
    audit::email(admin, id, "email_cancelled");
    Ok(())
}

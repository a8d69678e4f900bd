//! `/api/v1/admin/emails`: where is her mail, try it again, do not send it.

use axum::Json as Answer;
use axum::extract::State;
use bookly_shared::db::emails::admin::EmailRow;
use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::domain::EmailState;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::filter::Wanted;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AdminUser, Query, Uid};
use crate::openapi::errors;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(retry))
        .routes(routes!(cancel))
}

/// A mail in the outbox. It holds no link and no token: those are made when it is sent, and kept nowhere.
#[derive(Debug, Serialize, ToSchema)]
struct Email {
    /// Grows with time; the Message-ID is made from it
    id: Uuid,
    #[schema(example = "verify_email")]
    kind: String,
    #[schema(example = "zoe@example.org")]
    recipient: String,
    /// `queued`, `sending`, `sent`, `failed` or `cancelled`
    #[schema(example = "sent")]
    state: String,
    /// Attempts that count
    attempts: i32,
    /// Workers that were lost while they had it
    lost_leases: i32,
    /// Answers of the mail server that were lost after it had the whole mail
    lost_answers: i32,
    /// When the next attempt is due, or the last one was
    due_at: DateTime<Utc>,
    /// When it is given up
    deadline_at: DateTime<Utc>,
    /// Who has, or had, it last
    worker: Option<String>,
    /// Why it is not sent
    #[schema(example = "RCPT TO: 450 4.2.1 mailbox busy")]
    last_error: Option<String>,
    /// The mail server's words to the mail that it took
    #[schema(example = "250 2.0.0 Ok: queued as 4F3A2")]
    reply: Option<String>,
    /// The request that asked for it
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

/// A mail with everything that was tried
#[derive(Debug, Serialize, ToSchema)]
struct EmailWithHistory {
    #[serde(flatten)]
    email: Email,
    /// Every attempt, the first one first
    history: Vec<Attempt>,
}

/// One attempt to send a mail
#[derive(Debug, Serialize, ToSchema)]
struct Attempt {
    /// The claim's number; it grows from attempt to attempt
    fencing_token: i64,
    worker: String,
    /// `sent`, `retried`, `failed`, `cancelled`, `lease_lost`, `worker_lost` or `database_away`
    #[schema(example = "retried")]
    outcome: String,
    /// The mail server's code, if it came to answer
    #[schema(example = 450)]
    smtp_code: Option<i32>,
    /// The server's words, or what went wrong
    reply: Option<String>,
    started_at: DateTime<Utc>,
    /// From the claim to the end; none when the worker was lost
    duration_ms: Option<i64>,
}

impl From<AttemptRow> for Attempt {
    fn from(row: AttemptRow) -> Attempt {
        Attempt {
            fencing_token: row.fencing_token,
            worker: row.worker,
            outcome: row.outcome,
            smtp_code: row.smtp_code,
            reply: row.reply,
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
    summary = "All mails, newest first", description = "For administrators.",
    params(Wanted),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the list", body = Vec<Email>), ListErrors)
)]
async fn list(
    State(state): State<AppState>,
    _admin: AdminUser,
    Query(wanted): Query<Wanted>,
) -> ApiResult<Answer<Vec<Email>>> {
    let rows = state.db.list_emails(&wanted.filter, wanted.limit).await?;
    Ok(Answer(rows.into_iter().map(Email::from).collect()))
}

#[utoipa::path(
    get, path = "/api/v1/admin/emails/{id}", tag = "Administration", operation_id = "show_email",
    summary = "A mail, with every attempt to send it", description = "For administrators.",
    params(("id" = Uuid, Path, description = "The mail's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The mail", body = EmailWithHistory), ShowErrors)
)]
async fn show(
    State(state): State<AppState>,
    _admin: AdminUser,
    Uid(id): Uid,
) -> ApiResult<Answer<EmailWithHistory>> {
    with_history(&state, id).await
}

#[utoipa::path(
    post, path = "/api/v1/admin/emails/{id}/retry", tag = "Administration", operation_id = "retry_email",
    summary = "Send a failed mail again", description = "Queues it once more, with a new deadline. For administrators.",
    params(("id" = Uuid, Path, description = "The mail's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The mail, queued again", body = EmailWithHistory), RetryErrors)
)]
async fn retry(
    State(state): State<AppState>,
    AdminUser(session): AdminUser,
    Uid(id): Uid,
) -> ApiResult<Answer<EmailWithHistory>> {
    retry_email(&state, id, session.user.uid).await?;
    with_history(&state, id).await
}

#[utoipa::path(
    post, path = "/api/v1/admin/emails/{id}/cancel", tag = "Administration", operation_id = "cancel_email",
    summary = "Do not send a mail that waits", description = "One that a worker has may be on its way already, and is left alone. For administrators.",
    params(("id" = Uuid, Path, description = "The mail's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The mail, cancelled", body = EmailWithHistory), CancelErrors)
)]
async fn cancel(
    State(state): State<AppState>,
    AdminUser(session): AdminUser,
    Uid(id): Uid,
) -> ApiResult<Answer<EmailWithHistory>> {
    cancel_email(&state, id, session.user.uid).await?;
    with_history(&state, id).await
}

async fn with_history(state: &AppState, id: Uuid) -> ApiResult<Answer<EmailWithHistory>> {
    let email = found(state, id).await?.into();
    let history = state.db.attempts_of(id).await?.into_iter().map(Attempt::from).collect();
    Ok(Answer(EmailWithHistory { email, history }))
}

/// The mail of this id.
pub(super) async fn found(state: &AppState, id: Uuid) -> ApiResult<EmailRow> {
    state.db.email(id).await?.ok_or(ApiError::EmailNotFound)
}

/// Queues a failed mail once more, and rings for it.
pub(super) async fn retry_email(state: &AppState, id: Uuid, admin: Uuid) -> ApiResult<()> {
    if !state.db.retry_email(id, state.now()).await? {
        found(state, id).await?;
        return Err(ApiError::EmailNotFailed);
    }
    tracing::info!(mail = %id, %admin, "a failed mail was queued again by an administrator");
    state.jobs.enqueue(id);
    Ok(())
}

/// Cancels a mail that waits.
pub(super) async fn cancel_email(state: &AppState, id: Uuid, admin: Uuid) -> ApiResult<()> {
    if !state.db.cancel_email(id, state.now()).await? {
        let row = found(state, id).await?;
        // Cancelled twice is cancelled.
        if row.state != EmailState::Cancelled.as_str() {
            return Err(ApiError::EmailNotQueued);
        }
        return Ok(());
    }
    tracing::info!(mail = %id, %admin, "a mail was cancelled by an administrator");
    Ok(())
}

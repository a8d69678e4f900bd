//! `POST /send_mail`: an administrator sends the welcome email.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bookly_shared::audit;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind};
use utoipa::ToSchema;
use utoipa::openapi::schema::Array;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::user::MessageResponse;
use crate::error::ApiResult;
use crate::extract::{AdminUser, Authorized, AuthorizedBytes, CurrentRequest, Fields, FromFields, done};
use crate::idempotency::{AnswerStorer, IdempotencyKeyHeader, once};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(once::<AuthorizedBytes<AdminUser>>(state, routes!(send)))
}

/// As many rows as one short transaction inserts.
const ADDRESSES: RangeInclusive<usize> = 1..=1_000;

/// The recipients.
#[derive(ToSchema)]
#[schema(as = Addresses)]
struct WelcomeRequest {
    #[schema(schema_with = addresses_schema)]
    addresses: Vec<EmailAddress>,
}

fn addresses_schema() -> Array {
    schemas::addresses(ADDRESSES)
}

impl FromFields for WelcomeRequest {
    fn from_fields(fields: &mut Fields) -> Option<WelcomeRequest> {
        let mut addresses = fields.list("addresses", ADDRESSES, EmailAddress::parse)?;
        // The first spelling of a mailbox stays.
        let mut mailboxes = HashSet::new();
        addresses.retain(|address| mailboxes.insert(address.canonical().to_owned()));
        Some(WelcomeRequest { addresses })
    }
}

errors!(SendMailErrors: body(), keyed(), verified(), [ApiError::InsufficientPermissions], always());

/// One message per address, so that no recipient sees the others. An address that is named again gets no second one.
#[utoipa::path(
    post, path = "/send_mail", tag = "Administration", operation_id = "send_welcome_mail",
    summary = "Send the welcome email",
    description = "Queues the welcome email, one message to each address, however often and in whatever spelling it is named. For administrators.",
    security(("access_token" = [])),
    params(IdempotencyKeyHeader),
    request_body = WelcomeRequest,
    responses((status = 200, description = "The emails are queued", body = MessageResponse), SendMailErrors)
)]
async fn send(
    State(state): State<AppState>,
    CurrentRequest(origin): CurrentRequest,
    storer: AnswerStorer,
    Authorized(AdminUser(session), WelcomeRequest { addresses }): Authorized<AdminUser, WelcomeRequest>,
) -> ApiResult<Json<MessageResponse>> {
    let now = state.now();
    let welcome = |address| NewEmail::new(EmailKind::Welcome, address, now).request_origin(origin.clone());
    let emails: Vec<NewEmail> = addresses.iter().map(welcome).collect();
    let actor = session.actor();
    let answer = MessageResponse { message: "Email sent successfully" };
    let store = storer.json(StatusCode::OK, &answer);
    let queued = state.db.insert_emails_by(&actor, &emails, store.as_ref(), now).await?;
    done::<AdminUser, _>(&state, &actor, queued).await?;
    audit::emails_queued(&session.user, emails.len(), "welcome_emails_queued");
    emails.iter().for_each(|email| state.jobs.enqueue(email.id));
    Ok(Json(answer))
}

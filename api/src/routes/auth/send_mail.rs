//! `POST /send_mail`: administrators greet people.

use std::ops::RangeInclusive;

use axum::Json as Answer;
use axum::extract::State;
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind};
use utoipa::ToSchema;
use utoipa::openapi::schema::Array;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::Message;
use crate::error::ApiResult;
use crate::extract::{AdminUser, CurrentRequest, Fields, FromFields, Json};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(send))
}

/// What one transaction queues without being noticed by others.
const ADDRESSES: RangeInclusive<usize> = 1..=1_000;

/// Who is greeted.
#[derive(ToSchema)]
struct Addresses {
    #[schema(schema_with = in_words)]
    addresses: Vec<EmailAddress>,
}

fn in_words() -> Array {
    schemas::addresses(ADDRESSES)
}

impl FromFields for Addresses {
    fn from_fields(fields: &mut Fields) -> Option<Addresses> {
        fields.list("addresses", ADDRESSES, EmailAddress::parse).map(|addresses| Addresses { addresses })
    }
}

errors!(SendErrors: body(), verified(), [ApiError::InsufficientPermissions], always());

/// One message per address: nobody sees who else is greeted.
#[utoipa::path(
    post, path = "/send_mail", tag = "Administration", operation_id = "send_welcome_mail",
    summary = "Greet people by mail",
    description = "Queues the welcome mail, one message to each address. For administrators.",
    security(("access_token" = [])),
    request_body = Addresses,
    responses((status = 200, description = "The mails are queued", body = Message), SendErrors)
)]
async fn send(
    State(state): State<AppState>,
    _admin: AdminUser,
    CurrentRequest(origin): CurrentRequest,
    Json(Addresses { addresses }): Json<Addresses>,
) -> ApiResult<Answer<Message>> {
    let now = state.now();
    let welcome = |address| NewEmail::new(EmailKind::Welcome, address, now).request_origin(origin.clone());
    let mails: Vec<NewEmail> = addresses.iter().map(welcome).collect();
    state.db.enqueue_emails(&mails).await?;
    mails.iter().for_each(|mail| state.jobs.enqueue(mail.id));
    Ok(Answer(Message { message: "Email sent successfully" }))
}

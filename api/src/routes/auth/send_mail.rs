//! `POST /send_mail`: administrators greet people.

use axum::extract::State;
use axum::routing::post;
use axum::{Json as Answer, Router};
use bookly_shared::db::outbox::NewMail;
use bookly_shared::domain::{EmailAddress, MailKind};

use super::account::Message;
use crate::error::ApiResult;
use crate::extract::{AdminUser, Fields, FromFields, Json, RequestId};
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/send_mail", post(send))
}

/// What one transaction queues without being noticed by others.
const MOST_ADDRESSES: usize = 1_000;

struct Addresses(Vec<EmailAddress>);

impl FromFields for Addresses {
    fn from_fields(fields: &mut Fields) -> Option<Addresses> {
        fields.list("addresses", 1..=MOST_ADDRESSES, EmailAddress::parse).map(Addresses)
    }
}

/// One message per address: nobody sees who else is greeted.
async fn send(
    State(state): State<AppState>,
    _admin: AdminUser,
    RequestId(id): RequestId,
    Json(Addresses(addresses)): Json<Addresses>,
) -> ApiResult<Answer<Message>> {
    let now = state.now();
    let welcome = |address| NewMail::new(MailKind::Welcome, address, now).asked_by(id.clone());
    let mails: Vec<NewMail> = addresses.iter().map(welcome).collect();
    state.db.queue_mails(&mails).await?;
    mails.iter().for_each(|mail| state.doorbell.ring(mail.id));
    Ok(Answer(Message { message: "Email sent successfully" }))
}

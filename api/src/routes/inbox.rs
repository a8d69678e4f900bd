//! `/inbox`: the mails that the file transport wrote, for whoever sits at this machine.

use std::path::PathBuf;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bookly_shared::config::MailTransport;
use bookly_shared::metrics::is_forwarded;
use bookly_worker::transport::{list_emails, read_mail};
use chrono::{DateTime, Utc};
use mail_parser::{Address, Message, MessageParser};
use uuid::Uuid;

use super::html;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Peer, Uid, is_loopback_host};
use crate::pages::{InboxEntry, Page, mail_headers};
use crate::state::AppState;

/// The newest mails that the list shows.
const SHOWN: usize = 200;

/// The routes.
pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/inbox", get(list))
        .route("/inbox/{id}", get(show))
        .route("/inbox/{id}/html", get(show_html))
        .route("/inbox/{id}/text", get(show_text))
        .route("/inbox/{id}/source", get(show_source))
}

/// The folder of the mails, for clients on this machine; for others there is no inbox. A loopback `Host`
/// keeps out pages of other sites whose names resolve to this machine (DNS rebinding), and a forwarding
/// header is a proxy's, whose clients may be anywhere.
struct Mails(PathBuf);

impl FromRequestParts<AppState> for Mails {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let settings = &state.settings;
        let to_files = matches!(settings.mail.transport, MailTransport::File);
        let Peer(peer) = Peer::of(&parts.extensions);
        if to_files && peer.is_loopback() && names_this_machine(&parts.headers) {
            Ok(Mails(settings.data_dir.join("mail")))
        } else {
            Err(ApiError::NotFound)
        }
    }
}

/// A mail's id in the path. What is no id is no mail's either.
struct MailId(Uuid);

impl FromRequestParts<AppState> for MailId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let id = Uid::from_request_parts(parts, state).await;
        id.map(|Uid(id)| MailId(id)).map_err(|_| ApiError::NotFound)
    }
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    host.is_some_and(is_loopback_host) && !is_forwarded(headers)
}

/// What the pages show of a mail.
struct Shown {
    id: String,
    subject: String,
    sender: String,
    to: String,
    time: DateTime<Utc>,
}

async fn list(State(state): State<AppState>, Mails(folder): Mails) -> ApiResult<Response> {
    let mut shown = Vec::new();
    for id in list_emails(&folder, SHOWN).await.map_err(ApiError::server)? {
        // A mail may go away, or be somebody's own file, between the two looks.
        if let Some(bytes) = read_mail(&folder, id).await.map_err(ApiError::server)?
            && let Some(mail) = MessageParser::default().parse_headers(&bytes)
        {
            shown.push(look(id, &mail));
        }
    }
    let mails: Vec<InboxEntry<'_>> = shown
        .iter()
        .map(|mail| InboxEntry { id: &mail.id, to: &mail.to, subject: &mail.subject, time: mail.time })
        .collect();
    let page = Page::Inbox { mails: &mails, base_url: state.settings.public_url.as_str() };
    Ok(html::page(&state, StatusCode::OK, &page))
}

async fn show(
    State(state): State<AppState>,
    Mails(folder): Mails,
    MailId(id): MailId,
) -> ApiResult<Response> {
    let bytes = bytes(&folder, id).await?;
    let mail = parse(&bytes)?;
    let shown = look(id, &mail);
    let page = Page::InboxMail {
        id: &shown.id,
        subject: &shown.subject,
        sender: &shown.sender,
        to: &shown.to,
        time: shown.time,
        text: &mail.body_text(0).unwrap_or_default(),
    };
    Ok(html::page(&state, StatusCode::OK, &page))
}

async fn show_html(Mails(folder): Mails, MailId(id): MailId) -> ApiResult<Response> {
    let bytes = bytes(&folder, id).await?;
    let mail = parse(&bytes)?;
    let html = mail.body_html(0).ok_or(ApiError::NotFound)?;
    Ok((mail_headers(), Html(html.into_owned())).into_response())
}

async fn show_text(Mails(folder): Mails, MailId(id): MailId) -> ApiResult<Response> {
    let bytes = bytes(&folder, id).await?;
    let mail = parse(&bytes)?;
    Ok(mail.body_text(0).ok_or(ApiError::NotFound)?.into_owned().into_response())
}

async fn show_source(Mails(folder): Mails, MailId(id): MailId) -> ApiResult<Response> {
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((plain, bytes(&folder, id).await?).into_response())
}

async fn bytes(folder: &std::path::Path, id: Uuid) -> ApiResult<Vec<u8>> {
    read_mail(folder, id).await.map_err(ApiError::server)?.ok_or(ApiError::NotFound)
}

fn parse(bytes: &[u8]) -> ApiResult<Message<'_>> {
    MessageParser::default().parse(bytes).ok_or(ApiError::NotFound)
}

fn look(id: Uuid, mail: &Message<'_>) -> Shown {
    let seconds = mail.date().map_or(0, mail_parser::DateTime::to_timestamp);
    Shown {
        id: id.to_string(),
        subject: mail.subject().unwrap_or("(no subject)").to_owned(),
        sender: address(mail.from()),
        to: address(mail.to()),
        time: DateTime::from_timestamp(seconds, 0).unwrap_or_default(),
    }
}

fn address(addresses: Option<&Address<'_>>) -> String {
    let first = addresses.and_then(Address::first);
    first.and_then(|first| first.address()).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;

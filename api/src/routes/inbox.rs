//! `/inbox`: the emails that the file transport wrote, for people at this machine.

use std::path::PathBuf;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use bookly_shared::metrics::is_from_this_machine;
use bookly_worker::transport::{list_emails, read_mail};
use chrono::{DateTime, Utc};
use mail_parser::{Address, Message, MessageParser};
use uuid::Uuid;

use super::html;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Peer, Uid};
use crate::pages::{InboxEntry, Page};
use crate::state::AppState;

/// How many emails the list shows, newest first.
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

/// The folder of the emails, for clients on this machine. Others get 404.
struct InboxFolder(PathBuf);

impl FromRequestParts<AppState> for InboxFolder {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let settings = &state.settings;
        let Peer(peer) = Peer::of(&parts.extensions);
        if settings.has_inbox() && is_from_this_machine(peer, &parts.headers, settings) {
            Ok(InboxFolder(settings.data_dir.join("mail")))
        } else {
            Err(ApiError::NotFound)
        }
    }
}

/// An email's id in the path. A text that is not an id names no email.
struct EmailId(Uuid);

impl FromRequestParts<AppState> for EmailId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let id = Uid::from_request_parts(parts, state).await;
        id.map(|Uid(id)| EmailId(id)).map_err(|_| ApiError::NotFound)
    }
}

/// What the pages show of an email.
struct Summary {
    id: String,
    subject: String,
    sender: String,
    to: String,
    time: DateTime<Utc>,
}

async fn list(State(state): State<AppState>, InboxFolder(folder): InboxFolder) -> ApiResult<Response> {
    let mut shown = Vec::new();
    for id in list_emails(&folder, SHOWN).await.map_err(ApiError::server)? {
        // A file may be deleted, or may not be an email.
        if let Some(bytes) = read_mail(&folder, id).await.map_err(ApiError::server)?
            && let Some(mail) = MessageParser::default().parse_headers(&bytes)
        {
            shown.push(summary(id, &mail));
        }
    }
    let emails: Vec<InboxEntry<'_>> = shown
        .iter()
        .map(|mail| InboxEntry { id: &mail.id, to: &mail.to, subject: &mail.subject, time: mail.time })
        .collect();
    let page = Page::Inbox { emails: &emails, base_url: state.settings.public_url.as_str() };
    Ok(html::english_page(&state, StatusCode::OK, &page))
}

async fn show(
    State(state): State<AppState>,
    InboxFolder(folder): InboxFolder,
    EmailId(id): EmailId,
) -> ApiResult<Response> {
    let bytes = bytes(&folder, id).await?;
    let mail = parse(&bytes)?;
    let shown = summary(id, &mail);
    let page = Page::InboxEmail {
        id: &shown.id,
        subject: &shown.subject,
        sender: &shown.sender,
        to: &shown.to,
        time: shown.time,
        text: &mail.body_text(0).unwrap_or_default(),
    };
    Ok(html::english_page(&state, StatusCode::OK, &page))
}

async fn show_html(
    State(state): State<AppState>,
    InboxFolder(folder): InboxFolder,
    EmailId(id): EmailId,
) -> ApiResult<Response> {
    let bytes = bytes(&folder, id).await?;
    let mail = parse(&bytes)?;
    let html = mail.body_html(0).ok_or(ApiError::NotFound)?;
    Ok((state.pages.email_headers(), Html(html.into_owned())).into_response())
}

async fn show_text(InboxFolder(folder): InboxFolder, EmailId(id): EmailId) -> ApiResult<Response> {
    let bytes = bytes(&folder, id).await?;
    let mail = parse(&bytes)?;
    Ok(mail.body_text(0).ok_or(ApiError::NotFound)?.into_owned().into_response())
}

async fn show_source(InboxFolder(folder): InboxFolder, EmailId(id): EmailId) -> ApiResult<Response> {
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((plain, bytes(&folder, id).await?).into_response())
}

async fn bytes(folder: &std::path::Path, id: Uuid) -> ApiResult<Vec<u8>> {
    read_mail(folder, id).await.map_err(ApiError::server)?.ok_or(ApiError::NotFound)
}

fn parse(bytes: &[u8]) -> ApiResult<Message<'_>> {
    MessageParser::default().parse(bytes).ok_or(ApiError::NotFound)
}

fn summary(id: Uuid, mail: &Message<'_>) -> Summary {
    let seconds = mail.date().map_or(0, mail_parser::DateTime::to_timestamp);
    Summary {
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

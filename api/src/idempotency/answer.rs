//! Answers as they are stored.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bookly_shared::db::idempotency::{AnswerToStore, KeyReservation, StoredAnswer};
use serde::Serialize;

/// Makes the answer that a handler gives the database to store; nothing where the request has no key.
#[derive(Clone, Debug)]
pub(crate) struct AnswerStorer(Option<KeyReservation>);

impl<S: Sync> FromRequestParts<S> for AnswerStorer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(AnswerStorer(parts.extensions.get().cloned()))
    }
}

impl AnswerStorer {
    /// Whether the request has a key.
    pub(crate) fn has_key(&self) -> bool {
        self.0.is_some()
    }

    /// The answer that is sent as `(status, Json(body))`.
    pub(crate) fn json(&self, status: StatusCode, body: &impl Serialize) -> Option<AnswerToStore> {
        let reservation = self.0.clone()?;
        let headers = Json(()).into_response().headers().clone();
        let body = serde_json::to_string(body).ok()?;
        Some(AnswerToStore { reservation, answer: stored(status, &headers, body) })
    }

    /// Any answer, and what is stored of it.
    pub(crate) async fn response(&self, response: Response) -> (Response, Option<AnswerToStore>) {
        let Some(reservation) = self.0.clone() else { return (response, None) };
        let (response, answer) = read(response).await;
        (response, answer.map(|answer| AnswerToStore { reservation, answer }))
    }
}

/// Whether an answer is stored. The others depend on more than the request, and may be another one a moment later.
pub(super) fn is_stored(status: StatusCode) -> bool {
    let depends =
        [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&status);
    !depends && !status.is_server_error()
}

/// Reads an answer. `None` where its body is not a text.
pub(super) async fn read(response: Response) -> (Response, Option<StoredAnswer>) {
    let (parts, body) = response.into_parts();
    // Handlers answer from memory, so this neither waits nor fails.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let text = String::from_utf8(bytes.to_vec()).ok();
    let answer = text.map(|text| stored(parts.status, &parts.headers, text));
    (Response::from_parts(parts, Body::from(bytes)), answer)
}

fn stored(status: StatusCode, headers: &HeaderMap, body: String) -> StoredAnswer {
    let named = headers.iter().filter(|(name, _)| *name != header::CONTENT_LENGTH);
    let texts =
        named.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    StoredAnswer { status: status.as_u16(), headers: texts.collect(), body }
}

/// A stored answer as it was sent first.
pub(super) fn again(answer: StoredAnswer) -> Response {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

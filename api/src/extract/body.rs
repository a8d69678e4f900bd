//! Bodies: JSON, or JSON and the encoding of HTML forms.

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use percent_encoding::percent_decode;

use super::encoding::Encoding;
use super::fields::{Fields, FromFields};
use super::same_origin::SameOrigin;
use crate::error::ApiError;
use crate::layers::MAX_BODY_BYTES;
use crate::state::AppState;

/// A JSON body. Errors: 400 for bad syntax, 413, 415, 422 with every field that is wrong.
#[derive(Debug)]
pub struct Json<T>(pub T);

/// A JSON body or a form's, which must be UTF-8; and which it was, since forms are answered with pages.
///
/// A form must come from a page of this service, or it is answered with 403 `insufficient_permissions`:
/// another site's page can make a browser post a form, but not JSON.
#[derive(Debug)]
pub struct JsonOrForm<T> {
    /// What was sent.
    pub body: T,
    /// How.
    pub encoding: Encoding,
}

impl<T: FromFields> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        if Encoding::of(request.headers())? != Encoding::Json {
            return Err(ApiError::UnsupportedMediaType);
        }
        read_json(&bytes(request, state).await?).map(Json)
    }
}

impl<T: FromFields> FromRequest<AppState> for JsonOrForm<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let encoding = Encoding::of(request.headers())?;
        let (mut parts, body) = request.into_parts();
        if encoding == Encoding::Form {
            SameOrigin::from_request_parts(&mut parts, state).await?;
        }
        let bytes = bytes(Request::from_parts(parts, body), state).await?;
        let body = match encoding {
            Encoding::Json => read_json(&bytes)?,
            Encoding::Form => read_form(&bytes)?,
        };
        Ok(JsonOrForm { body, encoding })
    }
}

fn read_json<T: FromFields>(bytes: &[u8]) -> Result<T, ApiError> {
    // serde_json's syntax errors say what was expected and where, and quote nothing of the body.
    let value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::MalformedBody(format!("The body is not valid JSON: {error}")))?;
    Fields::read_json(value)
}

/// What is not UTF-8 would be read as replacement characters, and two different passwords as one.
fn read_form<T: FromFields>(bytes: &[u8]) -> Result<T, ApiError> {
    if percent_decode(bytes).decode_utf8().is_err() {
        return Err(ApiError::MalformedBody("The form is not UTF-8".into()));
    }
    Fields::read_pairs(form_urlencoded::parse(bytes).into_owned())
}

async fn bytes(request: Request, state: &AppState) -> Result<Bytes, ApiError> {
    // Answered before it is read: a client that expects a 100 (RFC 9110 §10.1.1) then need not send it.
    if request.body().size_hint().lower() > MAX_BODY_BYTES as u64 {
        return Err(ApiError::BodyTooLarge);
    }
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => ApiError::BodyTooLarge,
        _ => ApiError::MalformedBody("The body ended early".into()),
    })
}

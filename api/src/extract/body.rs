//! Request bodies: JSON, or JSON and HTML forms.

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request};
use percent_encoding::percent_decode;
use uuid::Uuid;

use super::bearer::{Admission, access_claims, find_session};
use super::encoding::Encoding;
use super::fields::{Fields, FromFields};
use super::same_origin::SameOrigin;
use crate::error::ApiError;
use crate::serve::MAX_BODY_BYTES;
use crate::state::AppState;

/// A JSON body that is read and not judged yet. Errors: 413, 415.
#[derive(Debug)]
pub(crate) struct JsonBytes(pub(crate) Bytes);

/// A session and a JSON body that is not judged yet.
#[derive(Debug)]
pub(crate) struct AuthorizedBytes<A> {
    admitted: A,
    /// The account of the session.
    pub(crate) user_uid: Uuid,
    pub(crate) bytes: Bytes,
}

/// A JSON body or a form that is not judged yet.
#[derive(Debug)]
pub(crate) struct EncodedBytes {
    encoding: Encoding,
    pub(crate) bytes: Bytes,
}

/// A JSON body. Errors: 400 for invalid syntax, 413, 415, 422 with every invalid field.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// A JSON body or a form in UTF-8, and which of the two it is, since forms are answered with pages.
///
/// A form must come from a page of this service; others get 403 `insufficient_permissions`. A page of another site
/// can make a browser post a form, but not JSON.
#[derive(Debug)]
pub struct JsonOrForm<T> {
    /// The parsed body.
    pub body: T,
    /// The encoding of the body.
    pub encoding: Encoding,
}

impl FromRequest<AppState> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        json_bytes(request, state).await.map(JsonBytes)
    }
}

impl<T: FromFields> FromRequest<AppState> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let JsonBytes(bytes) = JsonBytes::from_request(request, state).await?;
        parse_json(&bytes).map(JsonBody)
    }
}

/// A session and a JSON body: `Authorized(VerifiedUser(session), body)`.
///
/// A client may send its headers long before its body, and meanwhile a reset can end the session. So the signature of
/// the token is checked first, then the body is read, and only then the session is looked up. 401 and 403 come before
/// the body's 400 and 422; 413 and 415 come before the look-up.
#[derive(Debug)]
pub struct Authorized<A, T>(pub A, pub T);

impl<A: Admission> FromRequest<AppState> for AuthorizedBytes<A> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let claims = access_claims(request.headers(), state)?;
        let bytes = json_bytes(request, state).await?;
        let session = find_session(&claims, state).await?;
        Ok(AuthorizedBytes { user_uid: session.user.uid, admitted: A::admit(session)?, bytes })
    }
}

impl<A: Admission, T: FromFields> FromRequest<AppState> for Authorized<A, T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let AuthorizedBytes { admitted, bytes, .. } = AuthorizedBytes::from_request(request, state).await?;
        Ok(Authorized(admitted, parse_json(&bytes)?))
    }
}

impl FromRequest<AppState> for EncodedBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let encoding = Encoding::of(request.headers())?;
        let (mut parts, body) = request.into_parts();
        if encoding == Encoding::Form {
            SameOrigin::from_request_parts(&mut parts, state).await?;
        }
        let bytes = bytes(Request::from_parts(parts, body), state).await?;
        Ok(EncodedBytes { encoding, bytes })
    }
}

impl<T: FromFields> FromRequest<AppState> for JsonOrForm<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let EncodedBytes { encoding, bytes } = EncodedBytes::from_request(request, state).await?;
        let body = match encoding {
            Encoding::Json => parse_json(&bytes)?,
            Encoding::Form => read_form(&bytes)?,
        };
        Ok(JsonOrForm { body, encoding })
    }
}

/// RFC 8259 §8.1 lets a reader ignore a byte order mark; Python's `json`, and so FastAPI, does.
const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

async fn json_bytes(request: Request, state: &AppState) -> Result<Bytes, ApiError> {
    if Encoding::of(request.headers())? != Encoding::Json {
        return Err(ApiError::UnsupportedMediaType);
    }
    bytes(request, state).await
}

fn parse_json<T: FromFields>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = bytes.strip_prefix(UTF8_BYTE_ORDER_MARK).unwrap_or(bytes);
    // serde_json's messages name the position and quote nothing of the body.
    let value = serde_json::from_slice(bytes)
        .map_err(|error| ApiError::MalformedBody(format!("The body is not valid JSON: {error}")))?;
    Fields::read_json(value)
}

/// A form that is not UTF-8 would be decoded with replacement characters, so that two passwords could become equal.
fn read_form<T: FromFields>(bytes: &[u8]) -> Result<T, ApiError> {
    if percent_decode(bytes).decode_utf8().is_err() {
        return Err(ApiError::MalformedBody("The form is not UTF-8".into()));
    }
    Fields::read_pairs(form_urlencoded::parse(bytes).into_owned())
}

async fn bytes(request: Request, state: &AppState) -> Result<Bytes, ApiError> {
    bytes_within(request, state, MAX_BODY_BYTES).await
}

/// A body of any kind. A limit beyond [`MAX_BODY_BYTES`] needs a `DefaultBodyLimit` of its route.
pub(crate) async fn bytes_within(
    request: Request,
    state: &AppState,
    limit: usize,
) -> Result<Bytes, ApiError> {
    // The answer comes before the body is read, so a client that waits for a 100 (RFC 9110 §10.1.1) never sends it.
    if request.body().size_hint().lower() > limit as u64 {
        return Err(ApiError::BodyTooLarge);
    }
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => ApiError::BodyTooLarge,
        _ => ApiError::MalformedBody("The body ended early".into()),
    })
}

//! The one body that errors have, and the headers that go with some.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name as the client sent it.
    pub field: String,
    /// A sentence that continues the name: "must not be empty".
    pub message: String,
}

impl FieldError {
    /// Something wrong with a field.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), message: message.into() }
    }
}

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody<'a> {
    /// What people read.
    message: &'a str,
    /// What programs tell errors apart by.
    error_code: &'a str,
    /// What would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<&'a str>,
    /// All fields that are wrong, with `validation_error`.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// FastAPI's name for `message`, which old clients read.
    detail: &'a str,
}

impl ApiError {
    /// What people are told: the table's text, or for a body that cannot be read, why.
    pub fn message(&self) -> &str {
        match self {
            ApiError::MalformedBody(why) => why,
            _ => self.row().message,
        }
    }

    /// What is sent.
    pub(crate) fn body(&self) -> ErrorBody<'_> {
        let (row, message) = (self.row(), self.message());
        let errors: &[FieldError] = match self {
            ApiError::Validation(errors) => errors,
            _ => &[],
        };
        ErrorBody { message, error_code: row.code, resolution: row.resolution, errors, detail: message }
    }

    /// The headers that go with an error, however its body is written.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.row().status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if matches!(self, ApiError::BodyTooLarge | ApiError::RequestTimeout) {
            // The rest of the request is not read: a client must not send its next one after it (RFC 9112 §9.6).
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.row().status, Json(self.body())).into_response();
        response.headers_mut().extend(self.headers());
        // For the log.
        response.extensions_mut().insert(self.clone());
        response
    }
}

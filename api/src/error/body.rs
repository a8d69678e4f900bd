//! The body of all errors, and the headers of some.

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::field::FieldError;

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
pub(crate) struct ErrorBody<'a> {
    /// The text, for people.
    message: &'a str,
    /// The name of the error, for programs.
    error_code: &'a str,
    /// What the client can do.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<&'a str>,
    /// All wrong fields, with `validation_error`.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// FastAPI's name for `message`, which older clients read.
    detail: &'a str,
}

impl ApiError {
    /// The text for people: the table's, or the reason why a body cannot be read.
    pub fn message(&self) -> &str {
        match self {
            ApiError::MalformedBody(why) => why,
            _ => self.row().message,
        }
    }

    /// The body.
    pub(crate) fn body(&self) -> ErrorBody<'_> {
        let (row, message) = (self.row(), self.message());
        let errors: &[FieldError] = match self {
            ApiError::Validation(errors) => errors,
            _ => &[],
        };
        ErrorBody { message, error_code: row.code, resolution: row.resolution, errors, detail: message }
    }

    /// The headers of the error, for JSON and for pages.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.row().status == StatusCode::UNAUTHORIZED {
            let scheme = match self {
                ApiError::InvalidBasicAuth => "Basic realm=\"reports\"",
                // No registered scheme: each provider signs in its own way.
                ApiError::InvalidSignature => "Signature",
                _ => "Bearer",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if matches!(self, ApiError::BodyTooLarge | ApiError::RequestTimeout) {
            // The rest of the request is not read, so the connection cannot carry another one (RFC 9112 §9.6).
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.row().status, Json(self.body())).into_response();
        response.headers_mut().extend(self.headers());
        // For the log line of the request.
        response.extensions_mut().insert(self.clone());
        response
    }
}

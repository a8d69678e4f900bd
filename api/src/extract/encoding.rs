//! The encoding of a body, by its content type.

use axum::http::{HeaderMap, header};
use mime::Mime;

use crate::error::ApiError;

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// `application/json`, any `+json`, or no content type (as in FastAPI).
    Json,
    /// `application/x-www-form-urlencoded`, which browsers send when a button is pressed.
    Form,
}

impl Encoding {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Encoding, ApiError> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Encoding::Json) };
        let mime: Option<Mime> = value.to_str().ok().and_then(|text| text.parse().ok());
        let mime = mime.ok_or(ApiError::UnsupportedMediaType)?;
        match (mime.type_().as_str(), mime.subtype().as_str()) {
            ("application", "x-www-form-urlencoded") => Ok(Encoding::Form),
            ("application", "json") => Ok(Encoding::Json),
            ("application", _) if mime.suffix().is_some_and(|suffix| suffix == "json") => Ok(Encoding::Json),
            _ => Err(ApiError::UnsupportedMediaType),
        }
    }
}

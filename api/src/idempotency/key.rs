//! The header `Idempotency-Key`.

use std::ops::RangeInclusive;

use axum::http::{HeaderMap, HeaderName};
use utoipa::IntoParams;

use crate::error::ApiError;

/// The name of the header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The bytes of a key.
const LENGTHS: RangeInclusive<usize> = 1..=255;

/// The header in the OpenAPI document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its description is used")]
pub(crate) struct IdempotencyKeyHeader {
    /// A new UUID for each request, and the same one where it is sent again: within 24 hours the same key and body get the
    /// first answer, and nothing more is changed or sent. Answers with 401, 403, 429 and 5xx are not stored.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, min_length = 1, max_length = 255,
        pattern = "^[!-~]+$", example = "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    idempotency_key: Option<String>,
}

/// The key of a request that has the header. It is not interpreted: with and without quotes it is two keys.
///
/// # Errors
/// 400 for a key of another length or with other characters than visible ASCII, and for two headers.
pub(super) fn key_of(headers: &HeaderMap) -> Result<String, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(only), None) = (values.next(), values.next()) else {
        return Err(ApiError::InvalidIdempotencyKey);
    };
    let is_key = LENGTHS.contains(&only.len()) && only.as_bytes().iter().all(u8::is_ascii_graphic);
    let key = only.to_str().ok().filter(|_| is_key);
    key.map(str::to_owned).ok_or(ApiError::InvalidIdempotencyKey)
}

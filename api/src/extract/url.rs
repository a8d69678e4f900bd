//! An id in the path, fields in the query. Invalid ones are 422, as in FastAPI.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use uuid::Uuid;

use super::fields::{Fields, FromFields};
use crate::error::ApiError;

/// The route's first path parameter, a UUID.
#[derive(Debug, Clone, Copy)]
pub struct Uid(pub Uuid);

/// The fields of the query.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync> FromRequestParts<S> for Uid {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        // axum refuses escapes that are not UTF-8; they are no UUID either.
        let params = params.map_err(|_| ApiError::field("uid", "must be a UUID"))?;
        let (name, text) = params.iter().next().unwrap_or(("uid", ""));
        text.parse().map(Uid).map_err(|_| ApiError::field(name, "must be a UUID"))
    }
}

impl<S: Sync, T: FromFields> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let query = parts.uri.query().unwrap_or_default();
        Fields::read_pairs(form_urlencoded::parse(query.as_bytes()).into_owned()).map(Query)
    }
}

//! The errors of an operation, made from the table of errors.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};

use super::schemas;
use crate::error::body::ErrorBody;
use crate::error::{ApiError, FieldError};

/// Names the errors of an operation, for the `responses` of its `utoipa::path`: lists of [`ApiError`]. The functions below
/// make common lists. With `html`, browsers get the errors as pages.
macro_rules! errors {
    ($name:ident: $($errors:expr),+) => { $crate::openapi::errors!(@ $name, false, $($errors),+); };
    (html $name:ident: $($errors:expr),+) => { $crate::openapi::errors!(@ $name, true, $($errors),+); };
    (@ $name:ident, $html:literal, $($errors:expr),+) => {
        enum $name {}
        impl utoipa::IntoResponses for $name {
            fn responses() -> $crate::openapi::errors::Responses {
                #[allow(unused_imports, reason = "some operations have only common errors")]
                use $crate::{error::ApiError, openapi::errors::*};
                answers([$(Vec::from($errors)),+].concat(), $html)
            }
        }
    };
}
pub(crate) use errors;

/// Responses by status.
pub(crate) type Responses = BTreeMap<String, RefOr<Response>>;

/// Errors of every request.
pub(crate) fn always() -> Vec<ApiError> {
    vec![ApiError::RequestTimeout, ApiError::Server, ApiError::Unavailable(None)]
}

/// For routes with a limit per client address.
pub(crate) fn limited() -> Vec<ApiError> {
    vec![ApiError::TooManyRequests(30)]
}

/// For requests with a body.
pub(crate) fn body() -> Vec<ApiError> {
    let syntax = "The body is not valid JSON: expected value at line 1 column 1";
    [
        vec![ApiError::MalformedBody(syntax.into()), ApiError::BodyTooLarge, ApiError::UnsupportedMediaType],
        fields(),
    ]
    .concat()
}

/// For requests with fields, in the body or in the URL.
pub(crate) fn fields() -> Vec<ApiError> {
    vec![ApiError::Validation(vec![FieldError::new("the_field", "must not be empty")])]
}

/// For requests that may have an `Idempotency-Key`.
pub(crate) fn keyed() -> Vec<ApiError> {
    vec![ApiError::InvalidIdempotencyKey, ApiError::RequestInProgress, ApiError::IdempotencyKeyReused]
}

/// For URLs with the token of a link.
pub(crate) fn link() -> Vec<ApiError> {
    vec![ApiError::LinkExpired, ApiError::LinkInvalid, ApiError::UserNotFound]
}

/// For requests with an access token.
pub(crate) fn access() -> Vec<ApiError> {
    use ApiError as E;
    vec![E::NotAuthenticated, E::InvalidToken, E::TokenRevoked, E::AccessTokenRequired, E::UserNotFound]
}

/// For requests of verified accounts.
pub(crate) fn verified() -> Vec<ApiError> {
    [access(), vec![ApiError::AccountNotVerified]].concat()
}

/// For requests with a refresh token.
pub(crate) fn refresh() -> Vec<ApiError> {
    use ApiError as E;
    vec![E::NotAuthenticated, E::InvalidToken, E::TokenRevoked, E::RefreshTokenRequired, E::UserNotFound]
}

/// One response for each status, with all errors of that status.
pub(crate) fn answers(errors: Vec<ApiError>, html: bool) -> Responses {
    let mut by_status: BTreeMap<StatusCode, Vec<ApiError>> = BTreeMap::new();
    for error in errors {
        by_status.entry(error.row().status).or_default().push(error);
    }
    let answer = |(status, errors): (StatusCode, Vec<ApiError>)| {
        (status.as_u16().to_string(), RefOr::T(answer(&errors, html)))
    };
    by_status.into_iter().map(answer).collect()
}

fn answer(errors: &[ApiError], html: bool) -> Response {
    let lines: Vec<String> = errors.iter().map(description).collect();
    let mut answer = ResponseBuilder::new().description(lines.join("\n\n"));
    answer = answer.content("application/json", content(errors));
    if html {
        answer = answer.content("text/html", schemas::page());
    }
    for name in errors.iter().flat_map(|error| error.headers().keys().cloned().collect::<Vec<_>>()) {
        let text = schemas::header_description(name.as_str());
        let header =
            HeaderBuilder::new().schema(Some(schemas::header(name.as_str()))).description(Some(text));
        answer = answer.header(name.as_str(), header.build());
    }
    answer.build()
}

fn description(error: &ApiError) -> String {
    let row = error.row();
    let resolution = row.resolution.map(|text| format!(" {text}.")).unwrap_or_default();
    format!("`{}`: {}.{resolution}", row.code, row.message)
}

/// The body of all errors, limited to these codes.
fn content(errors: &[ApiError]) -> utoipa::openapi::Content {
    let mut codes: Vec<&str> = errors.iter().map(|error| error.row().code).collect();
    // Errors with different words can share a code.
    codes.dedup();
    let code = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes));
    let schema = AllOfBuilder::new()
        .item(Ref::from_schema_name(ErrorBody::name()))
        .item(ObjectBuilder::new().property("error_code", code));
    let examples = errors.iter().map(|error| {
        let body: Option<Value> = serde_json::to_value(error.body()).ok();
        (error.row().code, ExampleBuilder::new().value(body).build())
    });
    ContentBuilder::new().schema(Some(Schema::AllOf(schema.build()))).examples_from_iter(examples).build()
}

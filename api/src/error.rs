//! The errors of requests: one enum, one table of statuses and texts, one body.

pub(crate) mod body;
mod field;

use axum::http::StatusCode;
use bookly_shared::db::{DatabaseLimit, DbError};
use bookly_shared::links::LinkTokenError;

use crate::hasher::HashError;
use crate::jwt::JwtError;

pub use field::FieldError;

/// A handler's result.
pub type ApiResult<T> = Result<T, ApiError>;

/// Seconds after which a client of an unavailable service should try again.
const UNAVAILABLE_RETRY_SECONDS: u64 = 5;

/// Why a request failed. The contract's table is [`ApiError::row`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below explains each")]
pub enum ApiError {
    LinkExpired,
    LinkInvalid,
    /// A wrong, used or expired code, or an address without an account. The error does not say which.
    CodeInvalid,
    PasswordsDoNotMatch,
    InvalidEmailOrPassword,
    /// The body's syntax is wrong in this way.
    MalformedBody(String),
    NotAuthenticated,
    InvalidToken,
    TokenRevoked,
    AccessTokenRequired,
    RefreshTokenRequired,
    /// The signature of a provider's call is wrong, or its time is over.
    InvalidSignature,
    /// The user or the password of a provider's call is wrong or missing.
    InvalidBasicAuth,
    AccountNotVerified,
    InsufficientPermissions,
    UserExists,
    UserNotFound,
    BookNotFound,
    EmailNotFound,
    NotFound,
    /// Only suppressions that the recipient asked for are left, and no reason was named.
    OnlyOwnWish,
    MethodNotAllowed,
    /// `GET` of a verification link by a program, where only `POST` verifies.
    PostOnly,
    /// The account was verified, or not made by sign-up.
    AlreadyVerified,
    /// Only failed emails can be sent again.
    EmailNotFailed,
    /// Only emails that wait can be cancelled.
    EmailNotQueued,
    /// A malformed `Idempotency-Key`, or two.
    InvalidIdempotencyKey,
    /// The first request with this `Idempotency-Key` has no answer yet.
    RequestInProgress,
    /// The first request with this `Idempotency-Key` had another body.
    IdempotencyKeyReused,
    /// The client took too long with its request.
    RequestTimeout,
    BodyTooLarge,
    UnsupportedMediaType,
    /// These fields are wrong.
    Validation(Vec<FieldError>),
    /// Too many requests; the next one is possible after so many seconds.
    TooManyRequests(u64),
    /// Logged where it happened. The client gets no details.
    Server,
    /// A database that does not answer, or too many requests at once: the limit that was met, in words for clients.
    Unavailable(Option<&'static str>),
}

/// A row of the contract's table.
#[derive(Debug, Clone, Copy)]
pub struct ErrorRow {
    /// The status of the answer.
    pub status: StatusCode,
    /// The name of the error, for programs.
    pub code: &'static str,
    /// The text, for people.
    pub message: &'static str,
    /// What the client can do.
    pub resolution: Option<&'static str>,
}

impl ApiError {
    /// The contract's table. An empty resolution is none.
    #[rustfmt::skip]
    pub fn row(&self) -> ErrorRow {
        use ApiError as E;
        use StatusCode as S;
        let (status, code, message, resolution) = match self {
            E::LinkExpired => (S::BAD_REQUEST, "token_expired", "Token has expired", "Please request a new link"),
            E::LinkInvalid => (S::BAD_REQUEST, "invalid_token", "Invalid token", ""),
            E::CodeInvalid => (S::BAD_REQUEST, "invalid_code", "Invalid or expired code", "Please request a new one"),
            E::PasswordsDoNotMatch => (S::BAD_REQUEST, "passwords_do_not_match", "Passwords do not match", ""),
            E::InvalidEmailOrPassword => (S::BAD_REQUEST, "invalid_email_or_password", "Invalid Email Or Password", ""),
            E::MalformedBody(_) => (S::BAD_REQUEST, "malformed_body", "The body cannot be read", ""),
            E::NotAuthenticated => (S::UNAUTHORIZED, "not_authenticated", "Not authenticated", ""),
            E::InvalidToken => (S::UNAUTHORIZED, "invalid_token", "Token is invalid Or expired", "Please get new token"),
            E::TokenRevoked => (S::UNAUTHORIZED, "token_revoked", "Token is invalid or has been revoked", "Please get new token"),
            E::AccessTokenRequired => (S::UNAUTHORIZED, "access_token_required", "Please provide a valid access token", "Please get an access token"),
            E::RefreshTokenRequired => (S::FORBIDDEN, "refresh_token_required", "Please provide a valid refresh token", "Please get a refresh token"),
            E::InvalidSignature => (S::UNAUTHORIZED, "invalid_signature", "The signature is not valid", ""),
            E::InvalidBasicAuth => (S::UNAUTHORIZED, "invalid_signature", "The user or the password is not valid", "Please send both by basic authentication"),
            E::AccountNotVerified => (S::FORBIDDEN, "account_not_verified", "Account Not Verified", "Please check your email for verification details"),
            E::InsufficientPermissions => (S::FORBIDDEN, "insufficient_permissions", "You do not have enough permissions to perform this action", ""),
            E::UserExists => (S::FORBIDDEN, "user_exists", "User with email already exists", ""),
            E::UserNotFound => (S::NOT_FOUND, "user_not_found", "User not found", ""),
            E::BookNotFound => (S::NOT_FOUND, "book_not_found", "Book not found", ""),
            E::EmailNotFound => (S::NOT_FOUND, "email_not_found", "Email not found", ""),
            E::EmailNotFailed => (S::CONFLICT, "email_not_failed", "Only a failed email can be sent again", ""),
            E::EmailNotQueued => (S::CONFLICT, "email_not_queued", "Only an email that waits can be cancelled", ""),
            E::NotFound => (S::NOT_FOUND, "not_found", "Not found", ""),
            E::OnlyOwnWish => (S::NOT_FOUND, "not_found", "Not found", "The recipient's own wish is removed by its reason: complaint or unsubscribe"),
            E::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", ""),
            E::PostOnly => (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed", "Send POST to this address"),
            E::AlreadyVerified => (S::CONFLICT, "already_verified", "The account is already verified", ""),
            E::InvalidIdempotencyKey => (S::BAD_REQUEST, "invalid_idempotency_key", "Idempotency-Key must be one header of 1 to 255 visible ASCII characters", ""),
            E::RequestInProgress => (S::CONFLICT, "request_in_progress", "A request with this Idempotency-Key is under way", "Please send it again in a moment"),
            E::IdempotencyKeyReused => (S::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "This Idempotency-Key was sent with another body", "Please send a new key"),
            E::RequestTimeout => (S::REQUEST_TIMEOUT, "request_timeout", "The request took too long", ""),
            E::BodyTooLarge => (S::PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large", ""),
            E::UnsupportedMediaType => (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type", ""),
            E::Validation(_) => (S::UNPROCESSABLE_ENTITY, "validation_error", "The request is not valid", ""),
            E::TooManyRequests(_) => (S::TOO_MANY_REQUESTS, "too_many_requests", "Too many requests", ""),
            E::Server => (S::INTERNAL_SERVER_ERROR, "server_error", "Oops! Something went wrong", ""),
            E::Unavailable(limit) => (S::SERVICE_UNAVAILABLE, "unavailable", "The service is not available, please try again", limit.unwrap_or_default()),
        };
        ErrorRow { status, code, message, resolution: (!resolution.is_empty()).then_some(resolution) }
    }

    /// One wrong field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> ApiError {
        ApiError::Validation(vec![FieldError::new(field, message)])
    }

    /// Logs an error that should not happen. The client gets no details.
    pub fn server(error: impl std::fmt::Display) -> ApiError {
        tracing::error!(%error, "a request failed");
        ApiError::Server
    }

    fn retry_after(&self) -> Option<u64> {
        match self {
            ApiError::TooManyRequests(seconds) => Some((*seconds).max(1)),
            ApiError::Unavailable(_) => Some(UNAVAILABLE_RETRY_SECONDS),
            _ => None,
        }
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> ApiError {
        if error.is_unavailable() {
            tracing::warn!(dependency = "database", %error, "refused a request");
            return ApiError::Unavailable(error.limit().map(DatabaseLimit::words));
        }
        ApiError::server(error)
    }
}

impl From<HashError> for ApiError {
    fn from(error: HashError) -> ApiError {
        match error {
            HashError::Busy => {
                tracing::warn!(dependency = "hasher", %error, "refused a request");
                ApiError::Unavailable(Some("Too many passwords are waiting to be checked"))
            }
            HashError::Unreadable | HashError::Failed => ApiError::server(error),
        }
    }
}

impl From<JwtError> for ApiError {
    fn from(error: JwtError) -> ApiError {
        match error {
            JwtError::Invalid | JwtError::Expired => ApiError::InvalidToken,
            JwtError::Signing => ApiError::server(error),
        }
    }
}

impl From<LinkTokenError> for ApiError {
    fn from(error: LinkTokenError) -> ApiError {
        match error {
            LinkTokenError::Invalid => ApiError::LinkInvalid,
            LinkTokenError::Expired => ApiError::LinkExpired,
        }
    }
}

#[cfg(test)]
mod tests;

//! Errors of calls to Redis.

use crate::tls::with_reason;

/// A call to Redis that failed. Never holds the URL, which may have a password in it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// `REDIS_URL` cannot be read.
    #[error("REDIS_URL is not a Redis URL (redis://[user:password@]host[:port][/db])")]
    Url,
    /// Redis answered with an error, or did not answer.
    #[error("Redis: {}", with_reason(.0))]
    Redis(#[from] redis::RedisError),
    /// rustls refuses its own configuration.
    #[error("TLS to Redis cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The connection of the subscription ended, or its server became silent.
    #[error("Redis: the subscription ended")]
    Subscription,
    /// The push failed.
    #[error("Redis: {0}")]
    Push(String),
}

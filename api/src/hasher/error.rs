//! Why the hasher has no result.

use thiserror::Error;

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HashError {
    /// Too many are waiting, or the wait was too long: 503.
    #[error("too many passwords are waiting to be hashed")]
    Busy,
    /// The stored text is not an argon2 hash, or it needs more than 64 MiB or 16 passes.
    #[error("the stored password hash cannot be read")]
    Unreadable,
    /// No memory, no random numbers, or a bug.
    #[error("the password could not be hashed")]
    Failed,
}

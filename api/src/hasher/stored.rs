//! Verifies passwords against stored hashes, whose parameters may be older ones.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, Version};
use bookly_shared::domain::Password;

use super::{HashError, Hasher, Memory};

/// The most memory that a stored hash may ask for, in KiB.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
/// The most passes over the memory that a stored hash may ask for.
const MAX_PASSES: u32 = 16;
/// The most lanes that a stored hash may ask for.
const MAX_LANES: u32 = 16;

/// A hash of an unknown password, with the cost of a new hash.
pub(super) const UNKNOWN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Ym9va2x5LW5vYm9keS4uLg$4fXCqXn0dJrbqRZ0vYcQWmJ3m2kq6o1nA8sT5uEwGhY";

impl Hasher {
    /// Whether `password` is the one of the stored hash `phc`, by the parameters that `phc` names.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Unreadable`], [`HashError::Failed`].
    pub async fn verify(&self, password: Password, phc: String) -> Result<bool, HashError> {
        self.run(move |memory| memory.verify(&password, &phc)).await
    }

    /// The work of [`verify`](Self::verify) for an account that does not exist: a login for an unknown address takes as
    /// long as one with a wrong password.
    ///
    /// # Errors
    /// [`HashError::Busy`], [`HashError::Failed`].
    pub async fn verify_unknown(&self, password: Password) -> Result<(), HashError> {
        self.run(move |memory| memory.verify(&password, UNKNOWN)).await.map(drop)
    }
}

impl Memory {
    pub(super) fn verify(&mut self, password: &Password, phc: &str) -> Result<bool, HashError> {
        let stored = PasswordHash::new(phc).map_err(|_| HashError::Unreadable)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Err(HashError::Unreadable);
        };
        let output = self.output(argon2_of(&stored)?, password, salt)?;
        // `Output` compares in constant time.
        Ok(output == *expected)
    }
}

/// The algorithm with the parameters of the stored hash, so that hashes with older parameters still verify.
fn argon2_of(stored: &PasswordHash) -> Result<Argon2<'static>, HashError> {
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|_| HashError::Unreadable)?;
    let version = match stored.version {
        Some(version) => Version::try_from(version).map_err(|_| HashError::Unreadable)?,
        None => Version::default(),
    };
    let params = Params::try_from(stored).map_err(|_| HashError::Unreadable)?;
    let affordable =
        params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES && params.p_cost() <= MAX_LANES;
    if affordable { Ok(Argon2::new(algorithm, version, params)) } else { Err(HashError::Unreadable) }
}

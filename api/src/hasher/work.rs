//! One hash at a time, in memory that is reused.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use bookly_shared::domain::Password;

use super::error::HashError;

/// The most memory that a stored hash may ask for, in KiB.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
/// The most passes over the memory that a stored hash may ask for.
const MAX_PASSES: u32 = 16;
/// The most lanes that a stored hash may ask for.
const MAX_LANES: u32 = 16;

/// A hash of no known password, with the cost of a new hash.
pub(super) const UNKNOWN: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Ym9va2x5LW5vYm9keS4uLg$4fXCqXn0dJrbqRZ0vYcQWmJ3m2kq6o1nA8sT5uEwGhY";

/// The memory of a thread. It grows to the largest hash so far.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
    /// How many of the first blocks may hold data that was derived from a password.
    used: usize,
}

impl Memory {
    pub(super) fn hash(&mut self, password: &Password) -> Result<String, HashError> {
        let salt = try_generate_salt().map_err(|_| HashError::Failed)?;
        let salt = Salt::new(&salt).map_err(|_| HashError::Failed)?;
        let (algorithm, version, params) = (Algorithm::default(), Version::default(), Params::default());
        let hash = PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: (&params).try_into().map_err(|_| HashError::Failed)?,
            hash: Some(self.output(Argon2::new(algorithm, version, params), password, &salt)?),
            salt: Some(salt),
        };
        Ok(hash.to_string())
    }

    pub(super) fn verify(&mut self, password: &Password, phc: &str) -> Result<bool, HashError> {
        let stored = PasswordHash::new(phc).map_err(|_| HashError::Unreadable)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
            return Err(HashError::Unreadable);
        };
        let output = self.output(argon2_of(&stored)?, password, salt)?;
        // `Output` compares in constant time.
        Ok(output == *expected)
    }

    /// A password is far easier to guess from the memory of a single pass than from its hash. Takes 1 ms for the memory of
    /// a new hash.
    pub(super) fn wipe(&mut self) {
        self.blocks[..self.used].fill(Block::new());
        self.used = 0;
    }

    /// Returns the memory to the system.
    pub(super) fn give_back(&mut self) {
        self.wipe();
        self.blocks = Vec::new();
    }

    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        !self.blocks.is_empty()
            && self.blocks.iter().all(|block| block.as_ref().iter().all(|word| *word == 0))
    }

    fn output(&mut self, argon2: Argon2<'_>, password: &Password, salt: &[u8]) -> Result<Output, HashError> {
        let blocks = argon2.params().block_count();
        self.blocks
            .try_reserve_exact(blocks.saturating_sub(self.blocks.len()))
            .map_err(|_| HashError::Failed)?;
        if self.blocks.len() < blocks {
            self.blocks.resize(blocks, Block::new());
        }
        let mut buffer = [0; Output::MAX_LENGTH];
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let out = buffer.get_mut(..length).ok_or(HashError::Unreadable)?;
        self.used = self.used.max(blocks);
        let memory = &mut self.blocks[..blocks];
        argon2
            .hash_password_into_with_memory(password.expose().as_bytes(), salt, out, memory)
            .map_err(|_| HashError::Failed)?;
        Output::new(out).map_err(|_| HashError::Failed)
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

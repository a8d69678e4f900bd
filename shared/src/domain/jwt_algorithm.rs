//! The algorithms of session tokens.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An HMAC (RFC 7518 §3.2). Algorithms with public keys are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256, the default.
    #[default]
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

/// The text is not the name of an algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be HS256, HS384 or HS512")]
pub struct UnknownJwtAlgorithm;

impl JwtAlgorithm {
    /// The name in a token's header.
    pub fn as_str(self) -> &'static str {
        match self {
            JwtAlgorithm::HS256 => "HS256",
            JwtAlgorithm::HS384 => "HS384",
            JwtAlgorithm::HS512 => "HS512",
        }
    }
}

impl FromStr for JwtAlgorithm {
    type Err = UnknownJwtAlgorithm;

    fn from_str(name: &str) -> Result<JwtAlgorithm, UnknownJwtAlgorithm> {
        match name.trim() {
            "HS256" => Ok(JwtAlgorithm::HS256),
            "HS384" => Ok(JwtAlgorithm::HS384),
            "HS512" => Ok(JwtAlgorithm::HS512),
            _ => Err(UnknownJwtAlgorithm),
        }
    }
}

impl fmt::Display for JwtAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_hmacs_are_accepted() {
        for algorithm in [JwtAlgorithm::HS256, JwtAlgorithm::HS384, JwtAlgorithm::HS512] {
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
        for name in ["none", "RS256", "hs256", ""] {
            assert_eq!(name.parse::<JwtAlgorithm>(), Err(UnknownJwtAlgorithm), "{name:?}");
        }
    }
}

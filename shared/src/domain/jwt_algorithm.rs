//! The algorithms of session tokens.

use strum::{Display, EnumString, IntoStaticStr};

use super::variants::UnknownName;

/// An HMAC (RFC 7518 §3.2). Algorithms with public keys are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Display, EnumString, IntoStaticStr)]
#[strum(parse_err_ty = UnknownName, parse_err_fn = unknown)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256, the default.
    #[default]
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl JwtAlgorithm {
    /// The name in a token's header.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown(_: &str) -> UnknownName {
    UnknownName("must be HS256, HS384 or HS512")
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
            assert!(name.parse::<JwtAlgorithm>().is_err(), "{name:?}");
        }
    }
}

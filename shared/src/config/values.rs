//! Values with a meaning of their own.

use std::fmt;
use std::str::FromStr;

/// The HMAC that signs access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JwtAlgorithm {
    /// HMAC with SHA-256.
    #[default]
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl JwtAlgorithm {
    /// The name that stands in a token's header (RFC 7518, section 3.1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }
}

impl FromStr for JwtAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "HS256" => Ok(Self::HS256),
            "HS384" => Ok(Self::HS384),
            "HS512" => Ok(Self::HS512),
            _ => Err("HS256, HS384 or HS512 is needed".into()),
        }
    }
}

/// What links in mails begin with: scheme and authority, without a trailing slash. A path is kept, for a
/// service that a proxy publishes under one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    origin: String,
}

impl PublicUrl {
    /// As it stands in links: `https://bookly.example.org`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether clients come by TLS.
    pub fn is_https(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// What a browser sends as `Origin`: scheme, host and a port that is not the default (RFC 6454).
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

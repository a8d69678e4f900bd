//! The tokens in the links of emails, and the codes beside them. Both prove the same, and neither is stored.
//!
//! A token's format is that of Python's `itsdangerous.URLSafeTimedSerializer` with SHA-256: `payload.timestamp.signature`.
//! The crates that implement it have neither its SHA-256 variant nor a limit for inflated payloads. [`dumps`] and [`loads`]
//! follow itsdangerous 2.2 (`signer.py`, `timed.py`, `url_safe.py`).
//!
//! A code has eight digits, for a person who cannot open the link. It is computed from the secret and the email's row.

mod accept;
mod issue;
#[cfg(test)]
mod tests;
mod unsubscribe;

pub use accept::{
    BadToken, CLOCK_SKEW_SECONDS, LinkTokenError, MAX_CANDIDATES, MAX_PAYLOAD_BYTES, MAX_TOKEN_BYTES,
    NotACode, Signed, loads,
};
pub use issue::{
    CODE_DIGITS, CodeClaims, Link, LinkClaims, LinkCode, LinkSigner, LinkTemplate, LinkToken, Purpose,
    UNDO_WINDOW, bound_version, derived_mac, dumps,
};

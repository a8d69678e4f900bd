//! One attempt to deliver one email, from the claim to the completed row.

pub(crate) mod capacity;
pub(crate) mod circuit_breaker;
pub(crate) mod deliver;
pub(crate) mod fallback;
pub(crate) mod lease;
pub(crate) mod prepare;
mod retry;
pub(crate) mod spans;

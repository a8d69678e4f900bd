//! One attempt to deliver one email, from the claim to the completed row.

pub(crate) mod backoff;
pub(crate) mod capacity;
pub(crate) mod circuit_breaker;
pub(crate) mod deliver;
pub(crate) mod lease;
pub(crate) mod prepare;
pub(crate) mod spans;

//! Rules of the sources: which files may import which. Tests are left out.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of an integration test for library code")]

mod imports;
mod read;

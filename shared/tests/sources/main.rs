//! Rules of the sources: which files may import which, and which names only one type may have. Tests are left out.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of an integration test for library code")]

mod imports;
mod paths;
mod read;
mod type_names;

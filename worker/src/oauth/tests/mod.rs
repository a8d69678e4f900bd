//! Answers of token servers, and when tokens are fetched.

mod answers;
mod fetching;

//! Accounts over HTTP: sign-up, log-in, links and codes, sessions, and attempts to take an account over.

mod books;
mod code_pages;
mod codes;
mod email_change;
mod hashing;
mod idempotency;
mod passwords;
mod repeated_links;
mod reset;
mod sessions;
mod sign_up;
mod takeover;
mod tokens;
mod verification;

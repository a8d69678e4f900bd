//! The outbox: the tables `emails` and `email_attempts`, from the request that queues an email to the closed row.

pub mod admin;
pub mod attempts;
pub mod claim;
pub mod claim_probe;
pub mod complete;
pub mod enqueue;
pub mod leader;
pub mod maintenance;
pub mod on_request;
mod on_request_once;
pub mod retry;
pub mod stats;

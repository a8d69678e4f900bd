//! The outbox: the tables `emails`, `email_attempts` and `email_reports`, from the request that queues an email to the
//! closed row, and to what was reported of it.

pub mod admin;
pub mod attempts;
pub mod claim;
pub mod claim_probe;
pub mod complete;
pub mod insert;
pub mod leader;
mod leases;
pub mod list;
pub mod maintenance;
pub mod on_request;
mod on_request_once;
pub mod reports;
pub mod retry;
pub mod stats;

//! The outbox: the table `emails` and its attempts, from the request that queues an email to the row that is closed.

pub mod admin;
pub mod attempts;
pub mod backlog;
pub mod claim;
pub mod complete;
pub mod enqueue;
pub mod maintenance;
pub mod on_request;
pub mod stats;

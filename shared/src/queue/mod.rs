//! The queue of jobs: `SendEmail { id }` tells a worker that a row of `emails` is due.
//!
//! The row is the truth. A lost job costs seconds: the maintenance leader enqueues its row again.

mod access;
mod cleanup;
mod connection;
mod enqueue;
mod error;
mod login;
mod redis;

pub use access::AccessError;
pub use connection::{RedisConnection, RedisServer};
pub use enqueue::{BATCH_WINDOW, JobQueue, RedisBackend, SendEmail};
pub use error::QueueError;
pub use redis::RedisQueue;

//! The queue of jobs: `SendEmail { id }` tells a worker that a row of `emails` is due.
//!
//! The row is the truth. A lost job costs seconds: the maintenance leader enqueues its row again.

mod access;
mod cleanup;
mod enqueue;
mod login;
mod redis;

pub use access::AccessError;
pub use enqueue::{BATCH_WINDOW, JobQueue};
pub use login::RedisLogin;
pub use redis::{QueueError, RedisBackend, RedisConnection, RedisQueue, SendEmail};

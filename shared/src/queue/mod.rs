//! The jobs: tells a worker that a row waits. The row is the truth; a bell that is lost costs seconds, no mail.

mod enqueuer;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::metrics::table::JOBS_DROPPED;

pub use redis::{JobPayload, QueueError, RedisBackend, RedisQueue};

/// Jobs that wait to be pushed. When it is full, further rings are dropped: the relay rings for their rows.
const WAITING_JOBS: usize = 8_192;

/// After a bell, mails gather for this long before the next one: a claim for several costs little more than for one.
/// A mail that comes alone is rung for at once.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Rings without ever waiting. Cheap to clone.
#[derive(Clone, Debug)]
pub enum JobQueue {
    /// Wakes the worker of this process.
    InProcess(Arc<Notify>),
    /// Hands the id to the enqueuer, which pushes it to Redis off the request's path.
    Redis(mpsc::Sender<Uuid>),
}

impl JobQueue {
    /// A bell for the worker in this process, and what that worker waits on.
    pub fn in_process() -> (JobQueue, Arc<Notify>) {
        let wake = Arc::new(Notify::new());
        (JobQueue::InProcess(wake.clone()), wake)
    }

    /// A bell that rings through Redis, and the enqueuer's future, to be run until `stop`.
    pub fn through(
        queue: RedisQueue,
        stop: CancellationToken,
    ) -> (JobQueue, impl Future<Output = ()> + Send + 'static) {
        let (sender, bells) = mpsc::channel(WAITING_JOBS);
        (JobQueue::Redis(sender), enqueuer::run(queue, bells, stop))
    }

    /// Rings for a committed row.
    pub fn enqueue(&self, id: Uuid) {
        match self {
            JobQueue::InProcess(wake) => wake.notify_one(),
            JobQueue::Redis(sender) => {
                if sender.try_send(id).is_err() {
                    JOBS_DROPPED.add(1, []);
                    tracing::debug!(mail = %id, "the bell was dropped, the relay will ring for this mail");
                }
            }
        }
    }
}

//! The doorbell: tells a worker that a row waits. The row is the truth; a bell that is lost costs seconds, no mail.

mod redis_queue;
mod ringer;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::metrics::table::BELLS_DROPPED;

pub use redis_queue::{BellText, QueueError, RedisBackend, RedisQueue};

/// Bells that wait to be pushed. When it is full, further rings are dropped: the relay rings for their rows.
const WAITING_BELLS: usize = 8_192;

/// After a bell, mails gather for this long before the next one: a claim for several costs little more than for one.
/// A mail that comes alone is rung for at once.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Rings without ever waiting. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Doorbell {
    /// Wakes the worker of this process.
    InProcess(Arc<Notify>),
    /// Hands the id to the ringer, which pushes it to Redis off the request's path.
    Redis(mpsc::Sender<Uuid>),
}

impl Doorbell {
    /// A bell for the worker in this process, and what that worker waits on.
    pub fn in_process() -> (Doorbell, Arc<Notify>) {
        let wake = Arc::new(Notify::new());
        (Doorbell::InProcess(wake.clone()), wake)
    }

    /// A bell that rings through Redis, and the ringer's future, to be run until `stop`.
    pub fn through(
        queue: RedisQueue,
        stop: CancellationToken,
    ) -> (Doorbell, impl Future<Output = ()> + Send + 'static) {
        let (sender, bells) = mpsc::channel(WAITING_BELLS);
        (Doorbell::Redis(sender), ringer::run(queue, bells, stop))
    }

    /// Rings for a committed row.
    pub fn ring(&self, id: Uuid) {
        match self {
            Doorbell::InProcess(wake) => wake.notify_one(),
            Doorbell::Redis(sender) => {
                if sender.try_send(id).is_err() {
                    BELLS_DROPPED.add(1, []);
                    tracing::debug!(mail = %id, "the bell was dropped, the relay will ring for this mail");
                }
            }
        }
    }
}

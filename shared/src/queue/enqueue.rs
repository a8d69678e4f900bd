//! `queue.enqueue(id)`: the counterpart of Celery's `send_email.delay`. It never waits, however long Redis takes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::error::QueueError;
use super::redis::{MAX_WAITING, RedisQueue, SendEmail};
use crate::metrics::table::{JOBS_DROPPED, JOBS_ENQUEUED};

/// The shortest time between two jobs of one process. Emails that are committed meanwhile share the next job: a claim
/// of several rows costs little more than a claim of one.
pub const BATCH_WINDOW: Duration = Duration::from_millis(50);
/// Ids that wait to be pushed to Redis. When the channel is full, further ones are dropped.
const CHANNEL_SIZE: usize = 8_192;
/// Ids that one job stands for. A job wakes a worker for everything that is due, and a worker without capacity for
/// all of it enqueues the next job.
const BATCH_SIZE: usize = 1_024;

/// Where jobs are enqueued. Cheap to clone.
#[derive(Clone, Debug)]
pub enum JobQueue {
    /// Wakes the worker of this process.
    InProcess(Arc<Notify>),
    /// Hands the id to the task that pushes jobs to Redis.
    Redis(mpsc::Sender<Uuid>),
}

impl JobQueue {
    /// A queue for the worker in this process, and the signal that this worker waits for.
    pub fn in_process() -> (JobQueue, Arc<Notify>) {
        let wake = Arc::new(Notify::new());
        (JobQueue::InProcess(wake.clone()), wake)
    }

    /// A queue in Redis, and the future that pushes to it. Run the future until `stop`.
    pub fn in_redis(
        redis: RedisQueue,
        stop: CancellationToken,
    ) -> (JobQueue, impl Future<Output = ()> + Send + 'static) {
        let (sender, ids) = mpsc::channel(CHANNEL_SIZE);
        (JobQueue::Redis(sender), push_jobs(redis, ids, stop))
    }

    /// Enqueues the job `SendEmail { id }` for a committed row.
    pub fn enqueue(&self, id: Uuid) {
        match self {
            JobQueue::InProcess(wake) => wake.notify_one(),
            JobQueue::Redis(sender) => {
                if sender.try_send(id).is_err() {
                    JOBS_DROPPED.add(1, []);
                    tracing::debug!(email = %id, "the job was dropped, maintenance enqueues this email again");
                }
            }
        }
    }
}

/// Pushes jobs until `stop`, then one for the ids that wait already.
async fn push_jobs(redis: RedisQueue, mut ids: mpsc::Receiver<Uuid>, stop: CancellationToken) {
    let (mut redis_works, mut waiting) = (true, 0);
    let mut batch = Vec::with_capacity(BATCH_SIZE);
    loop {
        let received = tokio::select! {
            biased;
            received = ids.recv_many(&mut batch, BATCH_SIZE) => received,
            () = stop.cancelled() => break,
        };
        if received == 0 {
            break;
        }
        let pushed = push_job(&redis, batch[0], &mut waiting).await;
        report(&pushed, &mut redis_works, batch.len());
        if pushed.is_err() {
            // What arrived meanwhile would fail as slowly.
            let mut dropped = batch.len() as u64;
            while ids.try_recv().is_ok() {
                dropped += 1;
            }
            JOBS_DROPPED.add(dropped, []);
        }
        batch.clear();
        stop.run_until_cancelled(sleep(BATCH_WINDOW)).await;
    }
}

/// One email of a batch stands for all of them. `waiting` is how many jobs waited after the last push: those that other
/// processes pushed since then are few, and asking before each push would delay it.
async fn push_job(redis: &RedisQueue, id: Uuid, waiting: &mut usize) -> Result<(), QueueError> {
    if *waiting >= MAX_WAITING {
        *waiting = redis.waiting().await?;
    }
    if *waiting >= MAX_WAITING {
        JOBS_DROPPED.add(1, []);
        return Ok(());
    }
    *waiting = redis.push(&[SendEmail { id }]).await?;
    JOBS_ENQUEUED.add(1, []);
    Ok(())
}

/// Logs one line when Redis fails and one when it works again, not one for every email.
fn report(pushed: &Result<(), QueueError>, redis_works: &mut bool, emails: usize) {
    match pushed {
        Ok(()) if !*redis_works => tracing::info!("Redis works again, jobs are enqueued"),
        Err(error) if *redis_works => {
            tracing::warn!(%error, emails, "Redis takes no jobs; emails wait in the database until maintenance enqueues them again");
        }
        Ok(()) | Err(_) => {}
    }
    *redis_works = pushed.is_ok();
}

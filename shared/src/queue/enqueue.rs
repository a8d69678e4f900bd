//! `jobs.enqueue(id)`: the counterpart of Celery's `send_email.delay`. It never waits, however long Redis takes. A task pushes
//! the jobs, by apalis-redis, with the guards that its measured behaviour needs (`docs/architecture.md`).

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::backend::codec::Codec;
use apalis_core::backend::ext::BackendExt;
use apalis_core::backend::ext::with_codec::WithCodec;
use apalis_redis::RedisStorage;
use futures_util::StreamExt;
use futures_util::future::join;
use tokio::sync::{Notify, mpsc};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::connection::RedisConnection;
use super::error::QueueError;
use super::redis::RedisQueue;
use crate::metrics::table::{JOBS_DROPPED, JOBS_ENQUEUED};

/// The shortest time between two jobs of one process. Emails that are committed meanwhile share the next job: a claim
/// of several rows costs little more than a claim of one.
pub const BATCH_WINDOW: Duration = Duration::from_millis(50);
/// Ids that wait to be pushed to Redis. When the channel is full, further ones are dropped.
const CHANNEL_SIZE: usize = 8_192;
/// Ids that one job stands for. A job wakes a worker for everything that is due, and a worker without capacity for
/// all of it enqueues the next job.
const BATCH_SIZE: usize = 1_024;
/// The most jobs that wait in Redis. With 8,000 due ones apalis-redis' fetch script fails on every call
/// ("too many results to unpack"): Lua's stack holds that many values.
const MAX_WAITING: usize = 4_000;
/// How often a subscription without messages is tested, and how long the answer may take.
const PING_EVERY: Duration = Duration::from_secs(15);
const PING_LIMIT: Duration = Duration::from_secs(5);
/// Jobs made due by one call; well below what Lua's stack holds.
const PROMOTE_BATCH: usize = 1_000;
/// Moves jobs from the scheduled set to the list of active ones, and returns how many.
const PROMOTE: &str = "local jobs = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
if #jobs > 0 then
  redis.call('RPUSH', KEYS[2], unpack(jobs))
  redis.call('ZREM', KEYS[1], unpack(jobs))
end
return #jobs";

/// The job: send the email of this row. Its payload is the id as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendEmail {
    /// The row's id.
    pub id: Uuid,
}

impl fmt::Display for SendEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl FromStr for SendEmail {
    type Err = uuid::Error;

    fn from_str(payload: &str) -> Result<SendEmail, uuid::Error> {
        Ok(SendEmail { id: payload.parse()? })
    }
}

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

/// Passes payloads through as text, which always decodes: apalis-redis ends the worker over a payload that does not.
/// The handler parses the text.
#[derive(Clone, Copy, Debug)]
pub struct TextCodec;

impl Codec<String> for TextCodec {
    type Error = Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, text: &String) -> Result<Vec<u8>, Infallible> {
        Ok(text.as_bytes().to_vec())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<String, Infallible> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// What an apalis worker of this queue polls.
pub type RedisBackend = WithCodec<RedisStorage<String, RedisConnection>, TextCodec>;

impl RedisQueue {
    /// What a worker polls.
    pub fn backend(&self) -> RedisBackend {
        RedisStorage::new(self.connection.clone()).with_config(self.config.clone()).with_codec(TextCodec)
    }

    /// How many jobs wait for a worker.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn waiting(&self) -> Result<usize, QueueError> {
        let mut count = redis::pipe();
        self.count_waiting(&mut count);
        let (scheduled, active): (usize, usize) = count.query_async(&mut self.connection.clone()).await?;
        Ok(scheduled + active)
    }

    fn count_waiting(&self, commands: &mut redis::Pipeline) {
        commands.cmd("ZCARD").arg(self.config.scheduled_jobs_set());
        commands.cmd("LLEN").arg(self.config.active_jobs_list());
    }

    /// Pushes jobs and wakes the workers. Returns how many jobs wait then. Every push has a new task id: apalis-redis drops
    /// an id that was pushed before without an error, also after that task is done.
    ///
    /// # Errors
    /// When Redis does not answer; some of the jobs may have been pushed.
    pub async fn push(&self, jobs: &[SendEmail]) -> Result<usize, QueueError> {
        let payloads = jobs.iter().map(SendEmail::to_string).collect();
        let mut backend = self.backend();
        // Both are sent at once: a second round trip is 0.3 ms of the 6 ms that an email takes on an idle system.
        let (pushed, promoted) =
            join(backend.push_bulk(payloads), self.promote_and_publish(jobs.len())).await;
        pushed.map_err(|error| QueueError::Push(error.to_string()))?;
        let (mut promoted, mut waiting) = promoted?;
        // The jobs came second where the connection is new, or Redis did not know apalis-redis' script yet.
        if promoted < jobs.len() {
            (promoted, waiting) = self.promote_and_publish(jobs.len()).await?;
        }
        while promoted >= PROMOTE_BATCH {
            (promoted, waiting) = self.promote_and_publish(jobs.len()).await?;
        }
        Ok(waiting)
    }

    /// Makes jobs due, as many as one call can, and wakes the workers. Returns how many were made due, and how many
    /// jobs wait then. apalis-redis schedules a job by the clock of the machine that pushes and fetches it by the clock of
    /// the one that fetches: with clocks an hour apart it would wait an hour.
    async fn promote_and_publish(&self, jobs: usize) -> Result<(usize, usize), QueueError> {
        let mut all = redis::pipe();
        all.cmd("EVAL").arg(PROMOTE).arg(2).arg(self.config.scheduled_jobs_set());
        all.arg(self.config.active_jobs_list()).arg(PROMOTE_BATCH);
        all.cmd("PUBLISH").arg(self.channel()).arg(jobs).ignore();
        self.count_waiting(&mut all);
        let (promoted, scheduled, active): (usize, usize, usize) =
            all.query_async(&mut self.connection.clone()).await?;
        Ok((promoted, scheduled + active))
    }

    /// Calls `wake` for every push, until the connection ends. Also at the start: a job may have been pushed before.
    ///
    /// # Errors
    /// When Redis cannot be reached, or the connection ends.
    pub async fn listen(&self, wake: impl Fn() + Send) -> Result<(), QueueError> {
        let server = self.connection.server();
        let hide = |error| server.hide_login(error);
        let (mut commands, mut messages) = server.subscriber().await?.split();
        commands.subscribe(self.channel()).await.map_err(hide)?;
        wake();
        loop {
            match timeout(PING_EVERY, messages.next()).await {
                Ok(Some(_)) => wake(),
                Ok(None) => return Err(QueueError::Subscription),
                // A connection that a firewall dropped looks like one without messages.
                Err(_) => match timeout(PING_LIMIT, commands.ping::<redis::Value>()).await {
                    Ok(answered) => drop(answered.map_err(hide)?),
                    Err(_) => return Err(QueueError::Subscription),
                },
            }
        }
    }

    /// Where pushes are published.
    fn channel(&self) -> String {
        format!("{}:jobs", self.config.queue.as_ref())
    }
}

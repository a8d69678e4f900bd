//! Jobs in Redis, by apalis-redis, with the guards that its measured behaviour needs (`docs/architecture.md`).

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::backend::codec::Codec;
use apalis_core::backend::ext::BackendExt;
use apalis_core::backend::ext::with_codec::WithCodec;
use apalis_redis::{Config, RedisStorage};
use futures_util::StreamExt;
use secrecy::SecretString;
use tokio::time::timeout;
use uuid::Uuid;

use super::connection::{RedisConnection, RedisServer};
use super::error::QueueError;
use crate::tls::Trust;

/// The most jobs that wait in Redis. With 8,000 due ones apalis-redis' fetch script fails on every call
/// ("too many results to unpack"): Lua's stack holds that many values.
pub(super) const MAX_WAITING: usize = 4_000;
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

/// One installation's jobs in Redis. Cheap to clone; connects at the first use, and again after a failure.
#[derive(Clone)]
pub struct RedisQueue {
    pub(super) connection: RedisConnection,
    pub(super) config: Config,
}

impl fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQueue").field("queue", &self.config.queue).finish_non_exhaustive()
    }
}

impl RedisQueue {
    /// A queue of this name, on a server that is trusted with `rediss://`. Does not connect: Redis may be away when the
    /// service starts.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(url: &SecretString, name: &str, trust: &Trust) -> Result<RedisQueue, QueueError> {
        let connection = RedisConnection::new(RedisServer::new(url, trust)?);
        Ok(RedisQueue { connection, config: config(name) })
    }

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
        self.backend().push_bulk(payloads).await.map_err(|error| QueueError::Push(error.to_string()))?;
        loop {
            let (promoted, waiting) = self.promote_and_publish(jobs.len()).await?;
            if promoted < PROMOTE_BATCH {
                return Ok(waiting);
            }
        }
    }

    /// Makes jobs due, as many as one call can, and wakes the workers. Returns how many were made due, and how many
    /// jobs wait then. apalis-redis
    /// schedules a job by the clock of the machine that pushes and fetches it by the clock of the one that fetches: with
    /// clocks an hour apart it would wait an hour.
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

    /// The connection, for other uses of the same Redis. Clones share it.
    pub fn connection(&self) -> RedisConnection {
        self.connection.clone()
    }

    /// A key of this installation: the queue's name is the prefix of all its keys.
    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.config.queue.as_ref())
    }

    /// Where pushes are published.
    fn channel(&self) -> String {
        format!("{}:jobs", self.config.queue.as_ref())
    }
}

/// Batches of one: a batch is acknowledged as a whole. No locks and no events: the row's claim is the lock.
/// Results on: without them nothing is acknowledged. A heartbeat every 10 s, and a day of silence before a worker
/// counts as lost: apalis-redis removes every worker that is behind by the clock of any other one, so a worker whose
/// clock is an hour ahead would remove all others. Maintenance enqueues again what a lost worker held.
fn config(name: &str) -> Config {
    let mut config = Config::default()
        .queue(name)
        .batch_size(1)
        .lock_tasks(false)
        .emit_events(false)
        .persist_results(true)
        .heartbeat_interval(Duration::from_secs(10));
    config.missed_heartbeats = 24 * 360;
    config
}

//! apalis-redis with the guards that its measured traps need.

use std::time::Duration;

use apalis_core::backend::TaskSink;
use apalis_core::backend::codec::Codec;
use apalis_core::backend::ext::BackendExt;
use apalis_core::backend::ext::with_codec::WithCodec;
use apalis_redis::{Config, RedisStorage};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// The most bells that wait in Redis. With 8,000 due ones apalis-redis' fetch script fails for ever
/// ("too many results to unpack"): Lua's stack holds that many values.
const CAP: usize = 4_000;
/// Beyond this the fetch script is about to fail: the bells are dropped, their rows are elsewhere.
const DANGER: usize = 7_000;

/// The library's 500 ms ended workers under load.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Done bells forgotten by one call.
const FORGET_BATCH: usize = 500;
/// Listener made due by one call; well below what Lua's stack holds.
const PROMOTE_BATCH: usize = 1_000;
/// Moves bells from the scheduled set to the list of those to be taken, and says how many.
const PROMOTE: &str = "local bells = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)
if #bells > 0 then
  redis.call('RPUSH', KEYS[2], unpack(bells))
  redis.call('ZREM', KEYS[1], unpack(bells))
end
return #bells";

/// The bell's payload as it is: text that always decodes. apalis-redis ends the worker over a payload
/// that does not decode, so whether it is an id is the handler's question.
#[derive(Clone, Copy, Debug)]
pub struct JobPayload;

impl Codec<String> for JobPayload {
    type Error = std::convert::Infallible;
    type Compact = Vec<u8>;

    fn encode(&self, text: &String) -> Result<Vec<u8>, Self::Error> {
        Ok(text.as_bytes().to_vec())
    }

    fn decode(&self, bytes: &Vec<u8>) -> Result<String, Self::Error> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}

/// What an apalis worker of this queue polls.
pub type RedisBackend = WithCodec<RedisStorage<String>, JobPayload>;

/// A call to Redis that failed. Never holds the URL, which may have a password in it.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// `REDIS_URL` cannot be read.
    #[error("REDIS_URL cannot be read as a Redis URL (redis://[:password@]host[:port][/db])")]
    Url,
    /// Redis did not do what was asked, or did not answer.
    #[error("Redis: {0}")]
    Redis(#[from] redis::RedisError),
    /// The push failed.
    #[error("Redis: {0}")]
    Push(String),
}

/// One installation's bells in Redis. Cheap to clone; connects when first used, and again whenever it must.
#[derive(Clone)]
pub struct RedisQueue {
    client: redis::Client,
    connection: ConnectionManager,
    config: Config,
}

impl std::fmt::Debug for RedisQueue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisQueue").field("queue", &self.config.queue).finish_non_exhaustive()
    }
}

impl RedisQueue {
    /// A queue of this name. Does not connect: Redis may be away when the service starts.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(url: &SecretString, name: &str) -> Result<RedisQueue, QueueError> {
        let client = redis::Client::open(url.expose_secret()).map_err(|_| QueueError::Url)?;
        let limits = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_LIMIT))
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        let connection = ConnectionManager::new_lazy_with_config(client.clone(), limits)?;
        Ok(RedisQueue { client, connection, config: config(name) })
    }

    /// What a worker polls.
    pub fn backend(&self) -> RedisBackend {
        RedisStorage::new(self.connection.clone()).with_config(self.config.clone()).with_codec(JobPayload)
    }

    /// How many more bells may be put in, as of now.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn room(&self) -> Result<usize, QueueError> {
        Ok(CAP.saturating_sub(self.waiting().await?))
    }

    /// How many bells wait to be taken.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn waiting(&self) -> Result<usize, QueueError> {
        let mut ask = redis::pipe();
        ask.cmd("ZCARD")
            .arg(self.config.scheduled_jobs_set())
            .cmd("LLEN")
            .arg(self.config.active_jobs_list());
        let (scheduled, active): (usize, usize) = ask.query_async(&mut self.connection.clone()).await?;
        Ok(scheduled + active)
    }

    /// Rings for these rows and wakes the workers. Every ring is a task of its own: a task id that is
    /// pushed twice is dropped silently, also after it is done.
    ///
    /// # Errors
    /// When Redis does not answer; some of the bells may have been rung.
    pub async fn push(&self, ids: &[Uuid]) -> Result<(), QueueError> {
        let bells = ids.iter().map(Uuid::to_string).collect();
        self.backend().push_bulk(bells).await.map_err(|error| QueueError::Push(error.to_string()))?;
        self.promote().await?;
        let mut wake = redis::cmd("PUBLISH");
        wake.arg(self.channel()).arg(ids.len());
        let _: usize = wake.query_async(&mut self.connection.clone()).await?;
        Ok(())
    }

    /// Makes every bell due. apalis-redis files a bell under the ringing machine's time and takes it by the
    /// taking machine's: where their clocks differ by an hour, it would wait that hour.
    async fn promote(&self) -> Result<(), QueueError> {
        loop {
            let mut promote = redis::cmd("EVAL");
            promote.arg(PROMOTE).arg(2).arg(self.config.scheduled_jobs_set());
            promote.arg(self.config.active_jobs_list()).arg(PROMOTE_BATCH);
            let moved: usize = promote.query_async(&mut self.connection.clone()).await?;
            if moved < PROMOTE_BATCH {
                return Ok(());
            }
        }
    }

    /// Deletes what apalis-redis keeps of done bells (677 bytes each). Returns how many there were.
    /// Its own `vacuum` reads the whole data hash; this takes only what is done.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn forget_done(&self) -> Result<usize, QueueError> {
        let mut forgotten = 0;
        for set in [self.config.done_jobs_set(), self.config.dead_jobs_set(), self.config.failed_jobs_set()] {
            loop {
                let mut take = redis::cmd("SPOP");
                take.arg(&set).arg(FORGET_BATCH);
                let done: Vec<String> = take.query_async(&mut self.connection.clone()).await?;
                self.delete(&done).await?;
                forgotten += done.len();
                if done.len() < FORGET_BATCH {
                    break;
                }
            }
        }
        Ok(forgotten)
    }

    async fn delete(&self, tasks: &[String]) -> Result<(), QueueError> {
        if tasks.is_empty() {
            return Ok(());
        }
        let meta = self.config.job_meta_hash();
        let mut delete = redis::pipe();
        delete.cmd("HDEL").arg(self.config.job_data_hash()).arg(tasks).ignore();
        delete
            .cmd("UNLINK")
            .arg(tasks.iter().map(|task| format!("{meta}:{task}")).collect::<Vec<_>>())
            .ignore();
        Ok(delete.query_async(&mut self.connection.clone()).await?)
    }

    /// Drops all bells when so many wait that the fetch script would fail. Returns whether it had to.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn drop_if_overfull(&self) -> Result<bool, QueueError> {
        let overfull = self.waiting().await? > DANGER;
        if overfull {
            self.drop_all().await?;
        }
        Ok(overfull)
    }

    /// Drops every bell. Safe at any time: the relay rings again for the rows that still wait.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn drop_all(&self) -> Result<(), QueueError> {
        let mut connection = self.connection.clone();
        let tasks: Vec<String> =
            redis::cmd("HKEYS").arg(self.config.job_data_hash()).query_async(&mut connection).await?;
        for some in tasks.chunks(FORGET_BATCH) {
            self.delete(some).await?;
        }
        let sets = [
            self.config.scheduled_jobs_set(),
            self.config.active_jobs_list(),
            self.config.signal_list(),
            self.config.job_data_hash(),
        ];
        let _: usize = redis::cmd("UNLINK").arg(&sets).query_async(&mut connection).await?;
        Ok(())
    }

    /// Deletes everything that is kept under this queue's name, whatever it is: for keys that hold what no
    /// worker can read. Workers that run meanwhile start over; bells are rung again.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn start_over(&self) -> Result<(), QueueError> {
        let mut connection = self.connection.clone();
        let pattern = format!("{}:*", self.config.queue.as_ref());
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(FORGET_BATCH);
            let (next, keys): (String, Vec<String>) = scan.query_async(&mut connection).await?;
            if !keys.is_empty() {
                let _: usize = redis::cmd("UNLINK").arg(&keys).query_async(&mut connection).await?;
            }
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }

    /// Calls `wake` for every bell that is pushed, until the connection ends. A bell may be rung while
    /// nobody listens, so `wake` is also called at the start.
    ///
    /// # Errors
    /// When Redis cannot be reached, or the connection ends.
    pub async fn listen(&self, wake: impl Fn() + Send) -> Result<(), QueueError> {
        use futures_util::StreamExt;
        let mut bells = self.client.get_async_pubsub().await?;
        bells.subscribe(self.channel()).await?;
        wake();
        let mut rung = bells.into_on_message();
        while rung.next().await.is_some() {
            wake();
        }
        Err(QueueError::Redis(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()))
    }

    /// Whether Redis takes a bell, within two seconds. At its memory limit, or as a read-only replica, it
    /// answers PING and takes none.
    pub async fn is_reachable(&self) -> bool {
        let mut connection = self.connection.clone();
        let mut probe = redis::cmd("SET");
        probe.arg(format!("{}:probe", self.config.queue.as_ref())).arg("").arg("EX").arg(60);
        let asked = probe.query_async::<String>(&mut connection);
        matches!(tokio::time::timeout(CONNECT_LIMIT, asked).await, Ok(Ok(_)))
    }

    fn channel(&self) -> String {
        format!("{}:bell", self.config.queue.as_ref())
    }
}

/// Batches of one: a batch is acknowledged as a whole. No locks and events: the row's claim is the lock.
/// Results on: without them nothing is acknowledged. Heartbeats every 10 s, and a day of silence before a worker
/// counts as gone: apalis-redis strikes off whoever is behind by the clock of any other worker, again and again,
/// so a worker an hour ahead would keep all others from working. What a lost worker held, the relay rings for.
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

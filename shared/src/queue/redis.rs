//! The connection to the jobs in Redis and their names, for apalis-redis.

use std::fmt;
use std::time::Duration;

use apalis_redis::Config;
use secrecy::SecretString;

use super::connection::{RedisConnection, RedisServer};
use super::error::QueueError;
use crate::tls::Trust;

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

    /// The connection, for other uses of the same Redis. Clones share it.
    pub fn connection(&self) -> RedisConnection {
        self.connection.clone()
    }

    /// A key of this installation: the queue's name is the prefix of all its keys.
    pub fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.config.queue.as_ref())
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

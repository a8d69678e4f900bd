//! What the user of `REDIS_URL` must be allowed to do. Readiness and `bookly-worker doctor` try it.

use std::time::Duration;

use redis::{Cmd, RedisError};

use super::redis::RedisQueue;

/// How long the trial of all permissions may take.
const LIMIT: Duration = Duration::from_secs(2);
/// The one key that does not begin with `QUEUE_NAME`. Its name is fixed in apalis-redis: every worker adds its queue.
const QUEUES: &str = "core:apalis:queues:list";

/// Something that Redis did not do.
#[derive(Debug, thiserror::Error)]
#[error("cannot {need}: {error}")]
pub struct AccessError {
    /// What is needed, to follow "cannot".
    pub need: String,
    /// Redis' error.
    pub error: RedisError,
}

impl RedisQueue {
    /// Whether Redis allows and does what the queue needs, within two seconds. At its memory limit, as a read-only
    /// replica, or with a narrow ACL, it still answers PING.
    pub async fn is_usable(&self) -> bool {
        matches!(tokio::time::timeout(LIMIT, self.check_access()).await, Ok(Ok(())))
    }

    /// Tries each kind of command on each kind of key, and leaves nothing: the script deletes the key, which would also expire.
    ///
    /// # Errors
    /// The first one that fails.
    pub async fn check_access(&self) -> Result<(), AccessError> {
        for (need, command) in self.trials() {
            let done = command.query_async::<redis::Value>(&mut self.connection.clone()).await;
            done.map_err(|error| AccessError { need, error })?;
        }
        Ok(())
    }

    fn trials(&self) -> [(String, Cmd); 4] {
        let queue = self.config.queue.as_ref();
        let mut set = redis::cmd("SET");
        set.arg(format!("{queue}:probe")).arg("").arg("EX").arg(60);
        let mut remove_nothing = redis::cmd("ZREM");
        remove_nothing.arg(QUEUES).arg(format!("{queue}:probe"));
        let mut script = redis::cmd("EVAL");
        script.arg("return redis.call('DEL', KEYS[1])").arg(1).arg(format!("{queue}:probe"));
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(format!("{queue}:probe")).arg("");
        [
            (format!("write keys that match {queue}:*"), set),
            (format!("write the key {QUEUES}"), remove_nothing),
            (format!("run scripts on keys that match {queue}:*"), script),
            (format!("publish to channels that match {queue}:*"), publish),
        ]
    }
}

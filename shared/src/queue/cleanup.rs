//! Removes from Redis what apalis-redis leaves there, and everything when it is beyond repair.

use super::error::QueueError;
use super::redis::RedisQueue;

/// Beyond this many waiting jobs apalis-redis' fetch script is about to fail. All are dropped: their rows remain.
const TOO_MANY_WAITING: usize = 7_000;
/// Keys deleted by one call.
const DELETE_BATCH: usize = 500;

impl RedisQueue {
    /// Deletes what apalis-redis keeps of done jobs (677 bytes each). Returns how many there were.
    /// Its own `vacuum` reads the whole data hash; this reads only what is done.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn delete_done(&self) -> Result<usize, QueueError> {
        let mut deleted = 0;
        for set in [self.config.done_jobs_set(), self.config.dead_jobs_set(), self.config.failed_jobs_set()] {
            loop {
                let mut pop = redis::cmd("SPOP");
                pop.arg(&set).arg(DELETE_BATCH);
                let done: Vec<String> = pop.query_async(&mut self.connection.clone()).await?;
                self.delete(&done).await?;
                deleted += done.len();
                if done.len() < DELETE_BATCH {
                    break;
                }
            }
        }
        Ok(deleted)
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

    /// Drops all jobs when so many wait that the fetch script would fail. Returns whether it did.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn drop_if_too_many(&self) -> Result<bool, QueueError> {
        let too_many = self.waiting().await? > TOO_MANY_WAITING;
        if too_many {
            self.drop_all().await?;
        }
        Ok(too_many)
    }

    /// Drops every job. Safe at any time: maintenance enqueues the rows that still wait again.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn drop_all(&self) -> Result<(), QueueError> {
        let mut connection = self.connection.clone();
        let tasks: Vec<String> =
            redis::cmd("HKEYS").arg(self.config.job_data_hash()).query_async(&mut connection).await?;
        for batch in tasks.chunks(DELETE_BATCH) {
            self.delete(batch).await?;
        }
        let keys = [
            self.config.scheduled_jobs_set(),
            self.config.active_jobs_list(),
            self.config.signal_list(),
            self.config.job_data_hash(),
        ];
        let _: usize = redis::cmd("UNLINK").arg(&keys).query_async(&mut connection).await?;
        Ok(())
    }

    /// Deletes every key of this queue, whatever its type: for keys whose values no worker can read. Running workers
    /// start again, and maintenance enqueues the rows that still wait.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn reset(&self) -> Result<(), QueueError> {
        let mut connection = self.connection.clone();
        let pattern = format!("{}:*", self.config.queue.as_ref());
        let mut cursor = "0".to_owned();
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(DELETE_BATCH);
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
}

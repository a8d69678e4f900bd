//! A connection to Redis for servers that close idle clients (`timeout`; Azure after 10 minutes).

use std::time::Duration;

use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, Pipeline, RedisError, RedisFuture, Value};

/// The library's 500 ms ended workers under load.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection attempt may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Connects at the first use, and again after a failure. A command that finds its connection closed is sent once more
/// on a new one: the `ConnectionManager` alone reconnects, but fails that command. Cheap to clone.
///
/// A command may then run twice, when the connection broke between the command and its reply.
#[derive(Clone)]
pub struct RedisConnection(ConnectionManager);

impl RedisConnection {
    /// A connection that is opened at its first use.
    ///
    /// # Errors
    /// When the client's settings cannot work.
    pub fn new(client: Client) -> Result<RedisConnection, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(RESPONSE_LIMIT))
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        Ok(RedisConnection(ConnectionManager::new_lazy_with_config(client, config)?))
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            match self.0.send_packed_command(command).await {
                Err(error) if error.is_connection_dropped() => self.0.send_packed_command(command).await,
                result => result,
            }
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            match self.0.send_packed_commands(commands, offset, count).await {
                Err(error) if error.is_connection_dropped() => {
                    self.0.send_packed_commands(commands, offset, count).await
                }
                result => result,
            }
        })
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }
}

//! One count for all processes, in Redis. It must not slow requests down: Redis is asked for 50 ms at most, and not at
//! all after it did not answer, until it does again.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bookly_shared::queue::{RedisConnection, RedisQueue};
use redis::{RedisResult, Script};
use tokio::time::{sleep, timeout};

/// The longest that a request waits for Redis.
const ASK_LIMIT: Duration = Duration::from_millis(50);
/// How often Redis is asked whether it answers again.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// The longest wait for a new connection to Redis; no request waits for it.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// The generic cell rate algorithm, by Redis' clock, in milliseconds. The key holds the time at which the client has
/// its whole burst again, and expires then. Returns the time to wait, 0 when the request was counted.
const COUNT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local refill, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = full + refill - now - refill * burst
if wait > 0 then
  return wait
end
redis.call('SET', KEYS[1], full + refill, 'PX', full + refill - now)
return 0";

/// Clones share their state.
#[derive(Clone)]
pub(super) struct RedisCounter(Arc<Shared>);

struct Shared {
    connection: RedisConnection,
    prefix: String,
    script: Script,
    burst: u32,
    refill_ms: u64,
    is_away: AtomicBool,
}

/// Redis counted a request.
pub(super) struct Counted {
    /// The time to wait when it was one too many.
    pub(super) wait: Option<Duration>,
}

impl RedisCounter {
    /// Lets `burst` requests of a client through at once, and then one every `refill`.
    pub(super) fn new(queue: &RedisQueue, burst: u32, refill: Duration) -> RedisCounter {
        RedisCounter(Arc::new(Shared {
            connection: queue.connection(),
            prefix: queue.key("rate"),
            script: Script::new(COUNT),
            burst,
            refill_ms: u64::try_from(refill.as_millis()).unwrap_or(u64::MAX),
            is_away: AtomicBool::new(false),
        }))
    }

    /// Counts a request. `None` while Redis does not answer.
    pub(super) async fn count(&self, client: IpAddr) -> Option<Counted> {
        if self.0.is_away.load(Ordering::Relaxed) {
            return None;
        }
        match timeout(ASK_LIMIT, self.ask(client)).await {
            Ok(Ok(0)) => Some(Counted { wait: None }),
            Ok(Ok(wait)) => Some(Counted { wait: Some(Duration::from_millis(wait)) }),
            Ok(Err(error)) => self.is_away(&error.to_string()),
            Err(_) => self.is_away("no answer within 50 ms"),
        }
    }

    async fn ask(&self, client: IpAddr) -> RedisResult<u64> {
        let key = format!("{}:{client}", self.0.prefix);
        let mut count = self.0.script.key(key);
        count.arg(self.0.refill_ms).arg(self.0.burst).invoke_async(&mut self.0.connection.clone()).await
    }

    fn is_away<T>(&self, error: &str) -> Option<T> {
        if !self.0.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "Redis does not count requests; this process counts for itself");
            tokio::spawn(self.clone().wait_until_it_answers());
        }
        None
    }

    async fn wait_until_it_answers(self) {
        loop {
            sleep(PROBE_EVERY).await;
            // The first probe may have to connect.
            if self.answers_within(CONNECT_LIMIT).await && self.answers_within(ASK_LIMIT).await {
                break;
            }
        }
        tracing::info!("Redis counts requests again");
        self.0.is_away.store(false, Ordering::Relaxed);
    }

    /// Counts for an address that no client has: at its memory limit, or as a read-only replica, Redis answers PING.
    async fn answers_within(&self, limit: Duration) -> bool {
        matches!(timeout(limit, self.ask(Ipv4Addr::UNSPECIFIED.into())).await, Ok(Ok(_)))
    }
}

impl std::fmt::Debug for RedisCounter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisCounter").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

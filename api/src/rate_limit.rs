//! Limits per client address, for requests that cost a hash, an email or a guess.
//!
//! All limited routes share one bucket a client: [`BURST`] requests at once, then one a second. Mailboxes have
//! other limits, in the database. With Redis all processes count together.

mod in_redis;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bookly_shared::config::Settings;
use bookly_shared::queue::RedisQueue;
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use ipnet::IpNet;
use tokio_util::sync::CancellationToken;

use crate::client_address::{ClientIp, Peer};
use crate::error::{ApiError, ApiResult};
use in_redis::RedisCounter;

/// Requests that a client may send at once.
pub const BURST: u32 = 60;
/// The time after which a client may send one more.
const REFILL: Duration = Duration::from_secs(1);
/// How often clients that have their whole burst again are forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// Headers in which a proxy names its client. Others, such as `Via`, come from proxies on the client's side, too.
const NAMING_THE_CLIENT: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// Counts requests by client. Empty with `RATE_LIMIT=off`. Clones share their counts.
#[derive(Debug, Clone)]
pub struct RateLimiter(Option<Arc<Counters>>);

#[derive(Debug)]
struct Counters {
    trusted: Vec<IpNet>,
    warned: Once,
    /// Counts for this process alone: without Redis, and while Redis does not answer.
    own: DefaultKeyedRateLimiter<IpAddr>,
    common: Option<RedisCounter>,
}

impl RateLimiter {
    /// As `RATE_LIMIT` and `TRUSTED_PROXIES` say; counts in Redis where there is one.
    pub fn new(settings: &Settings, redis: Option<&RedisQueue>) -> RateLimiter {
        let quota = Quota::with_period(REFILL).zip(NonZeroU32::new(BURST));
        let counters = quota.filter(|_| settings.rate_limit).map(|(quota, burst)| Counters {
            trusted: settings.trusted_proxies.clone(),
            warned: Once::new(),
            own: DefaultKeyedRateLimiter::keyed(quota.allow_burst(burst)),
            common: redis.map(|queue| RedisCounter::new(queue, BURST, REFILL)),
        });
        RateLimiter(counters.map(Arc::new))
    }

    /// Forgets clients that have their whole burst again, until `stop`. Their number has no other limit.
    pub async fn forget_idle_until(self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(FORGET_EVERY)).await.is_some() {
            self.forget_idle();
        }
    }

    /// Counts something that a client did, where only some requests of a route are limited.
    ///
    /// # Errors
    /// 429 when it was one too many.
    pub(crate) async fn count(&self, peer: Peer, headers: &HeaderMap) -> ApiResult<()> {
        let Some(counters) = &self.0 else { return Ok(()) };
        match counters.count(counters.client(peer, headers)).await {
            // Rounded up: a client that comes back after so many seconds is not refused again.
            Some(wait) => Err(ApiError::TooManyRequests(wait.as_secs() + 1)),
            None => Ok(()),
        }
    }

    fn forget_idle(&self) {
        if let Some(counters) = &self.0 {
            counters.own.retain_recent();
            counters.own.shrink_to_fit();
        }
    }
}

/// Middleware for routes that are limited: beyond the limit 429 with the time to wait in `Retry-After`.
pub async fn limit(State(limiter): State<RateLimiter>, request: Request, next: Next) -> Response {
    match limiter.count(Peer::of(request.extensions()), request.headers()).await {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

impl Counters {
    /// Counts a request. Returns the time to wait when it is one too many.
    async fn count(&self, client: IpAddr) -> Option<Duration> {
        if let Some(common) = &self.common
            && let Some(counted) = common.count(client).await
        {
            return counted.wait;
        }
        let too_many = self.own.check_key(&client).err()?;
        Some(too_many.wait_time_from(DefaultClock::default().now()))
    }

    fn client(&self, peer: Peer, headers: &HeaderMap) -> IpAddr {
        self.warn_of_untrusted_proxy(headers);
        ClientIp::behind(peer, headers, &self.trusted).network()
    }

    /// All clients behind a proxy that is not trusted share one limit. The log says so once.
    fn warn_of_untrusted_proxy(&self, headers: &HeaderMap) {
        if self.trusted.is_empty() && NAMING_THE_CLIENT.iter().any(|name| headers.contains_key(*name)) {
            self.warned.call_once(|| {
                tracing::warn!("forwarding headers arrive and no proxy is trusted: see TRUSTED_PROXIES");
            });
        }
    }
}

#[cfg(test)]
mod tests;

//! Limits per client address, for what costs a hash, a mail or a guess.
//!
//! All limited rate_limiter of an address share one bucket: [`BURST`] requests at once and one a second from then on.
//! An office behind one address logs in within that; a guesser gets nowhere near a password. Mailboxes have
//! limits of their own, in the database.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Once};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use axum::response::IntoResponse;
use bookly_shared::config::Settings;
use governor::middleware::NoOpMiddleware;
use ipnet::IpNet;
use tokio_util::sync::CancellationToken;
use tower::layer::util::Identity;
use tower::util::{Either, option_layer};
use tower_governor::governor::{GovernorConfig, GovernorConfigBuilder};
use tower_governor::key_extractor::KeyExtractor;
use tower_governor::{GovernorError, GovernorLayer};

use crate::error::ApiError;
use crate::extract::{ClientIp, Peer};
use crate::state::AppState;

/// Requests that an address may send at once.
pub const BURST: u32 = 60;
/// After which it may send one more.
const REFILL: Duration = Duration::from_secs(1);
/// How often [`RateLimiter::forget_idle`] is called.
const FORGET_EVERY: Duration = Duration::from_secs(60);

/// What proxies add.
const FORWARDING: [&str; 3] = ["x-forwarded-for", "forwarded", "x-real-ip"];

/// What [`layer`] gives.
pub type RateLimit = Either<GovernorLayer<ClientKey, NoOpMiddleware, Body>, Identity>;

/// Whose requests were counted. Nobody's, when `RATE_LIMIT` is off.
#[derive(Debug, Clone)]
pub struct RateLimiter(Option<Arc<GovernorConfig<ClientKey, NoOpMiddleware>>>);

impl RateLimiter {
    /// As `RATE_LIMIT` and `TRUSTED_PROXIES` say.
    pub fn new(settings: &Settings) -> RateLimiter {
        let key = ClientKey::new(&settings.trusted_proxies);
        let mut limit = GovernorConfigBuilder::default();
        limit.period(REFILL).burst_size(BURST);
        // `None` only for a burst or a period of zero.
        let limit = limit.key_extractor(key).finish().filter(|_| settings.rate_limit);
        RateLimiter(limit.map(Arc::new))
    }

    /// Forgets addresses that have their whole burst again.
    fn forget_idle(&self) {
        if let Some(rate_limiter) = &self.0 {
            rate_limiter.limiter().retain_recent();
            rate_limiter.limiter().shrink_to_fit();
        }
    }
}

/// The layer for routes that want the limit: 429 with a true `Retry-After` beyond it. Routes are limited
/// together, however often this is called.
pub fn layer(state: &AppState) -> RateLimit {
    option_layer(
        state
            .rate_limiter
            .0
            .clone()
            .map(|rate_limiter| GovernorLayer::new(rate_limiter).error_handler(refuse)),
    )
}

/// Forgets addresses that did not come again, until `stop`: whoever has many must not fill the memory.
pub async fn forget(state: AppState, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(FORGET_EVERY)).await.is_some() {
        state.rate_limiter.forget_idle();
    }
}

fn refuse(error: GovernorError) -> axum::response::Response {
    match error {
        // The library cuts the wait down to whole seconds; after that many it would still be too early.
        GovernorError::TooManyRequests { wait_time, .. } => ApiError::TooManyRequests(wait_time + 1),
        other => ApiError::server(other),
    }
    .into_response()
}

/// Tells clients apart: by address, IPv6 by /64, which is what one household gets.
#[derive(Debug, Clone)]
pub struct ClientKey {
    trusted: Arc<[IpNet]>,
    warned: Arc<Once>,
}

impl ClientKey {
    fn new(trusted: &[IpNet]) -> ClientKey {
        ClientKey { trusted: trusted.into(), warned: Arc::new(Once::new()) }
    }

    /// Behind a proxy that is not trusted all clients are one, and share one limit. Said once.
    fn warn_of_untrusted_proxy(&self, headers: &HeaderMap) {
        if self.trusted.is_empty() && FORWARDING.iter().any(|name| headers.contains_key(*name)) {
            self.warned.call_once(|| {
                tracing::warn!("forwarding headers arrive and no proxy is trusted: see TRUSTED_PROXIES");
            });
        }
    }
}

impl KeyExtractor for ClientKey {
    type Key = IpAddr;

    fn extract<T>(&self, request: &Request<T>) -> Result<IpAddr, GovernorError> {
        self.warn_of_untrusted_proxy(request.headers());
        let peer = Peer::of(request.extensions());
        let ClientIp(address) = ClientIp::behind(peer, request.headers(), &self.trusted);
        Ok(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        })
    }
}

#[cfg(test)]
mod tests;

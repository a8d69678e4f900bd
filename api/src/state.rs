//! What handlers share.

use std::ops::Deref;
use std::sync::Arc;

use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::links::LinkSigner;
use bookly_shared::metrics::Exporter;
use bookly_shared::queue::{JobQueue, RedisQueue};
use bookly_shared::trace::Tracer;
use chrono::{DateTime, Utc};

use crate::address_locks::AddressLocks;
use crate::hasher::Hasher;
use crate::idempotency::BodyMacs;
use crate::jwt::SessionTokens;
use crate::login_guard::LoginGuard;
use crate::pages::Pages;
use crate::rate_limit::RateLimiter;
use crate::serve::Limits;

/// The state of every handler. Cheap to clone; its parts are those of [`Services`].
#[derive(Clone, Debug)]
pub struct AppState(Arc<Services>);

/// The parts of the state.
#[derive(Debug)]
pub struct Services {
    /// The settings.
    pub settings: Settings,
    /// How long clients may take.
    pub limits: Limits,
    /// Counts requests by client.
    pub rate_limiter: RateLimiter,
    /// The database.
    pub db: Db,
    /// The database's time.
    pub clock: Clock,
    /// Takes a job after each commit that queued an email.
    pub jobs: JobQueue,
    /// For readiness and metrics; `None` without Redis.
    pub redis: Option<RedisQueue>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Slows down guesses at passwords.
    pub login_guard: LoginGuard,
    /// Makes and reads access and refresh tokens.
    pub tokens: SessionTokens,
    /// Verifies the tokens of links, and codes.
    pub links: LinkSigner,
    /// Compares the bodies of requests with an `Idempotency-Key`.
    pub body_macs: BodyMacs,
    /// Lets one try of a code per address run at a time.
    pub code_locks: AddressLocks,
    /// Renders pages.
    pub pages: Pages,
    /// Renders `/metrics`.
    pub exporter: Exporter,
    /// Exports the spans of requests.
    pub tracer: Tracer,
}

impl AppState {
    /// Shares the parts.
    pub fn new(services: Services) -> AppState {
        AppState(Arc::new(services))
    }

    /// The database's time now: for rows and tokens.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

impl Deref for AppState {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

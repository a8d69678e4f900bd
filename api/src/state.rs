//! What handlers share.

use std::ops::Deref;
use std::sync::Arc;

use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::link_token::LinkSigner;
use bookly_shared::metrics::Exporter;
use bookly_shared::queue::{JobQueue, RedisQueue};
use bookly_shared::trace::Tracer;
use chrono::{DateTime, Utc};

use crate::hasher::Hasher;
use crate::jwt::SessionTokens;
use crate::login_guard::LoginGuard;
use crate::pages::Pages;
use crate::rate_limit::RateLimiter;
use crate::serve::Limits;

/// Handed to every handler. Cheap to clone; its parts are those of [`Services`].
#[derive(Clone, Debug)]
pub struct AppState(Arc<Services>);

/// The parts.
#[derive(Debug)]
pub struct Services {
    /// Everything that can be set.
    pub settings: Settings,
    /// How long clients may take.
    pub limits: Limits,
    /// How many requests each client has left.
    pub rate_limiter: RateLimiter,
    /// The database.
    pub db: Db,
    /// The installation's time.
    pub clock: Clock,
    /// Rung after a commit that queued a mail.
    pub jobs: JobQueue,
    /// Asked for readiness and metrics only; `None` when there is no Redis.
    pub redis: Option<RedisQueue>,
    /// Hashes passwords.
    pub hasher: Hasher,
    /// Slows guessers down.
    pub login_guard: LoginGuard,
    /// Makes and reads access and refresh tokens.
    pub tokens: SessionTokens,
    /// Reads the tokens of links.
    pub links: LinkSigner,
    /// Renders pages.
    pub pages: Pages,
    /// Renders `/metrics`.
    pub exporter: Exporter,
    /// Takes the spans of requests.
    pub tracer: Tracer,
}

impl AppState {
    /// Shares the parts.
    pub fn new(services: Services) -> AppState {
        AppState(Arc::new(services))
    }

    /// The installation's time now: what is handed to the database and to tokens.
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

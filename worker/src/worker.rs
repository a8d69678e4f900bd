//! A worker: what it consists of, its loops, and how it stops.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::domain::MailServer;
use bookly_shared::links::LinkSigner;
use bookly_shared::queue::RedisQueue;
use bookly_shared::trace::Tracer;
use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use uuid::Uuid;

use crate::delivery::capacity::Capacity;
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::deliver::Delivery;
use crate::delivery::fallback::Fallback;
use crate::delivery::lease::Leases;
use crate::delivery::prepare::Preparer;
use crate::metrics::record;
use crate::queue::fallback::FallbackPlace;
use crate::queue::fetcher::Fetcher;
use crate::queue::listener::Listener;
use crate::queue::maintenance::Maintenance;
use crate::render::{Composer, ComposerStartError};
use crate::smtp::SmtpConfigError;
use crate::status::{StatusReporter, reported_servers};
use crate::transport::Transport;

/// How long deliveries may take after a stop. Leases of later ones run out, and other workers send these emails.
const FINISH_LIMIT: Duration = Duration::from_secs(30);

/// Where a worker's jobs come from.
#[derive(Clone, Debug)]
pub enum JobSource {
    /// No Redis: the worker polls the table, and this wakes it at once.
    InProcess(Arc<Notify>),
    /// Jobs in Redis.
    Redis(Box<RedisQueue>),
}

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A template or the sender's address is wrong.
    #[error(transparent)]
    Composer(#[from] ComposerStartError),
    /// The mail server's settings can never work.
    #[error("the mail server's settings cannot work: {0}")]
    Smtp(#[from] SmtpConfigError),
}

/// A worker, ready to run.
#[derive(Debug)]
pub struct Worker {
    name: String,
    db: Db,
    clock: Clock,
    jobs: JobSource,
    delivery: Arc<Delivery>,
    circuit_breaker: CircuitBreaker,
    leases: Leases,
    status: StatusReporter,
    transport: Transport,
    concurrency: u16,
    mail_retention: TimeDelta,
    code_lifetime: TimeDelta,
    unverified_for: TimeDelta,
}

impl Worker {
    /// Loads templates and settings, on a tokio runtime; connects to neither Redis nor the mail server.
    ///
    /// # Errors
    /// A broken template, with file and line, or mail settings that can never work.
    pub fn new(
        settings: &Settings,
        db: Db,
        clock: Clock,
        jobs: JobSource,
        tracer: Tracer,
    ) -> Result<Worker, StartError> {
        // New in every process: apalis-redis refuses the name of a worker that it does not count as lost yet.
        let name = format!("{}-{}", std::process::id(), &Uuid::new_v4().simple().to_string()[..8]);
        let leases = Leases::new(db.clone(), clock.clone(), name.clone());
        let transport = Transport::new(settings, clock.clone())?;
        let rate = settings.worker_rate;
        let (circuit_breaker, fallback) = match Transport::fallback(settings, clock.clone())? {
            None => (CircuitBreaker::new(rate), None),
            Some(transport) => {
                let [first, circuit_breaker] = CircuitBreaker::of_two(rate);
                (first, Some(Fallback { transport, circuit_breaker }))
            }
        };
        let preparer = Preparer {
            db: db.clone(),
            signer: LinkSigner::new(&settings.link_secret),
            lifetimes: settings.lifetimes,
            links: settings.links.templates(&settings.public_url),
            default_locale: settings.default_locale,
        };
        let delivery = Arc::new(Delivery {
            db: db.clone(),
            clock: clock.clone(),
            preparer,
            composer: Composer::new(settings)?,
            transport: transport.clone(),
            leases: leases.clone(),
            circuit_breaker: circuit_breaker.clone(),
            fallback: fallback.clone(),
            tracer,
        });
        let servers = reported_servers(settings, &circuit_breaker, fallback.as_ref());
        let status = StatusReporter { db: db.clone(), clock: clock.clone(), worker: name.clone(), servers };
        let mail_retention = TimeDelta::days(i64::from(settings.mail_retention_days));
        // A week at most.
        let code_lifetime = TimeDelta::from_std(settings.lifetimes.longest()).unwrap_or(TimeDelta::MAX);
        let unverified_for = TimeDelta::days(i64::from(settings.unverified_account_days));
        let concurrency = settings.worker_concurrency;
        Ok(Worker {
            name,
            db,
            clock,
            jobs,
            delivery,
            circuit_breaker,
            leases,
            status,
            transport,
            concurrency,
            mail_retention,
            code_lifetime,
            unverified_for,
        })
    }

    /// Works until `stop`, then finishes the deliveries under way, for 30 seconds at most.
    pub async fn run(self, stop: CancellationToken) {
        tracing::info!(worker = self.name, concurrency = self.concurrency, "the worker takes emails");
        let with_fallback: &[MailServer] = &[MailServer::First, MailServer::Fallback];
        record::begin(if self.delivery.fallback.is_some() { with_fallback } else { &with_fallback[..1] });
        let deliveries = TaskTracker::new();
        // Leases are renewed until the last delivery is done, not only until the stop.
        let done = CancellationToken::new();
        let finished = async {
            self.fetch(&deliveries, &stop).await;
            self.finish(&deliveries).await;
            done.cancel();
        };
        let maintenance = self.maintenance();
        tokio::join!(
            finished,
            self.leases.renew(&done),
            self.circuit_breaker.probe(&self.transport, &stop),
            self.probe_fallback(&stop),
            Box::pin(self.status.report(&stop)),
            maintenance.run(&stop)
        );
        self.transport.close().await;
        if let Some(fallback) = &self.delivery.fallback {
            fallback.transport.close().await;
        }
    }

    async fn probe_fallback(&self, stop: &CancellationToken) {
        if let Some(Fallback { transport, circuit_breaker }) = &self.delivery.fallback {
            circuit_breaker.probe(transport, stop).await;
        }
    }

    async fn fetch(&self, deliveries: &TaskTracker, stop: &CancellationToken) {
        let (capacity, fallback) = match &self.delivery.fallback {
            None => (Capacity::new(self.concurrency, MailServer::First), None),
            Some(fallback) => {
                let [capacity, second] = Capacity::of_two(self.concurrency);
                let place = FallbackPlace {
                    first: self.circuit_breaker.clone(),
                    circuit_breaker: fallback.circuit_breaker.clone(),
                    capacity: second,
                };
                (capacity, Some(place))
            }
        };
        let (wake, redis) = match &self.jobs {
            JobSource::InProcess(wake) => (wake.clone(), None),
            JobSource::Redis(redis) => (Arc::default(), Some((**redis).clone())),
        };
        let fetcher = Fetcher {
            db: self.db.clone(),
            clock: self.clock.clone(),
            worker: self.name.clone(),
            delivery: self.delivery.clone(),
            circuit_breaker: self.circuit_breaker.clone(),
            capacity: capacity.clone(),
            fallback: fallback.clone(),
            deliveries: deliveries.clone(),
            wake: wake.clone(),
            redis: redis.clone(),
            claimed: AtomicU64::new(0),
        };
        let listener = async {
            let Some(redis) = redis else { return };
            let (worker, circuit_breaker) = (self.name.clone(), self.circuit_breaker.clone());
            let stop = stop.clone();
            Listener { redis, worker, circuit_breaker, capacity, fallback, wake, stop }.run().await;
        };
        // Its own task runs at once in the thread that has the job or Postgres' answer. This task may wait for another thread, and
        // each time it wakes it polls all that the worker does beside.
        let until = stop.clone();
        let fetching = AbortOnDropHandle::new(tokio::spawn(async move { fetcher.run(&until).await }));
        let fetching = async {
            if let Err(ended) = fetching.await
                && let Ok(panic) = ended.try_into_panic()
            {
                resume_unwind(panic);
            }
        };
        tokio::join!(fetching, listener);
    }

    async fn finish(&self, deliveries: &TaskTracker) {
        deliveries.close();
        if !deliveries.is_empty() {
            tracing::info!(emails = deliveries.len(), "finishing the emails in flight");
        }
        if tokio::time::timeout(FINISH_LIMIT, deliveries.wait()).await.is_err() {
            tracing::warn!(
                emails = deliveries.len(),
                "left to other workers: these emails took too long to finish"
            );
        }
    }

    fn maintenance(&self) -> Maintenance {
        let redis = match &self.jobs {
            JobSource::InProcess(_) => None,
            JobSource::Redis(redis) => Some((**redis).clone()),
        };
        Maintenance {
            db: self.db.clone(),
            clock: self.clock.clone(),
            redis,
            mail_retention: self.mail_retention,
            code_lifetime: self.code_lifetime,
            unverified_for: self.unverified_for,
        }
    }
}

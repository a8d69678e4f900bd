//! A worker process' whole life: what it is made of, its loops, and its end.

use std::sync::Arc;
use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::db::batch::Batcher;
use bookly_shared::link_token::LinkSigner;
use bookly_shared::queue::RedisQueue;
use bookly_shared::trace::Tracer;
use chrono::TimeDelta;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::delivery::accounts::Accounts;
use crate::delivery::capacity::Capacity;
use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::completer::Completer;
use crate::delivery::deliver::{Delivery, Parts};
use crate::delivery::lease::Leases;
use crate::delivery::prepare::Preparer;
use crate::metrics::record;
use crate::queue::fetcher::Fetcher;
use crate::queue::listener::Listener;
use crate::queue::maintenance::Maintenance;
use crate::render::{Composer, ComposerError};
use crate::smtp::SmtpConfigError;
use crate::transport::Transport;

/// How long mails in flight may take after a stop; those that take longer are claimed by others.
const FINISH_LIMIT: Duration = Duration::from_secs(30);

/// What tells a worker that mails wait.
#[derive(Clone, Debug)]
pub enum Wake {
    /// No Redis: it looks at the table, and this wakes it at once.
    Table(Arc<Notify>),
    /// Listener through Redis.
    Listener(Box<RedisQueue>),
}

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A template is broken, or the sender's address.
    #[error(transparent)]
    Composer(#[from] ComposerError),
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
    wake: Wake,
    courier: Delivery,
    gate: CircuitBreaker,
    leases: Leases,
    transport: Transport,
    concurrency: u16,
    keep: TimeDelta,
}

impl Worker {
    /// Loads templates and settings, on a tokio runtime; touches neither Redis nor the mail server.
    ///
    /// # Errors
    /// A broken template, with file and line, or mail settings that can never work.
    pub fn new(
        settings: &Settings,
        db: Db,
        clock: Clock,
        wake: Wake,
        tracer: Tracer,
    ) -> Result<Worker, StartError> {
        // Fresh for every process: apalis-redis refuses a name for a while after its worker ended.
        let name = format!("{}-{}", std::process::id(), &Uuid::new_v4().simple().to_string()[..8]);
        let leases = Leases::new(db.clone(), clock.clone(), name.clone());
        let transport = Transport::new(settings)?;
        let gate = CircuitBreaker::new(settings.worker_rate);
        let letters = Preparer {
            db: db.clone(),
            accounts: Batcher::new(db.clone(), Accounts),
            signer: LinkSigner::new(&settings.jwt_secret),
            lifetimes: settings.lifetimes,
            public_url: settings.public_url.as_str().to_owned(),
        };
        let courier = Delivery::new(Parts {
            db: db.clone(),
            clock: clock.clone(),
            letters,
            composer: Composer::new(settings)?,
            transport: transport.clone(),
            leases: leases.clone(),
            closings: Batcher::new(db.clone(), Completer { rows: leases.rows() }),
            gate: gate.clone(),
            tracer,
        });
        let keep = TimeDelta::days(i64::from(settings.keep_closed_days));
        let concurrency = settings.worker_concurrency;
        Ok(Worker { name, db, clock, wake, courier, gate, leases, transport, concurrency, keep })
    }

    /// Works until `stop`, then finishes the mails in flight, for 30 seconds at most.
    pub async fn run(self, stop: CancellationToken) {
        tracing::info!(worker = self.name, concurrency = self.concurrency, "the worker takes mails");
        record::begin();
        let deliveries = TaskTracker::new();
        // Leases are renewed until the last mail in flight is done, not only until the stop.
        let done = CancellationToken::new();
        let finished = async {
            self.take_mails(&deliveries, &stop).await;
            self.finish(&deliveries).await;
            done.cancel();
        };
        let relay = self.relay();
        tokio::join!(
            finished,
            self.leases.renew(&done),
            self.gate.probe(&self.transport, &stop),
            relay.run(&stop)
        );
        self.transport.close().await;
    }

    async fn take_mails(&self, deliveries: &TaskTracker, stop: &CancellationToken) {
        let slots = Capacity::new(self.concurrency);
        let (wake, others) = match &self.wake {
            Wake::Table(wake) => (wake.clone(), None),
            Wake::Listener(queue) => (Arc::default(), Some((**queue).clone())),
        };
        let drain = Fetcher {
            db: self.db.clone(),
            clock: self.clock.clone(),
            worker: self.name.clone(),
            courier: self.courier.clone(),
            gate: self.gate.clone(),
            slots: slots.clone(),
            deliveries: deliveries.clone(),
            wake: wake.clone(),
            others: others.clone(),
        };
        let bells = async {
            let Some(queue) = others else { return };
            let (worker, gate, stop) = (self.name.clone(), self.gate.clone(), stop.clone());
            Listener { queue, worker, gate, slots, wake, stop }.work().await;
        };
        tokio::join!(drain.work(stop), bells);
    }

    async fn finish(&self, deliveries: &TaskTracker) {
        deliveries.close();
        if !deliveries.is_empty() {
            tracing::info!(mails = deliveries.len(), "finishing the mails in flight");
        }
        if tokio::time::timeout(FINISH_LIMIT, deliveries.wait()).await.is_err() {
            tracing::warn!(
                mails = deliveries.len(),
                "left to other workers: these mails took too long to finish"
            );
        }
    }

    fn relay(&self) -> Maintenance {
        let queue = match &self.wake {
            Wake::Table(_) => None,
            Wake::Listener(queue) => Some((**queue).clone()),
        };
        Maintenance { db: self.db.clone(), clock: self.clock.clone(), queue, keep: self.keep }
    }
}

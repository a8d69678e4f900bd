//! The application: built from settings, and run until it is told to stop.

use std::net::SocketAddr;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::thread::available_parallelism;

use axum::Router;
use bookly_shared::clock::Clock;
use bookly_shared::config::{DatabaseSettings, Settings, WayToRun};
use bookly_shared::db::{ConnectError, DataDirLock, Db, DbError, PendingMigrations, lock_data_dir};
use bookly_shared::links::LinkSigner;
use bookly_shared::metrics::Exporter;
use bookly_shared::queue::{JobQueue, QueueError, RedisQueue};
use bookly_shared::templates::{self, TemplateError};
use bookly_shared::trace::{TraceError, Tracer};
use bookly_worker::{JobSource, Worker};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::address_locks::AddressLocks;
use crate::hasher::Hasher;
use crate::idempotency::BodyMacs;
use crate::jwt::SessionTokens;
use crate::login_guard::LoginGuard;
use crate::pages::Pages;
use crate::rate_limit::RateLimiter;
use crate::routes;
use crate::serve::{self, Limits};
use crate::state::{AppState, Services};

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// Its clock.
    #[error("the database's time cannot be read: {0}")]
    Clock(#[from] DbError),
    /// Redis' URL.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The worker in this process.
    #[error(transparent)]
    Worker(#[from] bookly_worker::StartError),
    /// The export of traces.
    #[error(transparent)]
    Traces(#[from] TraceError),
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A thread that hashes passwords.
    #[error("no thread can be started to hash passwords: {0}")]
    Hasher(#[source] std::io::Error),
    /// The address.
    #[error("LISTEN: {0} cannot be listened on: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
}

/// The worker of this process ended by itself.
#[derive(Debug, thiserror::Error)]
#[error("the worker in this process ended by itself")]
pub struct WorkerEnded;

/// The task that pushes jobs to Redis while the server runs.
type Enqueuer = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An application that is ready to serve.
pub struct App {
    state: AppState,
    /// Stops the background tasks, after the server has stopped.
    stop: CancellationToken,
    /// Without Redis the worker runs in this process.
    worker: Option<Worker>,
    enqueuer: Option<Enqueuer>,
    _lock: Option<DataDirLock>,
}

/// Binds the address of `LISTEN`. With port 0 the settings' public URL gets the port that the system chose.
///
/// # Errors
/// When the address is taken, or not this machine's.
pub async fn bind(settings: &mut Settings) -> Result<TcpListener, StartError> {
    let unusable = |error| StartError::Listen(settings.listen, error);
    let listener = TcpListener::bind(settings.listen).await.map_err(unusable)?;
    let bound = listener.local_addr().map_err(unusable)?;
    settings.listen = bound;
    settings.public_url = settings.public_url.clone().with_bound_port(bound.port());
    Ok(listener)
}

/// Opens the database that the settings name and brings its tables up to date.
///
/// # Errors
/// See [`ConnectError`].
pub async fn open_database(settings: &Settings) -> Result<Db, ConnectError> {
    Db::open(&settings.database, PendingMigrations::of(settings)).await
}

impl App {
    /// Builds the application. The database must answer; Redis need not.
    ///
    /// # Errors
    /// What keeps the service from starting, for the person who started it.
    pub async fn build(settings: Settings, exporter: Exporter) -> Result<App, StartError> {
        App::with_limits(settings, exporter, Limits::default()).await
    }

    /// The same with other limits.
    ///
    /// # Errors
    /// As for [`build`](App::build).
    pub async fn with_limits(
        settings: Settings,
        exporter: Exporter,
        limits: Limits,
    ) -> Result<App, StartError> {
        let lock = match &settings.database {
            DatabaseSettings::Sqlite { data_dir } => Some(lock_data_dir(data_dir)?),
            DatabaseSettings::Postgres { .. } => None,
        };
        let pages = Pages::new(settings.template_folder.as_deref(), &settings.product, &settings.links)?;
        // The worker logs them, and more about emails; with Redis it is another process.
        if settings.redis.is_some() {
            templates::log_warnings(pages.warnings());
        }
        let db = open_database(&settings).await?;
        if settings.redis.is_none() {
            db.require_grants_of_a_worker().await?;
        }
        let clock = Clock::synchronised(&db).await?;
        let tracer = Tracer::start(settings.traces.as_ref(), "bookly-api", clock.clone())?;
        let stop = CancellationToken::new();
        let queue = open_queue(&settings, &stop)?;
        let worker = queue
            .wake
            .map(|wake| {
                Worker::new(&settings, db.clone(), clock.clone(), JobSource::InProcess(wake), tracer.clone())
            })
            .transpose()?;
        let cores = available_parallelism().map_or(1, NonZero::get);
        let hasher = Hasher::new(cores).map_err(StartError::Hasher)?;
        let rate_limiter = RateLimiter::new(&settings, queue.redis.as_ref());
        let state = AppState::new(Services {
            login_guard: LoginGuard::new(db.clone(), clock.clone(), hasher.clone()),
            hasher,
            tokens: SessionTokens::new(&settings.jwt_secret, settings.jwt_algorithm)
                .accepting(settings.jwt_previous_secret.as_ref()),
            links: LinkSigner::new(&settings.link_secret).accepting(settings.link_previous_secret.as_ref()),
            body_macs: BodyMacs::new(&settings.link_secret).accepting(settings.link_previous_secret.as_ref()),
            code_locks: AddressLocks::new(),
            jobs: queue.jobs,
            redis: queue.redis,
            db,
            clock,
            pages,
            exporter,
            tracer,
            limits,
            rate_limiter,
            settings,
        });
        Ok(App { state, stop, worker, enqueuer: queue.enqueuer, _lock: lock })
    }

    /// The state of the handlers.
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The service without a server, for tests.
    pub fn router(&self) -> Router {
        routes::router(self.state.clone())
    }

    /// Serves until `shutdown`, then finishes the requests under way, then the emails that are being sent.
    ///
    /// # Errors
    /// When the worker of this process ended by itself. The service then stops too, so that its supervisor starts it
    /// again: otherwise it would accept emails and send none.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) -> Result<(), WorkerEnded> {
        let router = self.router();
        let App { state, stop, worker, enqueuer, _lock } = self;
        let background = TaskTracker::new();
        let (clock, db, until) = (state.clock.clone(), state.db.clone(), stop.clone());
        background.spawn(async move { clock.keep_synchronised(db, until).await });
        routes::metrics::start_series(&state);
        let (exporter, until) = (state.exporter.clone(), stop.clone());
        background.spawn(async move { exporter.keep(until).await });
        if let Some(enqueuer) = enqueuer {
            background.spawn(enqueuer);
        }
        let works = worker.map(|worker| {
            // Dropped when the task ends, also after a panic.
            let ended = shutdown.clone().drop_guard();
            let until = stop.clone();
            background.spawn(async move {
                worker.run(until.clone()).await;
                drop(ended);
                until.is_cancelled()
            })
        });
        background.spawn(state.rate_limiter.clone().forget_idle_until(stop.clone()));
        announce(&state.settings);
        let exempt = serve::exempt(&state.settings.trusted_proxies);
        serve::serve(listener, router, state.limits, &exempt, shutdown).await;
        // Only now: a request that was finished may have enqueued a job for its email.
        stop.cancel();
        background.close();
        background.wait().await;
        state.db.close().await;
        state.tracer.finish().await;
        tracing::info!("stopped");
        let Some(works) = works else { return Ok(()) };
        if works.await.unwrap_or(false) { Ok(()) } else { Err(WorkerEnded) }
    }
}

struct OpenedQueue {
    jobs: JobQueue,
    redis: Option<RedisQueue>,
    wake: Option<Arc<Notify>>,
    enqueuer: Option<Enqueuer>,
}

fn open_queue(settings: &Settings, stop: &CancellationToken) -> Result<OpenedQueue, QueueError> {
    let Some(url) = &settings.redis else {
        let (jobs, wake) = JobQueue::in_process();
        return Ok(OpenedQueue { jobs, redis: None, wake: Some(wake), enqueuer: None });
    };
    let queue = RedisQueue::new(url, &settings.queue_name, &settings.trust)?;
    let (jobs, enqueuer) = JobQueue::in_redis(queue.clone(), stop.clone());
    Ok(OpenedQueue { jobs, redis: Some(queue), wake: None, enqueuer: Some(Box::pin(enqueuer)) })
}

/// Logs what runs, and where to look first.
fn announce(settings: &Settings) {
    let (addr, url) = (settings.listen, settings.public_url.as_str());
    let mode = match settings.way_to_run() {
        WayToRun::Embedded => "embedded: SQLite, worker in this process",
        WayToRun::Postgres => "Postgres, worker in this process",
        WayToRun::PostgresAndRedis => "Postgres and Redis, bookly-worker sends the emails",
    };
    let inbox = settings.has_inbox().then(|| format!("{url}/inbox"));
    tracing::info!(%addr, mode, start_page = format!("{url}/"), inbox, "listening");
}

#[cfg(test)]
mod tests;

//! The worker process: start, signals, exit codes.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use bookly_shared::clock::Clock;
use bookly_shared::config::{DatabaseSettings, Settings};
use bookly_shared::db::{Db, PendingMigrations};
use bookly_shared::domain::printable_lines;
use bookly_shared::metrics::{Exporter, Sampler};
use bookly_shared::queue::RedisQueue;
use bookly_shared::trace::Tracer;
use bookly_shared::{signals, telemetry};
use tokio_util::sync::CancellationToken;

use crate::metrics::MetricsServer;
use crate::{JobSource, Worker};

/// The exit code for wrong settings, the same as clap's for wrong arguments.
pub const BAD_CONFIGURATION: u8 = 2;

/// The exit code of a command that could not do its work.
const FAILED: u8 = 1;

/// Prints what is wrong.
pub fn refuse(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    // Standard error may be closed. The exit code says the same.
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::from(code)
}

/// Runs the worker or a command to its end. An error goes to standard error, with its causes. `default_filter` is what is
/// logged where `RUST_LOG` is not set.
pub fn run(default_filter: &str, work: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    telemetry::init(default_filter);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&error, BAD_CONFIGURATION),
    };
    match runtime.block_on(work) {
        Ok(code) => code,
        // `bookly-worker mail list | head` closed the pipe.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => refuse(&format_args!("error: {}", printable_lines(&format!("{error:#}"))), FAILED),
    }
}

/// Only writing to standard output fails with a bare I/O error; those of servers are wrapped in others.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Opens the database and applies pending migrations.
///
/// # Errors
/// When it cannot be reached or belongs to another application.
pub async fn open_database(settings: &Settings) -> anyhow::Result<Db> {
    Ok(Db::open(&settings.database, PendingMigrations::of(settings)).await?)
}

/// Sends emails until SIGTERM or SIGINT, then finishes those in flight. A second signal ends the process at once.
///
/// # Errors
/// When the worker cannot start, with the remedy.
pub async fn work(settings: Settings) -> anyhow::Result<ExitCode> {
    let DatabaseSettings::Postgres { .. } = settings.database else {
        bail!("without DATABASE_URL the worker runs inside bookly-api; start that instead");
    };
    let Some(redis) = &settings.redis else {
        bail!("without REDIS_URL (or REDIS_HOST) the worker runs inside bookly-api; start that, or set it");
    };
    settings.log_warnings();
    let queue = RedisQueue::new(redis, &settings.queue_name, &settings.trust)?;
    let exporter = Exporter::install("worker")?;
    let db = open_database(&settings).await.context("the worker cannot start")?;
    db.require_grants_of_a_worker().await.context("the worker cannot start")?;
    let clock = Clock::synchronised(&db).await?;
    let stop = CancellationToken::new();
    signals::stop_on_signal(stop.clone())?;
    let sampler = Sampler { db: db.clone(), clock: clock.clone(), queue: Some(queue.clone()) };
    let metrics = MetricsServer::bind(&settings, exporter.clone(), sampler).await?;
    let tracer = Tracer::start(settings.traces.as_ref(), "bookly-worker", clock.clone())?;
    let jobs = JobSource::Redis(Box::new(queue));
    let worker = Worker::new(&settings, db.clone(), clock.clone(), jobs, tracer.clone())?;
    let working = async { tokio::join!(worker.run(stop.clone()), clock.keep_synchronised(db.clone(), stop)) };
    tokio::select! {
        _ = working => {}
        // Serves until the worker has ended, so that a slow stop is visible.
        () = serve_metrics(metrics, exporter) => {}
    }
    db.close().await;
    tracer.finish().await;
    tracing::info!("the worker has stopped");
    Ok(ExitCode::SUCCESS)
}

/// A future that never ends.
async fn serve_metrics(metrics: Option<MetricsServer>, exporter: Exporter) {
    let serve = async {
        if let Some(metrics) = metrics {
            metrics.serve(CancellationToken::new()).await;
        }
    };
    tokio::join!(serve, exporter.keep(CancellationToken::new()));
}

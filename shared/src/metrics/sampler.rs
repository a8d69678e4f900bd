//! Reads the state of the database and of Redis at every scrape.
//!
//! Every scraped process reads it, not one process on a timer, so that a backlog is visible when all workers are dead, and no
//! value is older than the scrape. A million sent rows cost nothing: the partial index contains only open ones.

use std::time::Duration;

use crate::clock::Clock;
use crate::db::Db;
use crate::db::emails::stats::{Backlog, Connections};
use crate::queue::RedisQueue;

use super::table::{
    DATABASE_CONNECTIONS, DATABASE_UP, EMAIL_LATENESS_SECONDS, EMAIL_OLDEST_SECONDS, EMAILS_ABANDONED,
    EMAILS_OPEN, JOBS_WAITING, REDIS_UP,
};

/// The time limit of a query: a scrape must not hang with the database. Prometheus waits ten seconds.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// Sets the gauges about database and Redis. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sampler {
    /// The database.
    pub db: Db,
    /// The installation's time.
    pub clock: Clock,
    /// The jobs, where there is Redis.
    pub queue: Option<RedisQueue>,
}

impl Sampler {
    /// Sets the gauges, within a second also when a server does not answer.
    pub async fn sample(&self) {
        show_connections(self.db.connections());
        tokio::join!(self.sample_emails(), self.sample_jobs());
    }

    async fn sample_emails(&self) {
        let answer = tokio::time::timeout(TIME_LIMIT, self.db.backlog(self.clock.now())).await;
        let backlog = answer.ok().and_then(Result::ok);
        DATABASE_UP.set(f64::from(u8::from(backlog.is_some())), []);
        show_backlog(backlog.as_ref());
    }

    async fn sample_jobs(&self) {
        let Some(queue) = &self.queue else { return };
        let answer = tokio::time::timeout(TIME_LIMIT, queue.waiting()).await;
        let waiting = answer.ok().and_then(Result::ok);
        REDIS_UP.set(f64::from(u8::from(waiting.is_some())), []);
        JOBS_WAITING.set(waiting.map_or(f64::NAN, |jobs| jobs as f64), []);
    }
}

fn show_backlog(backlog: Option<&Backlog>) {
    let show = |of: fn(&Backlog) -> f64| backlog.map_or(f64::NAN, of);
    EMAILS_OPEN.set(show(|it| it.queued as f64), ["queued".into()]);
    EMAILS_OPEN.set(show(|it| it.sending as f64), ["sending".into()]);
    EMAILS_ABANDONED.set(show(|it| it.abandoned as f64), []);
    EMAIL_OLDEST_SECONDS.set(show(|it| it.oldest_seconds), []);
    EMAIL_LATENESS_SECONDS.set(show(|it| it.lateness_seconds), []);
}

fn show_connections(connections: Connections) {
    DATABASE_CONNECTIONS.set(f64::from(connections.used), ["used".into()]);
    DATABASE_CONNECTIONS.set(f64::from(connections.idle), ["idle".into()]);
}

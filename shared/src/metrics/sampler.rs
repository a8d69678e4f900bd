//! What is asked anew at every scrape: how things stand in the database and in Redis.
//!
//! Asked by whoever is scraped and not by one process on a timer, so that a backlog is seen when all workers
//! are dead, and no figure outlives the process that measured it. With a million sent rows it costs nothing:
//! the partial index holds only what is open.

use std::time::Duration;

use crate::clock::Clock;
use crate::db::Db;
use crate::db::emails::backlog::{Backlog, Connections};
use crate::queue::RedisQueue;

use super::table::{
    DATABASE_CONNECTIONS, DATABASE_UP, EMAIL_LATENESS_SECONDS, EMAIL_OLDEST_SECONDS, EMAILS_ABANDONED,
    EMAILS_OPEN, JOBS_WAITING, REDIS_UP,
};

/// A scrape must not hang because the database does; Prometheus itself waits ten seconds.
const ASK_LIMIT: Duration = Duration::from_secs(1);

/// Asks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sampler {
    /// The database.
    pub db: Db,
    /// The installation's time.
    pub clock: Clock,
    /// The bells, where there is Redis.
    pub queue: Option<RedisQueue>,
}

impl Sampler {
    /// Sets the gauges; within a second, whatever is away.
    pub async fn sample(&self) {
        show_connections(self.db.connections());
        tokio::join!(self.sample_mails(), self.sample_bells());
    }

    async fn sample_mails(&self) {
        let asked = tokio::time::timeout(ASK_LIMIT, self.db.backlog(self.clock.now())).await;
        let backlog = asked.ok().and_then(Result::ok);
        DATABASE_UP.set(f64::from(u8::from(backlog.is_some())), []);
        show_backlog(backlog.as_ref());
    }

    async fn sample_bells(&self) {
        let Some(queue) = &self.queue else { return };
        let asked = tokio::time::timeout(ASK_LIMIT, queue.waiting()).await;
        let waiting = asked.ok().and_then(Result::ok);
        REDIS_UP.set(f64::from(u8::from(waiting.is_some())), []);
        JOBS_WAITING.set(waiting.map_or(f64::NAN, |bells| bells as f64), []);
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

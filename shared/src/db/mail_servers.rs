//! The table `mail_servers`: the circuits of the workers, for the operator's page.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Db, DbResult, on_db};
use crate::domain::MailServer;

/// A worker that wrote nothing for this long is not counted: it is gone, or has no database.
const GONE_AFTER: TimeDelta = TimeDelta::seconds(60);

/// The circuit state of one worker for a mail server.
#[derive(Clone, Debug)]
pub struct Circuit {
    /// The server's role.
    pub server: MailServer,
    /// Host and port.
    pub address: String,
    /// `closed`, `open` or `half_open`.
    pub circuit: &'static str,
}

/// The workers whose circuit for a mail server is in the same state.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Circuits {
    /// The server's role: `first`, `fallback`.
    pub server: String,
    /// Host and port.
    pub address: String,
    /// `closed`, `open` or `half_open`.
    pub circuit: String,
    /// Since when the first of these workers has had this state.
    pub since: DateTime<Utc>,
    /// How many workers.
    pub workers: i64,
}

const REPORT_CIRCUIT: &str = "
INSERT INTO mail_servers (worker, server, address, circuit, since, seen_at)
VALUES ($1, $2, $3, $4, $5, $5)
ON CONFLICT (worker, server) DO UPDATE
SET since = CASE WHEN mail_servers.circuit = excluded.circuit THEN mail_servers.since ELSE excluded.since END,
    circuit = excluded.circuit, seen_at = excluded.seen_at";

const FORGET_CIRCUITS: &str = "DELETE FROM mail_servers WHERE worker = $1";

/// `first` comes before `fallback`.
const LIST_CIRCUITS: &str = "
SELECT server, address, circuit, MIN(since) AS since, COUNT(*) AS workers
FROM mail_servers
WHERE seen_at > $1
GROUP BY server, address, circuit
ORDER BY server DESC, address, circuit";

/// How long the rows of a worker that is gone are kept.
pub(in crate::db) const KEEP_CIRCUITS_FOR: TimeDelta = TimeDelta::hours(1);

pub(in crate::db) const PURGE_CIRCUITS: &str = "
DELETE FROM mail_servers
WHERE (worker, server) IN (SELECT worker, server FROM mail_servers WHERE seen_at < $1 LIMIT $2)";

impl Db {
    /// Writes the circuit state of a worker for each mail server.
    pub async fn report_circuits(
        &self,
        worker: &str,
        circuits: &[Circuit],
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            for Circuit { server, address, circuit } in circuits {
                let query = sqlx::query(REPORT_CIRCUIT).bind(worker).bind(server.as_str());
                query.bind(address).bind(circuit).bind(now).execute(&mut *connection).await?;
            }
        })
    }

    /// Removes what a worker wrote: it stops.
    pub async fn forget_circuits(&self, worker: &str) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            sqlx::query(FORGET_CIRCUITS).bind(worker).execute(&mut *connection).await.map(drop)?
        })
    }

    /// The mail servers of the workers that run, the first one before the fallback.
    pub async fn circuits(&self, now: DateTime<Utc>) -> DbResult<Vec<Circuits>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(LIST_CIRCUITS).bind(now - GONE_AFTER).fetch_all(&mut *connection).await?
        })
    }
}

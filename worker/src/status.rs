//! Writes the circuit state of this worker for each mail server, for the operator's page.

use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::{MailTransport, Settings, SmtpSettings};
use bookly_shared::db::Db;
use bookly_shared::db::mail_servers::Circuit;
use bookly_shared::domain::MailServer;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::delivery::circuit_breaker::CircuitBreaker;
use crate::delivery::fallback::Fallback;

/// A change is written this soon.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// After this many checks it is written without a change, too: the page leaves out workers that wrote nothing for a
/// minute.
const WRITE_EVERY: u32 = 3;
/// A stop does not wait longer for the database.
const FORGET_LIMIT: Duration = Duration::from_secs(1);

/// What the reports need.
#[derive(Debug)]
pub(crate) struct StatusReporter {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    /// The worker's name.
    pub(crate) worker: String,
    pub(crate) servers: Vec<ReportedServer>,
}

/// A mail server of this worker.
#[derive(Debug)]
pub(crate) struct ReportedServer {
    server: MailServer,
    address: String,
    circuit_breaker: CircuitBreaker,
}

/// The mail servers of the settings; none where emails go to files.
pub(crate) fn reported_servers(
    settings: &Settings,
    first: &CircuitBreaker,
    fallback: Option<&Fallback>,
) -> Vec<ReportedServer> {
    let reported = |server, settings: &SmtpSettings, circuit_breaker: &CircuitBreaker| ReportedServer {
        server,
        address: format!("{}:{}", settings.host, settings.port),
        circuit_breaker: circuit_breaker.clone(),
    };
    let MailTransport::Smtp(smtp) = &settings.mail.transport else { return Vec::new() };
    let mut servers = vec![reported(MailServer::First, smtp, first)];
    if let (Some(fallback), Some(smtp)) = (fallback, &settings.mail.fallback) {
        servers.push(reported(MailServer::Fallback, smtp, &fallback.circuit_breaker));
    }
    servers
}

impl StatusReporter {
    /// Reports until `stop`, then removes what it wrote.
    pub(crate) async fn report(&self, stop: &CancellationToken) {
        if self.servers.is_empty() {
            return;
        }
        stop.run_until_cancelled(self.report_changes()).await;
        // Without the database the page leaves this worker out after a minute.
        let _ = timeout(FORGET_LIMIT, self.db.forget_circuits(&self.worker)).await;
    }

    async fn report_changes(&self) {
        let mut written = Vec::new();
        let mut looks = 0_u32;
        loop {
            let circuits = self.circuits();
            let names: Vec<&str> = circuits.iter().map(|circuit| circuit.circuit).collect();
            if names != written || looks.is_multiple_of(WRITE_EVERY) {
                let done = self.db.report_circuits(&self.worker, &circuits, self.clock.now()).await;
                written = if done.is_ok() { names } else { Vec::new() };
            }
            looks = looks.wrapping_add(1);
            sleep(LOOK_EVERY).await;
        }
    }

    fn circuits(&self) -> Vec<Circuit> {
        let circuit = |server: &ReportedServer| Circuit {
            server: server.server,
            address: server.address.clone(),
            circuit: server.circuit_breaker.circuit(),
        };
        self.servers.iter().map(circuit).collect()
    }
}

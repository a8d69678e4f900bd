//! `bookly-worker doctor`: checks everything that the service needs. It changes nothing and sends no email.

mod bounces;
mod database;
mod dns;
mod domain;
mod files;
mod redis;
mod report;
mod smtp;

use std::process::ExitCode;
use std::time::Duration;

use bookly_shared::config::{MailTransport, Settings, WayToRun};
use clap::Args;

use self::report::{Finding, Report, within};
use super::screen::print_json;

/// Checks everything that the service needs.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Doctor {
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
    /// Seconds that each check may take
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=120))]
    timeout: u64,
}

const HELP: &str = "\
Each check is one line: `ok`, `warn` or `FAIL`, its name and what was found, and below it how to repair it. The checks: \
settings, database, migrations, clock, redis, smtp, smtp_fallback, bounces, templates, domain, data_dir; and in the DNS spf, spf_fallback, \
dmarc, dkim, mx and ptr of the sender. A check that does not concern this installation is left out. Nothing is changed, migrated or sent: at the mail server it ends with MAIL FROM, RSET and QUIT.

Exit code 1 when anything FAILs, 2 when the settings are wrong.

JSON: {\"ok\", \"checks\": [{\"name\", \"status\": \"ok\"|\"warn\"|\"fail\", \"fact\", \"remedy\": text|null}]}";

impl Doctor {
    pub(super) async fn run(self, settings: &Settings) -> anyhow::Result<ExitCode> {
        let report = examine(settings, Duration::from_secs(self.timeout)).await;
        if self.json {
            print_json(&report)?
        } else {
            report.show()?
        }
        Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Runs all checks at once, so that several servers that do not answer cost one time limit.
async fn examine(settings: &Settings, limit: Duration) -> Report {
    let (database, redis, smtp, smtp_fallback, dns) = tokio::join!(
        database::check(&settings.database, limit),
        async {
            match &settings.redis {
                Some(url) => within(limit, "redis", redis::check(url, settings)).await,
                None => Vec::new(),
            }
        },
        within(limit, "smtp", smtp::check(&settings.mail.transport, settings, limit)),
        async {
            match &settings.mail.fallback {
                Some(server) => smtp::check_fallback(server, settings, limit).await,
                None => Vec::new(),
            }
        },
        Box::pin(dns::check(settings, limit)),
    );
    let mut findings = vec![mode(settings)];
    findings.extend(settings.warnings.iter().map(|warning| doubtful(warning)));
    findings.extend(database);
    findings.extend(redis);
    findings.extend(smtp);
    findings.extend(smtp_fallback);
    findings.extend(bounces::check(settings));
    findings.extend(dns);
    findings.push(files::templates(settings));
    findings.extend(domain::check(settings));
    findings.extend(files::data_dir(settings));
    Report::of(findings)
}

/// The settings are valid: wrong ones stop the command before this check.
fn mode(settings: &Settings) -> Finding {
    let mode = match settings.way_to_run() {
        WayToRun::Embedded => "SQLite, with the queue and the worker in bookly-api",
        WayToRun::Postgres => "Postgres, with the worker in bookly-api",
        WayToRun::PostgresAndRedis => "Postgres, Redis and worker processes",
    };
    let mail = match settings.mail.transport {
        MailTransport::Smtp(_) => "emails by SMTP",
        MailTransport::File => "emails as files",
    };
    Finding::ok("settings", format!("{mode}; {mail}"))
}

/// A warning that every start logs, too.
fn doubtful(warning: &str) -> Finding {
    Finding::warn("settings", warning, "correct the environment or .env; README.md lists all settings")
}

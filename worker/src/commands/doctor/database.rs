//! Database, migrations and clock, by one connection to the database.

use std::time::Duration;

use bookly_shared::config::DatabaseSettings;
use bookly_shared::db::inspect::{self, DatabaseProblem, DatabaseReport, InspectError, Tables};
use bookly_shared::db::{ConnectError, Migrations, certificate_remedy};
use chrono::TimeDelta;
use tokio::time::timeout;

use super::report::Finding;

/// A larger difference is not the delay of a network.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(2);

pub(super) async fn check(settings: &DatabaseSettings, limit: Duration) -> Vec<Finding> {
    let place = inspect::place(settings);
    match timeout(limit, inspect::inspect(settings)).await {
        Ok(Ok(report)) => {
            let (database, migrations) = tables(&report.tables, &place);
            let mut findings = vec![database.unwrap_or_else(|| server(&report, &place))];
            findings.extend(migrations);
            findings.push(clock(report.clock_ahead));
            findings
        }
        Ok(Err(InspectError::NoFile(file))) => vec![missing(&file.display().to_string())],
        Ok(Err(error)) => vec![refused(&error, &place)],
        Err(_) => {
            let fact = format!("{place}: no answer within {} s", limit.as_secs());
            vec![Finding::fail("database", fact, AWAY)]
        }
    }
}

const AWAY: &str =
    "start Postgres, or correct host and port in DATABASE_URL; no accepted email is lost meanwhile";

fn refused(error: &InspectError, place: &str) -> Finding {
    // The text of this error holds the remedy, for the log of a start.
    let fact = match error.problem() {
        DatabaseProblem::Certificate(problem) => problem.to_string(),
        _ => error.to_string(),
    };
    Finding::fail("database", format!("{place}: {fact}"), remedy(error))
}

fn remedy(error: &InspectError) -> &'static str {
    match error.problem() {
        DatabaseProblem::Login => {
            "correct user and password in DATABASE_URL, or allow the user in pg_hba.conf"
        }
        DatabaseProblem::NoSuchDatabase => {
            "create it (createdb), or correct the name at the end of DATABASE_URL"
        }
        DatabaseProblem::TooManyConnections => {
            "raise max_connections of Postgres, or run fewer processes: each opens up to DATABASE_POOL_SIZE connections"
        }
        DatabaseProblem::Tls => {
            "turn TLS on in Postgres (ssl = on), or set another ?sslmode= in DATABASE_URL"
        }
        DatabaseProblem::Certificate(problem) => certificate_remedy(problem),
        DatabaseProblem::Away => AWAY,
        DatabaseProblem::Other if matches!(error, InspectError::Connect(ConnectError::DataDir { .. })) => {
            "give this user write permission for DATA_DIR"
        }
        DatabaseProblem::Other => "read the log of the database",
    }
}

fn missing(file: &str) -> Finding {
    let fact = format!("{file} is not there yet");
    let remedy = "the first start of bookly-api creates it; if bookly-api has run, DATA_DIR names another folder (a relative \
                  path begins where the command runs)";
    Finding::warn("database", fact, remedy)
}

fn server(report: &DatabaseReport, place: &str) -> Finding {
    let fact = format!("{} at {place}, connected in {} ms", report.server, report.connected_in.as_millis());
    if !report.is_writable {
        let remedy = "this is a replica, or set to read-only: DATABASE_URL must name the primary";
        return Finding::fail("database", format!("{fact}, takes no writes"), remedy);
    }
    if !report.missing_grants.is_empty() {
        let fact = format!("{fact}, and this user may not read and write all tables");
        return Finding::fail("database", fact, report.missing_grants.join("; "));
    }
    Finding::ok("database", fact)
}

/// The result for the database, where the tables decide it, and the one for the migrations.
fn tables(tables: &Tables, place: &str) -> (Option<Finding>, Option<Finding>) {
    match tables {
        Tables::Foreign(table) => {
            let fact = format!("{place} holds a table `{table}` of another application; nothing was changed");
            let remedy = "create an empty database for Bookly (createdb) and name it in DATABASE_URL";
            (Some(Finding::fail("database", fact, remedy)), None)
        }
        Tables::None { can_create: true } => {
            let remedy = "the first start of bookly-api or bookly-worker creates them; if one has run, DATABASE_URL names \
                          another database";
            (None, Some(Finding::warn("migrations", "there are no tables yet", remedy)))
        }
        Tables::None { can_create: false } => {
            let remedy =
                "GRANT CREATE ON SCHEMA public TO the user of DATABASE_URL, or make it the database's owner";
            (
                None,
                Some(Finding::fail(
                    "migrations",
                    "there are no tables, and this user may not create any",
                    remedy,
                )),
            )
        }
        Tables::Ours(found) => (None, Some(migrations(found))),
    }
}

fn migrations(found: &Migrations) -> Finding {
    let of = |names: &[String], what: &str| format!("{} {what}", names.join(", "));
    if !found.unfinished.is_empty() {
        let remedy = "restore the database from a backup, or undo the finished part and delete its row in _sqlx_migrations; \
                      then start again";
        Finding::fail("migrations", of(&found.unfinished, "was started and did not finish"), remedy)
    } else if !found.changed.is_empty() {
        let remedy = "the applied migrations are not those of this release: run the release that created the tables, or a \
                      later one";
        Finding::fail("migrations", of(&found.changed, "was applied with another text"), remedy)
    } else if !found.missing.is_empty() {
        let remedy = "the next start of this version applies it; older processes keep working beside it";
        Finding::warn("migrations", of(&found.missing, "is not applied yet"), remedy)
    } else if !found.unknown.is_empty() {
        let remedy =
            "a newer version applied it, which does no harm; finish the deploy, or use the newer command";
        Finding::warn("migrations", of(&found.unknown, "is not known to this version"), remedy)
    } else {
        Finding::ok("migrations", format!("{} applied, none is missing", found.applied.len()))
    }
}

fn clock(ahead: Option<TimeDelta>) -> Finding {
    let Some(ahead) = ahead else {
        return Finding::ok("clock", "this machine's clock: SQLite has none of its own");
    };
    let milliseconds = ahead.num_milliseconds();
    let direction = if milliseconds < 0 { "behind" } else { "ahead of" };
    let fact = format!("{:.3} s {direction} the database's", ahead.abs().as_seconds_f64());
    if ahead.abs() <= CLOCK_TOLERANCE {
        return Finding::ok("clock", fact);
    }
    let remedy = "set this machine's or the database's clock by NTP; emails use the clock of the database, logs and \
                  certificates the one of this machine";
    Finding::warn("clock", fact, remedy)
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    #[test]
    fn the_worst_finding_about_the_migrations_is_reported() {
        let some = |name: &str| vec![name.to_owned()];
        let mut found = Migrations { applied: some("0001 a"), ..Migrations::default() };
        assert_eq!(migrations(&found).status, Status::Ok);
        found.unknown = some("0009 z");
        assert_eq!(migrations(&found).status, Status::Warn);
        found.missing = some("0002 b");
        assert_eq!(migrations(&found).fact, "0002 b is not applied yet");
        found.changed = some("0003 c");
        assert_eq!(migrations(&found).status, Status::Fail);
        found.unfinished = some("0004 d");
        assert!(migrations(&found).fact.starts_with("0004 d"));
    }

    #[test]
    fn a_missing_grant_fails_with_the_statement_that_grants_it() {
        let grant = "GRANT INSERT ON email_attempts TO bookly";
        let mut report = DatabaseReport {
            server: "PostgreSQL 17.2".into(),
            connected_in: Duration::from_millis(3),
            is_writable: true,
            missing_grants: Vec::new(),
            clock_ahead: None,
            tables: Tables::Ours(Migrations::default()),
        };
        assert_eq!(server(&report, "bookly@db:5432/bookly").status, Status::Ok);
        report.missing_grants.push(grant.into());
        let finding = server(&report, "bookly@db:5432/bookly");
        assert_eq!((finding.status, finding.remedy.as_deref()), (Status::Fail, Some(grant)));
    }

    #[test]
    fn a_clock_may_be_two_seconds_off_in_both_directions() {
        for (milliseconds, status, fact) in [
            (1_500, Status::Ok, "1.500 s ahead of the database's"),
            (-2_000, Status::Ok, "2.000 s behind the database's"),
            (-2_001, Status::Warn, "2.001 s behind the database's"),
            (3_600_000, Status::Warn, "3600.000 s ahead of the database's"),
        ] {
            let finding = clock(Some(TimeDelta::milliseconds(milliseconds)));
            assert_eq!((finding.status, finding.fact.as_str()), (status, fact));
        }
        assert_eq!(clock(None).status, Status::Ok);
    }
}

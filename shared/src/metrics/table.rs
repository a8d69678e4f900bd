//! The one table of all metrics: what is recorded, described to Prometheus and documented comes from here.
//!
//! Values of labels are of small fixed sets: routes as they are written in the code, kinds, outcomes, stages.
//! Never an address, a path or an id.

use std::fmt::Write as _;

use super::kinds::{Counter, Described, Gauge, Histogram};

const REQUEST_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From a mail that goes at once to the 24 h after which one is given up.
const DELIVERY_BUCKETS: &[f64] =
    &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 86_400.0];
/// From a mail server next door to the 10 minutes that the final dot's answer may take (RFC 5321 §4.5.3.2.6).
const STAGE_BUCKETS: &[f64] =
    &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0, 600.0];
/// One hash takes 15 ms; nobody waits longer than 5 s.
const HASH_WAIT_BUCKETS: &[f64] = &[0.001, 0.005, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0];

macro_rules! table {
    ($($name:ident: $kind:ident($($label:ident),*), $text:literal, $help:literal $(, $buckets:ident)?;)*) => {
        $(
            #[doc = $help]
            pub static $name: $kind<{ const LABELS: &[&str] = &[$(stringify!($label)),*]; LABELS.len() }> =
                $kind::new($text, [$(stringify!($label)),*], $help $(, $buckets)?);
        )*

        /// All metrics, in the order in which they are documented.
        pub static METRICS: &[&dyn Described] = &[$(&$name),*];
    };
}

table! {
    BUILD_INFO: Gauge(version, process), "bookly_build_info",
        "Always 1; the version that runs and whether it is the api or a worker.";

    HTTP_REQUESTS: Counter(method, route, status), "bookly_http_requests_total",
        "Requests answered, by the route as the code names it; none for what is no route.";
    HTTP_SECONDS: Histogram(method, route), "bookly_http_request_duration_seconds",
        "From the headers of a request to those of its answer.", REQUEST_BUCKETS;
    HTTP_IN_FLIGHT: Gauge(), "bookly_http_requests_in_flight",
        "Requests under way.";
    HASH_WAITING: Gauge(), "bookly_hash_queue_waiting",
        "Passwords that wait to be hashed.";
    HASH_WAIT_SECONDS: Histogram(), "bookly_hash_queue_wait_seconds",
        "How long passwords waited to be hashed.", HASH_WAIT_BUCKETS;
    HASH_REFUSED: Counter(), "bookly_hash_queue_refused_total",
        "Passwords that were not hashed because too many waited, or waited too long; answered with 503.";

    EMAILS_QUEUED: Counter(kind), "bookly_emails_queued_total",
        "Mails written into the queue by this process.";
    EMAILS_CLOSED: Counter(kind, outcome), "bookly_emails_closed_total",
        "Mails that this process brought to their end: sent, failed, cancelled.";
    EMAIL_ATTEMPTS: Counter(kind, outcome), "bookly_email_attempts_total",
        "Attempts: sent, failed, cancelled, retried, lease_lost (stopped before DATA), database_away (its claim runs out).";
    EMAIL_DELIVERY_SECONDS: Histogram(kind), "bookly_email_delivery_seconds",
        "From a mail's acceptance into the queue to the mail server's 250.", DELIVERY_BUCKETS;
    EMAIL_LEASES_LOST: Counter(kind), "bookly_email_leases_lost_total",
        "Attempts whose worker was lost or too slow, so that another took the mail over; counted when the mail is closed.";
    EMAILS_IN_FLIGHT: Gauge(), "bookly_emails_in_flight",
        "Mails that this process has claimed and not closed.";
    EMAILS_OPEN: Gauge(state), "bookly_emails_open",
        "Rows that are queued or sending, in the whole installation; NaN while the database does not answer.";
    EMAIL_OLDEST_SECONDS: Gauge(), "bookly_email_oldest_queued_seconds",
        "Age of the oldest queued mail, 0 for none; retries keep the age of their acceptance.";
    EMAIL_LATENESS_SECONDS: Gauge(), "bookly_email_queue_lateness_seconds",
        "How long the longest due mail has waited for a worker, 0 for none: grows when no worker works.";
    EMAILS_ABANDONED: Gauge(), "bookly_emails_lease_expired",
        "Rows whose worker let the lease run out and that nobody has taken over yet.";

    SMTP_REACHABLE: Gauge(), "bookly_smtp_reachable",
        "1 while the mail server, or the folder of the file transport, is thought to take mails; 0 while it is probed.";
    SMTP_FAILURES: Counter(stage, kind), "bookly_smtp_failures_total",
        "Sends and probes that failed, by the stage of the session and what follows from it.";
    SMTP_OPEN: Gauge(), "bookly_smtp_connections_open",
        "Connections to the mail server.";
    SMTP_OPENED: Counter(), "bookly_smtp_connections_opened_total",
        "Connections to the mail server that were opened, login included.";
    SMTP_STAGE_SECONDS: Histogram(stage), "bookly_smtp_stage_duration_seconds",
        "How long each stage of an SMTP session took, whatever came of it.", STAGE_BUCKETS;

    MAINTENANCE_LEADER: Gauge(), "bookly_maintenance_leader",
        "1 in the process that relays: frees mails of lost workers, rings again, fails what is overdue, clears what is old.";
    JOBS_REENQUEUED: Counter(), "bookly_jobs_reenqueued_total",
        "Jobs that the relay rang again, since the first ring came to nothing or a retry fell due.";
    JOBS_ENQUEUED: Counter(), "bookly_jobs_enqueued_total",
        "Jobs pushed to Redis for the requests of this process; one serves for several mails.";
    JOBS_DROPPED: Counter(), "bookly_jobs_dropped_total",
        "Jobs not pushed, since Redis was away or full; the relay rings for their mails.";
    JOBS_WAITING: Gauge(), "bookly_jobs_waiting",
        "Jobs that wait in Redis; NaN while it does not answer.";

    DATABASE_UP: Gauge(), "bookly_database_up",
        "1 when the database answered this scrape within a second.";
    DATABASE_CONNECTIONS: Gauge(state), "bookly_database_connections",
        "Connections of this process' pool, used and idle.";
    REDIS_UP: Gauge(), "bookly_redis_up",
        "1 when Redis answered this scrape within a second.";
}

/// The table as Markdown, for `docs/metrics.md`.
pub fn markdown() -> String {
    let mut text = String::from("| metric | type | labels | what it tells |\n|---|---|---|---|\n");
    for row in METRICS.iter().map(|metric| metric.row()) {
        let labels = row.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| `{}` | {} | {labels} | {} |", row.name, row.kind, row.help);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_prometheus_conventions_and_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for row in METRICS.iter().map(|metric| metric.row()) {
            assert!(seen.insert(row.name), "{} stands twice", row.name);
            assert!(row.name.starts_with("bookly_"), "{}", row.name);
            assert_eq!(row.name.ends_with("_total"), row.kind == "counter", "{}", row.name);
            assert_eq!(row.kind == "histogram", !row.buckets.is_empty(), "{}", row.name);
            assert!(row.buckets.is_sorted(), "{}", row.name);
            if row.kind == "histogram" {
                assert!(row.name.ends_with("_seconds"), "{}", row.name);
            }
        }
    }
}

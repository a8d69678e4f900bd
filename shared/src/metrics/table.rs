//! The table of all metrics, for recording, for Prometheus and for the documentation.
//!
//! The values of a label are from a small fixed set: routes as written in the code, kinds, outcomes, stages. Never an
//! address, a path or an id.

use super::kinds::{Counter, Gauge, Histogram, Metric};

const REQUEST_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// From an email that is sent at once to the deadline of 24 h.
const DELIVERY_BUCKETS: &[f64] =
    &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 21_600.0, 86_400.0];
/// From a mail server on the local network to the 10 minutes for the reply to the final dot (RFC 5321 §4.5.3.2.6).
const STAGE_BUCKETS: &[f64] =
    &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0, 60.0, 600.0];
/// One hash takes 15 ms; a request waits 5 s at most.
const HASH_WAIT_BUCKETS: &[f64] = &[0.001, 0.005, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 2.5, 5.0];

macro_rules! table {
    ($($name:ident: $kind:ident($($label:ident),*), $text:literal, $help:literal $(, $buckets:ident)?;)*) => {
        $(
            #[doc = $help]
            pub static $name: $kind<{ const LABELS: &[&str] = &[$(stringify!($label)),*]; LABELS.len() }> =
                $kind::new($text, [$(stringify!($label)),*], $help $(, $buckets)?);
        )*

        /// All metrics, in the order in which they are documented.
        pub static METRICS: &[&dyn Metric] = &[$(&$name),*];
    };
}

table! {
    BUILD_INFO: Gauge(version, process), "bookly_build_info",
        "Always 1; the labels are the version and the process, api or worker.";

    HTTP_REQUESTS: Counter(method, route, status), "bookly_http_requests_total",
        "Answered requests, by the route as written in the code; no route for unknown paths.";
    HTTP_SECONDS: Histogram(method, route), "bookly_http_request_duration_seconds",
        "Time from the headers of a request to the headers of its response.", REQUEST_BUCKETS;
    HTTP_IN_FLIGHT: Gauge(), "bookly_http_requests_in_flight",
        "Requests that are being answered.";
    HASH_WAITING: Gauge(), "bookly_hash_queue_waiting",
        "Requests that wait for a password hash.";
    HASH_WAIT_SECONDS: Histogram(), "bookly_hash_queue_wait_seconds",
        "How long requests waited for a password hash.", HASH_WAIT_BUCKETS;
    HASH_REFUSED: Counter(), "bookly_hash_queue_refused_total",
        "Requests answered with 503 because too many waited for a password hash, or because they waited too long.";

    EMAILS_QUEUED: Counter(kind), "bookly_emails_queued_total",
        "Emails that this process queued.";
    EMAILS_CLOSED: Counter(kind, outcome), "bookly_emails_closed_total",
        "Emails that this process closed: sent, failed, cancelled.";
    EMAIL_ATTEMPTS: Counter(kind, outcome), "bookly_email_attempts_total",
        "Attempts by outcome: sent, failed, cancelled, retried, lease_lost (stopped before DATA), database_away (queued again; the lease runs out if that fails, too), released (with a fallback: queued again, because neither could get it).";
    EMAIL_DELIVERY_SECONDS: Histogram(kind), "bookly_email_delivery_seconds",
        "Time from queuing an email to the mail server's 250.", DELIVERY_BUCKETS;
    EMAIL_LEASES_LOST: Counter(kind), "bookly_email_leases_lost_total",
        "Attempts whose lease ran out because the worker died or was too slow; counted when the email is closed.";
    EMAIL_REPORTS: Counter(source, effect), "bookly_email_reports_total",
        "What providers reported to this process: bounced and complained (it closed the email), soft_bounced, delayed, no_effect (repeated, or nothing changes), not_ours (it names no email of this service, or another recipient), refused (a call with a wrong proof). Reports by email are not counted: each has a process of its own.";
    EMAILS_IN_FLIGHT: Gauge(), "bookly_emails_in_flight",
        "Emails that this process has claimed and not closed.";
    EMAILS_OPEN: Gauge(state), "bookly_emails_open",
        "Emails that are queued or sending, in the whole installation; NaN while the database does not answer.";
    EMAIL_OLDEST_SECONDS: Gauge(), "bookly_email_oldest_queued_seconds",
        "Age of the oldest queued email since it was created, 0 for none.";
    EMAIL_LATENESS_SECONDS: Gauge(), "bookly_email_queue_lateness_seconds",
        "How long the email that is due longest has waited for a worker, 0 for none; grows when no worker runs.";
    EMAILS_ABANDONED: Gauge(), "bookly_emails_lease_expired",
        "Emails whose lease ran out and that the leader has not rescued yet.";

    SMTP_REACHABLE: Gauge(server), "bookly_smtp_reachable",
        "1 while the circuit breaker is closed, 0 while the mail server, or the folder of the file transport, is probed. `server` is `fallback` for `MAIL_FALLBACK_SERVER`, here and below; the first one has no such label.";
    SMTP_FAILURES: Counter(server, stage, kind), "bookly_smtp_failures_total",
        "Failed sends and probes, by the stage of the SMTP session and the verdict.";
    SMTP_OPEN: Gauge(server), "bookly_smtp_connections_open",
        "Open connections to the mail server.";
    SMTP_OPENED: Counter(server), "bookly_smtp_connections_opened_total",
        "Connections to the mail server that were opened, with login.";
    SMTP_STAGE_SECONDS: Histogram(server, stage), "bookly_smtp_stage_duration_seconds",
        "How long each stage of an SMTP session took, whether it succeeded or not.", STAGE_BUCKETS;

    MAINTENANCE_LEADER: Gauge(), "bookly_maintenance_leader",
        "1 in the leader, the process that runs maintenance: rescue lost leases, re-enqueue, expire, purge.";
    JOBS_REENQUEUED: Counter(), "bookly_jobs_reenqueued_total",
        "Jobs that the leader enqueued again, because the first push was lost or a retry is due.";
    JOBS_ENQUEUED: Counter(), "bookly_jobs_enqueued_total",
        "Jobs that this process pushed to Redis; one job can wake a worker for several emails.";
    JOBS_DROPPED: Counter(), "bookly_jobs_dropped_total",
        "Jobs not pushed, because Redis was away or full; the leader enqueues their emails again.";
    JOBS_WAITING: Gauge(), "bookly_jobs_waiting",
        "Jobs in Redis; NaN while it does not answer.";

    DATABASE_UP: Gauge(), "bookly_database_up",
        "1 if the database answered within a second during this scrape.";
    DATABASE_CONNECTIONS: Gauge(state), "bookly_database_connections",
        "Connections in the pool of this process, used and idle.";
    REDIS_UP: Gauge(), "bookly_redis_up",
        "1 if Redis answered within a second during this scrape.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_prometheus_conventions_and_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for row in METRICS.iter().map(|metric| metric.row()) {
            assert!(seen.insert(row.name), "{} is there twice", row.name);
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

//! The protocol of rows, jobs, claims, leases and fencing tokens, checked exhaustively by a model checker (stateright).
//!
//! # What is modelled
//! Two emails whose rows are committed, two deliveries in two worker processes (or both in one), jobs in Redis (or none:
//! workers poll the table), maintenance, the circuit breaker, and a mail server, or two, that may do anything. States
//! and steps have the names of the code:
//!
//! | step | code |
//! |---|---|
//! | `TakeJob` | `Listener::handle` |
//! | `ClaimDue`, `NothingDue` | `Fetcher::claim_and_deliver`, `claim_due` |
//! | `GiveUp`, `NotWanted` | `reason_to_give_up` in `deliver.rs`; `Preparer::prepare` returns `Decision::Cancel` |
//! | `ServerUnavailable`, `ProbeSucceeds` | `CircuitBreaker::failed`, `CircuitBreaker::probe`, `Retry { counts: false }` |
//! | `Refused` | the replies up to RCPT TO, `Delivery::judge` |
//! | `CheckLease` | `Lease::still_holds`: the claim is new, `lease_lasts`, or `renew_lease` where little of the lease is left |
//! | `Data`, `FinalDot`, `ReplyArrives`, `ReplyLost` | `Session::data`: DATA; the final dot and the server's decision; its reply |
//! | `Complete` | `Delivery::complete`: `complete_sent`, `complete_failed`, `cancel`, `retry_later` |
//! | `Release` | `Fallback::choose`, `Released`; `Db::release` |
//! | `RenewLeases`, `LeaseExpires` | `Leases::renew`, `renew_leases`; `lease_until` passes |
//! | `RescueLostLease`, `Reenqueue`, `FailOverdue` | `Maintenance::round`: `rescue_lost_leases`; `take_unenqueued` and `RedisQueue::push`; `fail_overdue` |
//! | `Crash`, `Pause`, `Continue` | kill -9 and a new process; SIGSTOP; SIGCONT |
//! | `FlushAll`, `DuplicateJob` | Redis is emptied; a job comes twice |
//! | `Report` | `Db::record_report`: a hard bounce or a complaint of a copy that was accepted |
//!
//! # What is abstracted
//! - Time: a row is due or not, a lease is valid or expired, a deadline passed or not. A lease expires only while it is
//!   not renewed: its worker was killed or is paused. Jobs, replies and steps may take any time.
//! - A database call is one step and does not fail. One that fails ends the attempt (the row is left to its lease), as a
//!   crash does; only `complete_sent` is repeated until it succeeds, which is a late step.
//! - One leader at a time, in any of the running workers; it enqueues rows without a job. That it may enqueue one whose
//!   job waits already is a `DuplicateJob`.
//! - With Redis a delivery begins with a job. In the code one job is enough for many rows, and a worker also polls the
//!   table when it starts and whenever it loses Redis; the checks without Redis have claims begin at any time.
//! - The limits of 5 lost leases and 3 lost replies are 2 each, so that a run can reach them.
//! - With a fallback: a claim that would be released at once, because its row is bound to a server whose
//!   circuit is open, is left out; in the code it is repeated every 15 seconds until a probe succeeds. Half-open circuits
//!   are left out.
//! - `retry_email` (an operator's) and `purge` are left out, as are the content of an email and the wait before a retry.
//!
//! # Bounds
//! Up to three faults in a run (two where a test says so), of any kinds, in any combination, at any time; in addition
//! the first job of each email arrived or was lost. A fault is one of: crash, pause past the lease, FLUSHALL, a
//! duplicate job, a lost reply (the email accepted or not), a 4xx or a broken connection, a 5xx, the server as a whole
//! being away, a deadline passing, an email that is not wanted any more; and a report, where a test says so. Within
//! that every order of all steps is checked. (States are compared by 64-bit fingerprints; for a million states the
//! chance of a collision is 1 in 30 million.)
//!
//! # Liveness
//! stateright's `eventually` misses runs that share states, so it is not used. Instead: every step brings a run strictly
//! nearer to its end (`progress`; checked at each step), so no run is endless; and no state in which only faults and
//! SIGCONT can happen has an open row. Together: once faults stop, every row is closed.
//!
//! # What the check of the lease guarantees, and what it does not
//! The check and DATA are two steps with time between them. When the check succeeds, the claim is the row's only live
//! one and most of its lease is left: it is new, or the database says so, or it is renewed. After that, a stale
//! transmission needs one of two things. Either this worker is paused, or cannot reach the database, for longer than the
//! whole lease between the check and the end of its final dot (this window cannot be closed without the mail server's
//! help). Or an older attempt, which passed its own check before it lost its lease, records its 250 in between. Where
//! check and transmission are one step (`window: false`) neither can happen, and the model shows that then no stale
//! worker ever transmits.
#![expect(clippy::expect_used, reason = "a test fails by a panic")]

mod action;
mod possible;
mod properties;
mod row;
mod steps;
mod system;

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::action::Action;
use crate::system::{DELIVERIES, System};

/// The protocol, as it is or broken on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    /// The process of each delivery.
    processes_of: [usize; DELIVERIES],
    job_source: JobSource,
    /// Whether there is a fallback.
    fallback: bool,
    /// Whether copies that were accepted may be reported as bounced, or as spam.
    reports: bool,
    /// Whether time passes between the check of the lease and the end of DATA, as it does, or not.
    window: bool,
    variant: Variant,
    /// How many faults, of any kinds, may happen in one run.
    faults: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobSource {
    /// Jobs in Redis: `listener.rs` and `fetcher.rs`.
    Redis,
    /// No Redis: `fetcher.rs` alone.
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    AsBuilt,
    /// DATA without a check of the lease.
    NoLeaseCheck,
    /// No row is enqueued again or rescued.
    NoMaintenance,
    /// `complete_failed`, `cancel` and `retry_later` by id alone.
    CompleteWithoutToken,
    /// `complete_sent` only with the current fencing token.
    TokenForSent,
    /// A lost answer binds an email to no server.
    NotBound,
    /// A 5xx of the fallback fails an email.
    FallbackIsFinal,
    /// `complete_sent` without regard to a report.
    SentOverReport,
    /// A report closes a row that is `sent`, and no other.
    ReportOfSentOnly,
}

impl Protocol {
    /// Two worker processes with one delivery each, with Redis, as built.
    fn as_built(faults: u8) -> Protocol {
        Protocol {
            processes_of: [0, 1],
            job_source: JobSource::Redis,
            fallback: false,
            reports: false,
            window: true,
            variant: Variant::AsBuilt,
            faults,
        }
    }
}

impl Model for Protocol {
    type State = System;
    type Action = Action;

    /// The first job of each email arrived, or was lost with the API or Redis.
    fn init_states(&self) -> Vec<System> {
        match self.job_source {
            JobSource::Redis => {
                let jobs = [[0, 0], [0, 1], [1, 0], [1, 1]];
                jobs.map(|jobs| System::committed(jobs, self.faults)).to_vec()
            }
            JobSource::Table => vec![System::committed([0, 0], self.faults)],
        }
    }

    fn actions(&self, system: &System, actions: &mut Vec<Action>) {
        self.possible(system, actions);
    }

    fn next_state(&self, before: &System, action: Action) -> Option<System> {
        let mut after = *before;
        self.take(&mut after, action);
        self.audit(before, action, &mut after);
        // The run of a broken variant is printed: its numbers stay as they are.
        let broken = self.variant != Variant::AsBuilt;
        Some(if broken { after } else { after.representative(&self.processes_of) })
    }

    fn properties(&self) -> Vec<Property<Protocol>> {
        properties::all()
    }
}

/// Checks all properties in all states.
fn holds(name: &str, protocol: Protocol) {
    let began = Instant::now();
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    report(name, &checker, began);
    checker.assert_properties();
}

/// Finds the shortest run that breaks the property, and shows it.
fn fails(variant: Variant, property: &'static str) {
    broken_fails(Protocol { variant, ..Protocol::as_built(2) }, property);
}

fn broken_fails(protocol: Protocol, property: &'static str) {
    let (began, variant) = (Instant::now(), protocol.variant);
    let until = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checker = protocol.checker().finish_when(until).spawn_bfs().join();
    let broken = checker.discovery(property);
    let run = broken.expect("the broken variant passes: the model misses the fault").into_actions();
    let steps = run.iter().map(|action| format!("{action:?}")).collect::<Vec<_>>().join(", ");
    report(&format!("{variant:?} breaks \"{property}\" by {steps}"), &checker, began);
}

fn report(name: &str, checker: &impl Checker<Protocol>, began: Instant) {
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    let seconds = began.elapsed().as_secs_f64();
    let line = format!("protocol: {name}: {states} states, {steps} steps, {depth} deep, {seconds:.1} s\n");
    // Written directly, because the test harness hides what a passing test prints.
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is there");
}

/// Every combination of three faults.
#[test]
fn two_workers_with_redis_keep_the_promise() {
    holds("two workers with Redis, 3 faults", Protocol::as_built(3));
}

/// The second delivery can be of a email whose first one, in the same process, stands past its lease.
#[test]
fn one_worker_with_two_deliveries_keeps_the_promise() {
    holds(
        "one worker with two deliveries, 2 faults",
        Protocol { processes_of: [0, 0], ..Protocol::as_built(2) },
    );
}

#[test]
fn two_workers_without_redis_keep_the_promise() {
    holds(
        "two workers without Redis, 3 faults",
        Protocol { job_source: JobSource::Table, ..Protocol::as_built(3) },
    );
}

#[test]
fn without_time_between_check_and_transmission_no_stale_worker_transmits() {
    holds(
        "check and transmission in one step, 2 faults",
        Protocol { window: false, ..Protocol::as_built(2) },
    );
}

#[test]
fn two_workers_with_two_mail_servers_keep_the_promise() {
    holds("two workers, two mail servers, 2 faults", Protocol { fallback: true, ..Protocol::as_built(2) });
}

/// A circuit opens for a delivery that was claimed before.
#[test]
fn one_worker_with_two_deliveries_and_two_mail_servers_keeps_the_promise() {
    let protocol = Protocol { processes_of: [0, 0], fallback: true, ..Protocol::as_built(2) };
    holds("one worker with two deliveries, two mail servers, 2 faults", protocol);
}

#[test]
fn with_reports_two_workers_keep_the_promise_and_send_nothing_afterwards() {
    holds(
        "two workers without Redis, reports, 3 faults",
        Protocol { job_source: JobSource::Table, ..with_reports(3) },
    );
    let protocol = Protocol { window: false, processes_of: [0, 0], ..with_reports(2) };
    holds("check and transmission in one step, one worker, reports, 2 faults", protocol);
}

#[test]
fn with_reports_and_two_mail_servers_two_workers_keep_the_promise() {
    let protocol = Protocol { fallback: true, ..with_reports(2) };
    holds("two workers, two mail servers, reports, 2 faults", protocol);
}

fn with_reports(faults: u8) -> Protocol {
    Protocol { reports: true, ..Protocol::as_built(faults) }
}

#[test]
fn if_a_250_overwrote_a_report_the_report_would_be_lost() {
    let protocol = Protocol { variant: Variant::SentOverReport, ..with_reports(2) };
    broken_fails(protocol, properties::REPORTED_IS_FINAL);
}

#[test]
fn if_a_report_closed_only_what_is_sent_a_reported_email_would_be_sent_again() {
    let protocol = Protocol { variant: Variant::ReportOfSentOnly, ..with_reports(2) };
    broken_fails(protocol, properties::NOTHING_AFTER_REPORT);
}

#[test]
fn if_a_lost_answer_bound_no_email_the_other_server_would_send_it() {
    let protocol = Protocol { variant: Variant::NotBound, fallback: true, ..Protocol::as_built(2) };
    broken_fails(protocol, properties::BOUND_STAYS);
}

#[test]
fn if_the_fallback_could_fail_an_email_it_would_be_one_that_the_first_server_takes() {
    let protocol = Protocol { variant: Variant::FallbackIsFinal, fallback: true, ..Protocol::as_built(2) };
    broken_fails(protocol, properties::ONLY_FIRST_IS_FINAL);
}

#[test]
fn without_the_check_before_data_a_stale_worker_sends_an_unexplained_copy() {
    fails(Variant::NoLeaseCheck, properties::COPIES_ARE_EXPLAINED);
    fails(Variant::NoLeaseCheck, properties::STALE_STARTS_NOTHING);
}

#[test]
fn without_maintenance_a_lost_job_is_a_lost_email() {
    fails(Variant::NoMaintenance, properties::NOTHING_STAYS_OPEN);
}

#[test]
fn without_the_fencing_token_a_stale_worker_reopens_a_sent_email() {
    fails(Variant::CompleteWithoutToken, properties::SENT_IS_FINAL);
    fails(Variant::CompleteWithoutToken, properties::STALE_CHANGES_NOTHING);
}

#[test]
fn if_only_the_holder_could_record_a_250_it_would_be_lost() {
    fails(Variant::TokenForSent, properties::EARNED_250_COUNTS);
}

//! The protocol of rows, bells, claims, leases and fencing_tokens, checked exhaustively by a model checker (stateright).
//!
//! # What is modelled
//! Two mails whose accepting transactions are committed, two deliveries in two worker processes (or both in one),
//! Redis' bells (or none: workers look at the table), the relay, the gate, and a mail server that makes up its own
//! mind. States and steps bear the names of the code:
//!
//! | step | code |
//! |---|---|
//! | `Hear` | `Listener::hear` |
//! | `ClaimDue`, `NothingDue` | `Fetcher::claim_and_deliver`, `HeldConnection::claim_due` |
//! | `GiveUp`, `MakesNoSense` | `hopeless` in `deliver.rs`; `Preparer::write` answers `Decision::Cancel` |
//! | `ServerUnavailable`, `ProbeSucceeds` | `CircuitBreaker::close`, `CircuitBreaker::probe`, `Retry { counts: false }` |
//! | `Refused` | the answers up to RCPT TO, `Parts::judge` |
//! | `HoldClaim` | `Lease::still_holds`: beyond doubt, `HeldConnection::leased_until`, or `Db::hold_claim` where little of the lease is left |
//! | `Data`, `FinalDot`, `Answer`, `AnswerLost` | `Dialogue::data`: DATA begins; the final dot and the server's decision; the answer |
//! | `Close` | `Parts::close`: `HeldConnection::complete_sent`, `complete_failed`, `cancel`, `retry_later` |
//! | `RenewLeases`, `LeaseRunsOut` | `Leases::renew`, `Db::renew_leases`; `lease_until` passes |
//! | `FreeLost`, `TakeUnenqueued`, `FailOverdue` | `Maintenance::round`: `Db::rescue_lost_leases`; `Db::take_unenqueued` and `RedisQueue::push`; `Db::fail_overdue` |
//! | `Crash`, `Pause`, `Continue` | kill -9 and a new process; SIGSTOP; SIGCONT |
//! | `FlushAll`, `DuplicateJob` | Redis is emptied; a bell comes twice |
//!
//! # What is abstracted
//! - Time: a row is due or not, a lease runs or ran out, a deadline passed or not. A lease runs out only while nobody
//!   renews it: its worker is dead, or stands still. Listener, answers and steps may take as long as they like.
//! - A database call is one step and does not fail. One that fails ends the attempt (the row is left to its lease),
//!   as a crash does; only `complete_sent` is repeated until it succeeds, which is that step being late.
//! - One relay at a time, somewhere among the running workers (the advisory lock); it rings for rows without a bell.
//!   That it may ring for one whose bell waits already is a `DuplicateJob`.
//! - With Redis a delivery begins with a bell. In the code one bell is enough for many, and a worker also looks at the
//!   table when it starts and whenever it loses Redis; the checks without Redis have claims begin at any time.
//! - The 5 lost leases and 3 lost answers after which a mail is given up are 2 each, so that a run can reach them.
//! - `retry_email` (an operator's) and `purge` are left out; a mail's content, the wait before a retry too.
//!
//! # Bounds
//! Up to three faults in a run (two where a test says so), of any kinds and in any combination, anywhere; on top of
//! them each mail's first bell came through or was lost. A fault is one of: crash, pause past the lease, FLUSHALL, a
//! doubled bell, a lost answer (the mail taken or not), a 4xx or a broken connection, a 5xx, the server as a whole
//! being away, a deadline passing, a mail that makes no sense any more. Within that every order of all steps is
//! looked at. (States are told apart by 64-bit fingerprints; for a million of them the chance of a collision is 1 in
//! 30 million.)
//!
//! # Liveness
//! stateright's `eventually` overlooks runs that share states, so it is not used. Instead: every step brings a run
//! strictly nearer to its end (`progress`; checked at each step), hence no run is endless; and no state in which
//! nothing but faults and SIGCONT could happen has an open mail. Together: once faults stop coming, every mail is closed.
//!
//! # What is guaranteed at the fencing_token, and what is not
//! The fencing_token and DATA are two steps with time between them. At the moment of its yes the claim is the row's
//! only live one and its lease has most of its time left: it was made a moment ago, or the database says so, or it
//! is renewed. From there on a stale transmission needs either that this worker
//! stands still, or the database stays away from it, for longer than the whole lease between that answer and the end
//! of its final dot (the window that cannot be closed without the mail server's help); or that an older attempt, past
//! its own fencing_token when it lost its lease, records its 250 in between. Where fencing_token and transmission are one step
//! (`window: false`) neither exists, and the check shows that then no stale worker ever transmits anything.
#![expect(clippy::expect_used, reason = "in tests a panic is the verdict")]

mod properties;
mod row;
mod steps;
mod system;

use std::collections::BTreeSet;
use std::io::Write;
use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Property};

use crate::steps::Action;
use crate::system::{SLOTS, System};

/// The protocol, as it is or broken on purpose.
#[derive(Clone, Debug)]
pub(crate) struct Protocol {
    /// The process of each delivery.
    homes: [usize; SLOTS],
    wake: Wake,
    /// Whether time passes between the fencing_token and the end of DATA, as it does, or not.
    window: bool,
    variant: Variant,
    /// How many faults, of any kinds, may come in one run.
    faults: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wake {
    /// `bells.rs` and `drain.rs`
    Listener,
    /// `drain.rs` alone
    Table,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    AsBuilt,
    /// DATA without asking whether the claim still holds.
    NoFence,
    /// Nobody rings again.
    NoRelay,
    /// `complete_failed`, `cancel` and `retry_later` by id alone.
    CloseWithoutFence,
    /// `complete_sent` only by the holder.
    FencedAcceptance,
}

impl Protocol {
    /// Two worker processes with one delivery each, with Redis, as built.
    fn as_built(faults: u8) -> Protocol {
        Protocol { homes: [0, 1], wake: Wake::Listener, window: true, variant: Variant::AsBuilt, faults }
    }
}

impl Model for Protocol {
    type State = System;
    type Action = Action;

    /// Each mail's first bell came through, or was lost with the API or Redis.
    fn init_states(&self) -> Vec<System> {
        match self.wake {
            Wake::Listener => {
                let bells = [[0, 0], [0, 1], [1, 0], [1, 1]];
                bells.map(|bells| System::committed(bells, self.faults)).to_vec()
            }
            Wake::Table => vec![System::committed([0, 0], self.faults)],
        }
    }

    fn actions(&self, system: &System, actions: &mut Vec<Action>) {
        self.possible(system, actions);
    }

    fn next_state(&self, before: &System, action: Action) -> Option<System> {
        let mut after = *before;
        self.take(&mut after, action);
        self.audit(before, action, &mut after);
        // A broken variant's run is to be read, so that its numbers stay as they are.
        let broken = self.variant != Variant::AsBuilt;
        Some(if broken { after } else { after.representative(&self.homes) })
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
    let began = Instant::now();
    let until = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let protocol = Protocol { variant, ..Protocol::as_built(2) };
    let checker = protocol.checker().finish_when(until).spawn_bfs().join();
    let broken = checker.discovery(property);
    let run = broken.expect("the broken variant passes: the model does not see the fault").into_actions();
    let steps = run.iter().map(|action| format!("{action:?}")).collect::<Vec<_>>().join(", ");
    report(&format!("{variant:?} breaks \"{property}\" by {steps}"), &checker, began);
}

fn report(name: &str, checker: &impl Checker<Protocol>, began: Instant) {
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    let seconds = began.elapsed().as_secs_f64();
    let line = format!("protocol: {name}: {states} states, {steps} steps, {depth} deep, {seconds:.1} s\n");
    // Past the test harness, which keeps to itself what a passing test prints.
    std::io::stderr().write_all(line.as_bytes()).expect("standard error is there");
}

/// Every combination of three faults.
#[test]
fn two_workers_with_redis_keep_the_promise() {
    holds("two workers with Redis, 3 faults", Protocol::as_built(3));
}

/// The second delivery can be of a mail whose first one, in the same process, stands past its lease.
#[test]
fn one_worker_with_two_deliveries_keeps_the_promise() {
    holds("one worker with two deliveries, 2 faults", Protocol { homes: [0, 0], ..Protocol::as_built(2) });
}

#[test]
fn two_workers_without_redis_keep_the_promise() {
    holds("two workers without Redis, 3 faults", Protocol { wake: Wake::Table, ..Protocol::as_built(3) });
}

#[test]
fn without_time_between_fence_and_transmission_no_stale_worker_transmits() {
    holds(
        "fencing_token and transmission in one step, 2 faults",
        Protocol { window: false, ..Protocol::as_built(2) },
    );
}

#[test]
fn without_the_fence_a_stale_worker_sends_a_copy_that_nothing_excuses() {
    fails(Variant::NoFence, properties::COPIES_HAVE_AN_EXCUSE);
    fails(Variant::NoFence, properties::STALE_STARTS_NOTHING);
}

#[test]
fn without_the_relay_a_lost_bell_is_a_lost_mail() {
    fails(Variant::NoRelay, properties::NOTHING_STAYS_OPEN);
}

#[test]
fn without_the_fence_at_the_close_a_stale_worker_reopens_a_sent_mail() {
    fails(Variant::CloseWithoutFence, properties::SENT_IS_FINAL);
    fails(Variant::CloseWithoutFence, properties::STALE_CHANGES_NOTHING);
}

#[test]
fn if_only_the_holder_could_record_a_250_an_earned_one_would_be_forgotten() {
    fails(Variant::FencedAcceptance, properties::EARNED_250_COUNTS);
}

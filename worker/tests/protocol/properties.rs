//! What must be true of every state, of every step, and of the end of every run.

use stateright::{Model, Property};

use crate::Protocol;
use crate::action::Action;
use crate::row::{Outcome, Reason, Row, RowState, Server};
use crate::system::{DELIVERIES, EMAILS, Process, Step, System};

pub(crate) const NOTHING_STAYS_OPEN: &str = "where nothing more can happen, every row is closed";
pub(crate) const EVERY_RUN_ENDS: &str = "every step brings the run nearer to its end";
pub(crate) const COPIES_ARE_EXPLAINED: &str =
    "every copy after the first has a lost reply or a lost worker of its own";
pub(crate) const FAILED_WITH_A_COPY: &str = "a failed email that was accepted lost a reply or a worker";
pub(crate) const ONE_HOLDER: &str = "an email has at most one holder";
pub(crate) const STALE_STARTS_NOTHING: &str = "a worker that lost the lease starts no transmission";
pub(crate) const STALE_CHANGES_NOTHING: &str =
    "a worker that lost the lease changes nothing but to record a 250";
pub(crate) const EARNED_250_COUNTS: &str =
    "a 250 that arrives closes the row as sent, if no report has closed it";
pub(crate) const SENT_IS_FINAL: &str = "a sent email stays sent, or is reported";
pub(crate) const REPORTED_IS_FINAL: &str = "an email that a report has closed stays closed";
pub(crate) const NOTHING_AFTER_REPORT: &str =
    "after a report no email is claimed, and no check of its lease succeeds";
pub(crate) const BOUND_STAYS: &str = "an email whose answer was lost is sent by no other server";
pub(crate) const ONLY_FIRST_IS_FINAL: &str = "no email fails because the fallback refuses it";
pub(crate) const TOKEN_GROWS: &str = "the fencing token grows with every claim and never otherwise";

/// Steps that must never happen. They are kept in the state, because properties see states only.
#[derive(Clone, Copy)]
enum Violation {
    LessProgress,
    StaleStart,
    StaleChange,
    Lost250,
    LeftSent,
    Token,
    OtherServer,
    LeftReported,
    AfterReport,
}

/// All properties. The `sometimes` ones say that what the promise allows does happen, so that the model is not empty.
pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(NOTHING_STAYS_OPEN, nothing_stays_open),
        Property::always(EVERY_RUN_ENDS, |_, system| !has(system, Violation::LessProgress)),
        Property::always(COPIES_ARE_EXPLAINED, |_, system: &System| {
            system.copies.iter().all(|copies| copies.accepted <= 1 + copies.lost_attempts)
        }),
        Property::always(FAILED_WITH_A_COPY, failed_with_a_copy),
        Property::always(ONE_HOLDER, one_holder),
        Property::always(STALE_STARTS_NOTHING, |_, system| !has(system, Violation::StaleStart)),
        Property::always(STALE_CHANGES_NOTHING, |_, system| !has(system, Violation::StaleChange)),
        Property::always(EARNED_250_COUNTS, |_, system| !has(system, Violation::Lost250)),
        Property::always(SENT_IS_FINAL, |_, system| !has(system, Violation::LeftSent)),
        Property::always(REPORTED_IS_FINAL, |_, system| !has(system, Violation::LeftReported)),
        Property::always(NOTHING_AFTER_REPORT, |_, system| !has(system, Violation::AfterReport)),
        Property::always(BOUND_STAYS, |_, system| !has(system, Violation::OtherServer)),
        Property::always(ONLY_FIRST_IS_FINAL, |_, system: &System| {
            !failed(system, Reason::RejectedByFallback)
        }),
        Property::always(TOKEN_GROWS, |_, system| !has(system, Violation::Token)),
        Property::sometimes("both are sent", |_, s: &System| {
            s.rows.iter().all(|row| row.state == RowState::Sent)
        }),
        Property::sometimes("two copies are accepted", |_, s: &System| {
            s.copies.iter().any(|copies| copies.accepted == 2)
        }),
        Property::sometimes("an email fails after lost workers", |_, s: &System| {
            failed(s, Reason::WorkerLost)
        }),
        Property::sometimes("an email fails after lost replies", |_, s: &System| {
            failed(s, Reason::OutcomeUnknown)
        }),
        Property::sometimes("a deadline passes", |_, s: &System| failed(s, Reason::DeadlinePassed)),
        Property::sometimes("an email is rejected", |_, s: &System| failed(s, Reason::Rejected)),
        Property::sometimes(
            "a report closes an email before its 250 is recorded",
            |protocol: &Protocol, s| {
                let late = |step: &Step| match step {
                    Step::FinalDot(claim) | Step::Completing(claim, Outcome::Sent) => {
                        is_reported(s, claim.email)
                    }
                    _ => false,
                };
                !protocol.reports || s.deliveries.iter().any(late)
            },
        ),
        Property::sometimes("a report closes an email that would be sent again", |protocol: &Protocol, s| {
            let closed = |email: usize| is_reported(s, email) && s.rows[email].lost_leases > 0;
            !protocol.reports || (0..EMAILS).any(closed)
        }),
        Property::sometimes("each server accepts an email", |protocol: &Protocol, s: &System| {
            let accepted_by = |server| {
                s.deliveries
                    .iter()
                    .any(|step| matches!(step, Step::FinalDot(claim) if claim.server == server))
            };
            !protocol.fallback || (accepted_by(Server::First) && accepted_by(Server::Fallback))
        }),
        Property::sometimes("an email waits for the fallback alone", |protocol: &Protocol, s: &System| {
            let waits = |row: &Row| row.state == RowState::Queued && row.bound_to == Some(Server::Fallback);
            !protocol.fallback || s.rows.iter().any(waits)
        }),
    ]
}

/// The first half of liveness: where only faults can happen, no row is open. A paused worker need not continue as long
/// as another one runs.
fn nothing_stays_open(protocol: &Protocol, system: &System) -> bool {
    if system.rows.iter().all(|row| row.is_closed()) || !protocol.is_awake(system) {
        return true;
    }
    let mut actions = Vec::new();
    protocol.actions(system, &mut actions);
    actions.iter().any(|action| !action.is_fault() && !matches!(action, Action::Continue { .. }))
}

/// A failed or cancelled email was not accepted, unless an attempt was lost.
fn failed_with_a_copy(_: &Protocol, system: &System) -> bool {
    let emails = system.rows.iter().zip(&system.copies);
    emails.into_iter().all(|(row, copies)| {
        let unsent = matches!(row.state, RowState::Failed(_) | RowState::Cancelled);
        !unsent || copies.accepted <= copies.lost_attempts
    })
}

fn one_holder(_: &Protocol, system: &System) -> bool {
    (0..EMAILS).all(|email| {
        let claims = system.deliveries.iter().filter_map(Step::claim);
        claims
            .filter(|claim| claim.email == email && claim.fencing_token == system.rows[email].fencing_token)
            .count()
            <= 1
    })
}

fn failed(system: &System, reason: Reason) -> bool {
    system.rows.iter().any(|row| row.state == RowState::Failed(reason))
}

fn has(system: &System, violation: Violation) -> bool {
    system.violations & (1 << violation as u8) != 0
}

impl Protocol {
    /// Records in `after` what is wrong with the step that led to it.
    pub(crate) fn audit(&self, before: &System, action: Action, after: &mut System) {
        let found = [
            (Violation::LessProgress, self.progress(after) <= self.progress(before)),
            (Violation::StaleStart, starts_stale(before, action, after)),
            (
                Violation::StaleChange,
                stale_completion(before, action).is_some_and(|email| changed(before, after, email)),
            ),
            (
                Violation::Lost250,
                records_250(before, action)
                    .is_some_and(|email| !is_sent(after, email) && !is_reported(after, email)),
            ),
            (
                Violation::LeftSent,
                (0..EMAILS).any(|email| {
                    is_sent(before, email) && !is_sent(after, email) && !is_reported(after, email)
                }),
            ),
            (
                Violation::LeftReported,
                (0..EMAILS).any(|email| is_reported(before, email) && !is_reported(after, email)),
            ),
            (Violation::AfterReport, begins_after_report(before, action, after)),
            (Violation::OtherServer, self.fallback && uses_other_server(before, action)),
            (Violation::Token, (0..EMAILS).any(|email| breaks_token(before, action, after, email))),
        ];
        let violations = found.iter().filter(|(_, is)| *is).map(|(violation, _)| 1u16 << *violation as u8);
        after.violations |= violations.fold(0, |all, one| all | one);
    }

    /// The second half of liveness: this grows with every step, so no run returns to an earlier state; the states are
    /// finitely many, so every run ends. Compared from left to right.
    fn progress(&self, system: &System) -> impl PartialOrd {
        let claims: u8 = system.rows.iter().map(|row| row.fencing_token).sum();
        let lost: u8 = system.rows.iter().map(|row| row.lost_leases).sum();
        let closed = system.rows.iter().filter(|row| row.is_closed()).count();
        let steps: u8 = system.deliveries.iter().map(stage).sum();
        let awake = system.processes.iter().map(|p| u8::from(!p.paused) + closed_circuits(p)).sum::<u8>();
        let settled = (0..EMAILS).filter(|email| self.is_settled(system, *email)).count();
        let stuck = (0..DELIVERIES).filter(|delivery| self.is_stuck(system, *delivery)).count();
        let jobs: i16 = (0..EMAILS).map(|email| self.job_progress(system, email)).sum();
        (u8::MAX - system.faults_left, claims, lost, closed, steps, awake, settled, stuck, jobs)
    }

    /// Whether the passing of time changes nothing more of a row.
    fn is_settled(&self, system: &System, email: usize) -> bool {
        let row = &system.rows[email];
        match row.state {
            RowState::Queued => row.due,
            RowState::Sending => row.leased == self.is_renewed(system, email),
            _ => true,
        }
    }

    fn is_stuck(&self, system: &System, delivery: usize) -> bool {
        matches!(system.deliveries[delivery], Step::HasJob(email) if !self.will_claim(system, delivery, email))
    }

    /// A job brings a claimable row nearer to its claim; a row without a job is farthest from it.
    fn job_progress(&self, system: &System, email: usize) -> i16 {
        let taken =
            (0..DELIVERIES).filter(|delivery| self.will_claim(system, *delivery, email)).count() as i16;
        let waiting = i16::from(system.jobs[email]);
        if system.rows[email].is_claimable() && taken + waiting == 0 { -100 } else { -(2 * waiting + taken) }
    }
}

fn closed_circuits(process: &Process) -> u8 {
    process.circuits_open.iter().map(|open| u8::from(!open)).sum()
}

fn stage(step: &Step) -> u8 {
    match step {
        Step::Claimed(_) => 1,
        Step::LeaseChecked(_) => 2,
        Step::Data(_) => 3,
        Step::FinalDot(_) => 4,
        Step::Completing(..) => 5,
        Step::Idle | Step::HasJob(_) => 6,
    }
}

/// DATA by a delivery that is not the holder. Two things can happen between the check of the lease and DATA: its own
/// lease expires while it stands still, or the 250 of an older attempt arrives, or a report of its copy. Nothing else may
/// happen, and nothing at all where the two are one step.
fn starts_stale(before: &System, action: Action, after: &System) -> bool {
    match (action, before.deliveries) {
        (Action::Data { delivery }, deliveries) => match deliveries[delivery] {
            Step::LeaseChecked(claim) => {
                let row = &before.rows[claim.email];
                let is_accepted = matches!(row.state, RowState::Sent | RowState::Reported);
                !row.is_held_by(&claim) && !claim.counted_as_lost && !is_accepted
            }
            _ => false,
        },
        (Action::CheckLeaseAndSend { delivery, .. }, deliveries) => match deliveries[delivery] {
            Step::Claimed(claim) => {
                !before.rows[claim.email].is_held_by(&claim) && after.deliveries[delivery] != Step::Idle
            }
            _ => false,
        },
        _ => false,
    }
}

/// A claim of a reported email, or a check of its lease that lets the transmission begin.
fn begins_after_report(before: &System, action: Action, after: &System) -> bool {
    let (Action::ClaimDue { delivery, .. }
    | Action::CheckLease { delivery }
    | Action::CheckLeaseAndSend { delivery, .. }) = action
    else {
        return false;
    };
    let goes_on = after.deliveries[delivery].claim();
    goes_on.is_some_and(|claim| before.copies[claim.email].reported)
}

/// The holder of a bound email transmits it to another server than its own.
fn uses_other_server(before: &System, action: Action) -> bool {
    let (Action::FinalDot { delivery, .. } | Action::CheckLeaseAndSend { delivery, .. }) = action else {
        return false;
    };
    before.deliveries[delivery].claim().is_some_and(|claim| {
        let row = &before.rows[claim.email];
        row.is_held_by(claim) && row.bound_to.is_some_and(|server| server != claim.server)
    })
}

/// The email of a delivery that completes without being the holder, and without a 250 to record.
fn stale_completion(before: &System, action: Action) -> Option<usize> {
    let Action::Complete { delivery } = action else { return None };
    match before.deliveries[delivery] {
        Step::Completing(_, Outcome::Sent) => None,
        Step::Completing(claim, _) => (!before.rows[claim.email].is_held_by(&claim)).then_some(claim.email),
        _ => None,
    }
}

fn records_250(before: &System, action: Action) -> Option<usize> {
    let Action::Complete { delivery } = action else { return None };
    match before.deliveries[delivery] {
        Step::Completing(claim, Outcome::Sent) => Some(claim.email),
        _ => None,
    }
}

fn breaks_token(before: &System, action: Action, after: &System, email: usize) -> bool {
    let claims = matches!(action, Action::ClaimDue { .. });
    let grown = after.rows[email].fencing_token.wrapping_sub(before.rows[email].fencing_token);
    let changed_hands =
        before.rows[email].is_claimable() && after.rows[email].attempts != before.rows[email].attempts;
    if claims { grown != u8::from(changed_hands) } else { grown != 0 }
}

fn changed(before: &System, after: &System, email: usize) -> bool {
    before.rows[email] != after.rows[email]
}

fn is_sent(system: &System, email: usize) -> bool {
    system.rows[email].state == RowState::Sent
}

fn is_reported(system: &System, email: usize) -> bool {
    system.rows[email].state == RowState::Reported
}

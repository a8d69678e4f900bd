//! What must hold: of every state, of every step, and of every run's end.

use stateright::{Model, Property};

use crate::Protocol;
use crate::row::{Outcome, Reason, RowState};
use crate::steps::Action;
use crate::system::{MAILS, SLOTS, Step, System};

pub(crate) const NOTHING_STAYS_OPEN: &str = "where nothing more can happen, every mail is closed";
pub(crate) const EVERY_RUN_ENDS: &str = "every step brings the run nearer to its end";
pub(crate) const COPIES_HAVE_AN_EXCUSE: &str =
    "a further copy has a lost answer or a lost worker for each one before it";
pub(crate) const FAILED_WITH_A_COPY: &str = "a failed mail that was taken lost an answer or a worker";
pub(crate) const ONE_HOLDER: &str = "a mail has at most one holder";
pub(crate) const STALE_STARTS_NOTHING: &str = "who lost the lease starts no transmission";
pub(crate) const STALE_CHANGES_NOTHING: &str = "who lost the lease changes nothing but to record a 250";
pub(crate) const EARNED_250_COUNTS: &str = "a 250 that was heard closes the mail as sent";
pub(crate) const SENT_IS_FINAL: &str = "a sent mail stays sent";
pub(crate) const FENCE_GROWS: &str = "the fencing_token grows with every claim and never otherwise";

/// Steps that should never be taken, kept in the state since properties see states only.
#[derive(Clone, Copy)]
enum Wrong {
    LessProgress,
    StaleStart,
    StaleChange,
    Lost250,
    LeftSent,
    Fence,
}

/// All properties; the last ones say that what the promise allows does happen, so that the model is not empty.
pub(crate) fn all() -> Vec<Property<Protocol>> {
    vec![
        Property::always(NOTHING_STAYS_OPEN, nothing_stays_open),
        Property::always(EVERY_RUN_ENDS, |_, system| !has(system, Wrong::LessProgress)),
        Property::always(COPIES_HAVE_AN_EXCUSE, |_, system: &System| {
            system.ledgers.iter().all(|ledger| ledger.copies <= 1 + ledger.excuses)
        }),
        Property::always(FAILED_WITH_A_COPY, failed_with_a_copy),
        Property::always(ONE_HOLDER, one_holder),
        Property::always(STALE_STARTS_NOTHING, |_, system| !has(system, Wrong::StaleStart)),
        Property::always(STALE_CHANGES_NOTHING, |_, system| !has(system, Wrong::StaleChange)),
        Property::always(EARNED_250_COUNTS, |_, system| !has(system, Wrong::Lost250)),
        Property::always(SENT_IS_FINAL, |_, system| !has(system, Wrong::LeftSent)),
        Property::always(FENCE_GROWS, |_, system| !has(system, Wrong::Fence)),
        Property::sometimes("both are sent", |_, s: &System| {
            s.rows.iter().all(|row| row.state == RowState::Sent)
        }),
        Property::sometimes("a copy comes twice", |_, s: &System| {
            s.ledgers.iter().any(|ledger| ledger.copies == 2)
        }),
        Property::sometimes("a worker is lost too often", |_, s: &System| failed(s, Reason::WorkerLost)),
        Property::sometimes("an answer is lost too often", |_, s: &System| failed(s, Reason::OutcomeUnknown)),
        Property::sometimes("a deadline passes", |_, s: &System| failed(s, Reason::DeadlinePassed)),
        Property::sometimes("a mail is rejected", |_, s: &System| failed(s, Reason::Rejected)),
    ]
}

/// Liveness, half of it: with faults or without, a state from which only faults lead on has no open mail.
/// A paused worker need not come back, as long as there is another.
fn nothing_stays_open(protocol: &Protocol, system: &System) -> bool {
    if system.rows.iter().all(|row| row.is_closed()) || !protocol.is_awake(system) {
        return true;
    }
    let mut actions = Vec::new();
    protocol.actions(system, &mut actions);
    actions.iter().any(|action| !action.is_fault() && !matches!(action, Action::Continue { .. }))
}

/// A rejection, a cancellation and a passed deadline say that nobody got it: then nobody did, but for a lost worker.
fn failed_with_a_copy(_: &Protocol, system: &System) -> bool {
    let mails = system.rows.iter().zip(&system.ledgers);
    mails.into_iter().all(|(row, ledger)| {
        let unsent = matches!(row.state, RowState::Failed(_) | RowState::Cancelled);
        !unsent || ledger.copies <= ledger.excuses
    })
}

fn one_holder(_: &Protocol, system: &System) -> bool {
    (0..MAILS).all(|mail| {
        let claims = system.slots.iter().filter_map(Step::claim);
        claims
            .filter(|claim| claim.mail == mail && claim.fencing_token == system.rows[mail].fencing_token)
            .count()
            <= 1
    })
}

fn failed(system: &System, reason: Reason) -> bool {
    system.rows.iter().any(|row| row.state == RowState::Failed(reason))
}

fn has(system: &System, wrong: Wrong) -> bool {
    system.wrongs & (1 << wrong as u8) != 0
}

impl Protocol {
    /// Notes in `after` what was wrong with the step that led to it.
    pub(crate) fn audit(&self, before: &System, action: Action, after: &mut System) {
        let found = [
            (Wrong::LessProgress, self.progress(after) <= self.progress(before)),
            (Wrong::StaleStart, starts_stale(before, action, after)),
            (
                Wrong::StaleChange,
                stale_close(before, action).is_some_and(|mail| changed(before, after, mail)),
            ),
            (Wrong::Lost250, records_250(before, action).is_some_and(|mail| !is_sent(after, mail))),
            (Wrong::LeftSent, (0..MAILS).any(|mail| is_sent(before, mail) && !is_sent(after, mail))),
            (Wrong::Fence, (0..MAILS).any(|mail| breaks_fence(before, action, after, mail))),
        ];
        let wrongs = found.iter().filter(|(_, is)| *is).map(|(wrong, _)| 1u8 << *wrong as u8);
        after.wrongs |= wrongs.fold(0, |all, one| all | one);
    }

    /// Liveness, the other half: this grows with every step, so that no run goes round in a circle; and the
    /// states are finitely many, so that every run ends. Compared from left to right.
    fn progress(&self, system: &System) -> impl PartialOrd {
        let claims: u8 = system.rows.iter().map(|row| row.fencing_token).sum();
        let lost: u8 = system.rows.iter().map(|row| row.lost_leases).sum();
        let closed = system.rows.iter().filter(|row| row.is_closed()).count();
        let steps: u8 = system.slots.iter().map(stage).sum();
        let awake =
            system.processes.iter().map(|p| u8::from(!p.paused) + u8::from(!p.gate_closed)).sum::<u8>();
        let settled = (0..MAILS).filter(|mail| self.is_settled(system, *mail)).count();
        let stuck = (0..SLOTS).filter(|slot| self.is_stuck(system, *slot)).count();
        let bells: i16 = (0..MAILS).map(|mail| self.bell_progress(system, mail)).sum();
        (u8::MAX - system.faults_left, claims, lost, closed, steps, awake, settled, stuck, bells)
    }

    /// What time alone brings about for a row has come about.
    fn is_settled(&self, system: &System, mail: usize) -> bool {
        let row = &system.rows[mail];
        match row.state {
            RowState::Queued => row.due,
            RowState::Sending => row.leased == self.is_renewed(system, mail),
            _ => true,
        }
    }

    fn is_stuck(&self, system: &System, slot: usize) -> bool {
        matches!(system.slots[slot], Step::Heard(mail) if !self.hears(system, slot, mail))
    }

    /// Every bell brings a claimable row nearer to its claim; a row without any is farthest from it.
    fn bell_progress(&self, system: &System, mail: usize) -> i16 {
        let heard = (0..SLOTS).filter(|slot| self.hears(system, *slot, mail)).count() as i16;
        let waiting = i16::from(system.bells[mail]);
        if system.rows[mail].is_claimable() && heard + waiting == 0 { -100 } else { -(2 * waiting + heard) }
    }
}

fn stage(step: &Step) -> u8 {
    match step {
        Step::Claimed(_) => 1,
        Step::Held(_) => 2,
        Step::Data(_) => 3,
        Step::FinalDot(_) => 4,
        Step::Closing(..) => 5,
        Step::Idle | Step::Heard(_) => 6,
    }
}

/// DATA by a delivery that is not the holder. Two things can come between the fencing_token and DATA: its own lease
/// running out while it stands still, and the 250 of an older attempt. Nothing else may, and nothing at all
/// where the two are one step.
fn starts_stale(before: &System, action: Action, after: &System) -> bool {
    match (action, before.slots) {
        (Action::Data { slot }, slots) => match slots[slot] {
            Step::Held(claim) => {
                let row = &before.rows[claim.mail];
                !row.is_held_by(&claim) && !claim.excused && row.state != RowState::Sent
            }
            _ => false,
        },
        (Action::HoldClaimAndSend { slot, .. }, slots) => match slots[slot] {
            Step::Claimed(claim) => {
                !before.rows[claim.mail].is_held_by(&claim) && after.slots[slot] != Step::Idle
            }
            _ => false,
        },
        _ => false,
    }
}

/// The mail of a delivery that closes without being its holder, and without a 250 to record.
fn stale_close(before: &System, action: Action) -> Option<usize> {
    let Action::Close { slot } = action else { return None };
    match before.slots[slot] {
        Step::Closing(_, Outcome::Sent) => None,
        Step::Closing(claim, _) => (!before.rows[claim.mail].is_held_by(&claim)).then_some(claim.mail),
        _ => None,
    }
}

fn records_250(before: &System, action: Action) -> Option<usize> {
    let Action::Close { slot } = action else { return None };
    match before.slots[slot] {
        Step::Closing(claim, Outcome::Sent) => Some(claim.mail),
        _ => None,
    }
}

fn breaks_fence(before: &System, action: Action, after: &System, mail: usize) -> bool {
    let claims = matches!(action, Action::ClaimDue { .. });
    let grown = after.rows[mail].fencing_token.wrapping_sub(before.rows[mail].fencing_token);
    let changed_hands =
        before.rows[mail].is_claimable() && after.rows[mail].attempts != before.rows[mail].attempts;
    if claims { grown != u8::from(changed_hands) } else { grown != 0 }
}

fn changed(before: &System, after: &System, mail: usize) -> bool {
    before.rows[mail] != after.rows[mail]
}

fn is_sent(system: &System, mail: usize) -> bool {
    system.rows[mail].state == RowState::Sent
}

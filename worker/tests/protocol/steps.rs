//! What can happen next, and what it does: the steps of the code, and the faults around it.

use crate::row::{Claim, MAX_LOST_ANSWERS, Outcome, Reason, Row, RowState};
use crate::system::{MAILS, Process, SLOTS, Step, System};
use crate::{Protocol, Variant, Wake};

/// One step. `usize` is a delivery (`slot`), a mail or a process, as the names of the fields say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    // Listener and table.
    Hear { slot: usize, mail: usize },
    NothingDue { slot: usize },
    ClaimDue { slot: usize, mail: usize },
    // A delivery.
    GiveUp { slot: usize },
    HoldClaim { slot: usize },
    Data { slot: usize },
    FinalDot { slot: usize, says: Server },
    HoldClaimAndSend { slot: usize, says: Server },
    Answer { slot: usize },
    Close { slot: usize },
    // Time, leases, gate, relay.
    FallsDue { mail: usize },
    LeaseRunsOut { mail: usize },
    RenewLeases { mail: usize },
    ProbeSucceeds { process: usize },
    FreeLost { mail: usize },
    TakeUnenqueued { mail: usize },
    FailOverdue { mail: usize },
    Continue { process: usize },
    // Faults, each of which uses up one of those that may come.
    MakesNoSense { slot: usize },
    ServerUnavailable { slot: usize },
    Refused { slot: usize, says: Server },
    AnswerLost { slot: usize },
    DeadlinePasses { mail: usize },
    Crash { process: usize },
    Pause { process: usize },
    FlushAll,
    DuplicateJob { mail: usize },
}

/// What the mail server says to a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// 250
    Takes,
    /// 4xx, or the connection breaks before the final dot: `FailureKind::Temporary`.
    Later,
    /// 5xx: `FailureKind::Permanent`.
    Never,
    /// The connection breaks after the final dot, and the mail was not taken: `FailureKind::OutcomeUnknown`.
    Nothing,
}

impl Action {
    /// Whether it comes from outside and need not come at all. Everything else happens in the end:
    /// processes run, time passes, probes and renewals are repeated.
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Action::FinalDot { says, .. } | Action::HoldClaimAndSend { says, .. } => *says != Server::Takes,
            Action::MakesNoSense { .. }
            | Action::ServerUnavailable { .. }
            | Action::Refused { .. }
            | Action::AnswerLost { .. }
            | Action::DeadlinePasses { .. }
            | Action::Crash { .. }
            | Action::Pause { .. }
            | Action::FlushAll
            | Action::DuplicateJob { .. } => true,
            _ => false,
        }
    }
}

impl Protocol {
    fn process_of<'a>(&self, system: &'a System, slot: usize) -> &'a Process {
        &system.processes[self.homes[slot]]
    }

    fn slots_of(&self, process: usize) -> impl Iterator<Item = usize> {
        let homes = self.homes;
        (0..SLOTS).filter(move |slot| homes[*slot] == process)
    }

    /// Whether any worker runs.
    pub(crate) fn is_awake(&self, system: &System) -> bool {
        (0..SLOTS).any(|slot| !self.process_of(system, slot).paused)
    }

    /// Whether somebody will take this bell that was heard, without anything having to get better first.
    pub(crate) fn hears(&self, system: &System, slot: usize, mail: usize) -> bool {
        let process = self.process_of(system, slot);
        system.slots[slot] == Step::Heard(mail) && !process.paused && !process.gate_closed
    }

    /// The worker renews what it has in flight, every five seconds, unless it stands still.
    pub(crate) fn is_renewed(&self, system: &System, mail: usize) -> bool {
        system.holder_of(mail).is_some_and(|slot| !self.process_of(system, slot).paused)
    }

    /// Everything that can happen.
    pub(crate) fn possible(&self, system: &System, actions: &mut Vec<Action>) {
        for slot in 0..SLOTS {
            if !self.process_of(system, slot).paused {
                self.possible_in(system, slot, actions);
            }
        }
        (0..MAILS).for_each(|mail| self.possible_to(system, mail, actions));
        (0..SLOTS).for_each(|process| self.possible_around(system, process, actions));
        if system.bells != [0; MAILS] {
            actions.push(Action::FlushAll);
        }
        if system.faults_left == 0 {
            actions.retain(|action| !action.is_fault());
        }
    }

    fn possible_in(&self, system: &System, slot: usize, actions: &mut Vec<Action>) {
        let open = !self.process_of(system, slot).gate_closed;
        match system.slots[slot] {
            Step::Idle if self.wake == Wake::Listener => {
                let rung = (0..MAILS).filter(|mail| system.bells[*mail] > 0);
                actions.extend(rung.map(|mail| Action::Hear { slot, mail }));
            }
            step @ (Step::Idle | Step::Heard(_)) if open => {
                let due = (0..MAILS).filter(|mail| system.rows[*mail].is_claimable());
                actions.extend(due.clone().map(|mail| Action::ClaimDue { slot, mail }));
                if step != Step::Idle && due.count() == 0 {
                    actions.push(Action::NothingDue { slot });
                }
            }
            Step::Idle | Step::Heard(_) => {}
            Step::Claimed(claim) if claim.hopeless.is_some() => actions.push(Action::GiveUp { slot }),
            Step::Claimed(_) => {
                actions.push(Action::MakesNoSense { slot });
                actions.push(Action::ServerUnavailable { slot });
                actions.extend([Server::Later, Server::Never].map(|says| Action::Refused { slot, says }));
                self.possible_at_the_fence(slot, actions);
            }
            Step::Held(_) => actions.push(Action::Data { slot }),
            Step::Data(_) => actions.extend(Server::ALL.map(|says| Action::FinalDot { slot, says })),
            Step::FinalDot(_) => actions.extend([Action::Answer { slot }, Action::AnswerLost { slot }]),
            Step::Closing(..) => actions.push(Action::Close { slot }),
        }
    }

    fn possible_at_the_fence(&self, slot: usize, actions: &mut Vec<Action>) {
        if self.window {
            actions.push(Action::HoldClaim { slot });
        } else {
            actions.extend(Server::ALL.map(|says| Action::HoldClaimAndSend { slot, says }));
        }
    }

    fn possible_to(&self, system: &System, mail: usize, actions: &mut Vec<Action>) {
        let row = &system.rows[mail];
        let renewed = self.is_renewed(system, mail);
        match row.state {
            RowState::Queued if !row.due => actions.push(Action::FallsDue { mail }),
            RowState::Sending if row.leased && !renewed => actions.push(Action::LeaseRunsOut { mail }),
            RowState::Sending if !row.leased && renewed => actions.push(Action::RenewLeases { mail }),
            _ => {}
        }
        if !row.is_closed() && !row.overdue {
            actions.push(Action::DeadlinePasses { mail });
        }
        if system.bells[mail] == 1 {
            actions.push(Action::DuplicateJob { mail });
        }
        // The relay lives in the workers' processes.
        if self.variant != Variant::NoRelay && self.is_awake(system) {
            self.possible_for_the_relay(system, mail, actions);
        }
    }

    /// `Maintenance::round`. A bell that waits is not rung again here: that would be a `DuplicateJob`.
    fn possible_for_the_relay(&self, system: &System, mail: usize, actions: &mut Vec<Action>) {
        let row = &system.rows[mail];
        if row.is_lost() {
            actions.push(Action::FreeLost { mail });
        }
        if row.state == RowState::Queued && row.overdue {
            actions.push(Action::FailOverdue { mail });
        }
        let heard = (0..SLOTS).any(|slot| self.hears(system, slot, mail));
        if self.wake == Wake::Listener && row.is_claimable() && system.bells[mail] == 0 && !heard {
            actions.push(Action::TakeUnenqueued { mail });
        }
    }

    fn possible_around(&self, system: &System, process: usize, actions: &mut Vec<Action>) {
        let Process { paused, gate_closed } = system.processes[process];
        let busy = self.slots_of(process).any(|slot| system.slots[slot] != Step::Idle);
        if paused {
            actions.push(Action::Continue { process });
        } else if busy {
            actions.push(Action::Pause { process });
        }
        if gate_closed && !paused {
            actions.push(Action::ProbeSucceeds { process });
        }
        // Who does nothing loses nothing.
        if busy {
            actions.push(Action::Crash { process });
        }
    }

    /// What a step does.
    pub(crate) fn take(&self, system: &mut System, action: Action) {
        system.faults_left -= u8::from(action.is_fault());
        match action {
            Action::Hear { slot, mail } => {
                system.bells[mail] -= 1;
                system.slots[slot] = Step::Heard(mail);
            }
            Action::FallsDue { mail } => system.rows[mail].due = true,
            Action::LeaseRunsOut { mail } => system.lose_lease(mail),
            Action::RenewLeases { mail } => system.rows[mail].leased = true,
            Action::ProbeSucceeds { process } => system.processes[process].gate_closed = false,
            Action::TakeUnenqueued { mail } | Action::DuplicateJob { mail } => system.bells[mail] += 1,
            Action::FreeLost { mail } => system.rows[mail].free(),
            Action::FailOverdue { mail } => {
                system.rows[mail].close_as(Outcome::Failed(Reason::DeadlinePassed));
            }
            Action::Continue { process } => system.processes[process].paused = false,
            Action::DeadlinePasses { mail } => system.rows[mail].overdue = true,
            // Whoever supervises the processes starts another in its place.
            Action::Crash { process } => {
                self.slots_of(process).for_each(|slot| system.lose_attempt(slot));
                system.processes[process] = Process::default();
            }
            Action::Pause { process } => system.processes[process].paused = true,
            Action::FlushAll => system.bells = [0; MAILS],
            Action::NothingDue { slot }
            | Action::ClaimDue { slot, .. }
            | Action::GiveUp { slot }
            | Action::HoldClaim { slot }
            | Action::Data { slot }
            | Action::FinalDot { slot, .. }
            | Action::HoldClaimAndSend { slot, .. }
            | Action::Answer { slot }
            | Action::Close { slot }
            | Action::MakesNoSense { slot }
            | Action::ServerUnavailable { slot }
            | Action::Refused { slot, .. }
            | Action::AnswerLost { slot } => {
                system.slots[slot] = self.deliver(system, slot, action);
            }
        }
    }

    /// One step of a delivery: where it stands afterwards.
    fn deliver(&self, system: &mut System, slot: usize, action: Action) -> Step {
        match (action, system.slots[slot]) {
            (Action::NothingDue { .. }, _) => Step::Idle,
            (Action::ClaimDue { mail, .. }, _) => Step::Claimed(system.rows[mail].claim(mail)),
            (Action::GiveUp { .. }, Step::Claimed(claim)) => {
                let reason = claim.hopeless.expect("only the hopeless are given up");
                Step::Closing(claim, Outcome::Failed(reason))
            }
            (Action::MakesNoSense { .. }, Step::Claimed(claim)) => Step::Closing(claim, Outcome::Cancelled),
            (Action::ServerUnavailable { .. }, Step::Claimed(claim)) => {
                system.processes[self.homes[slot]].gate_closed = true;
                Step::Closing(claim, Outcome::Retry { counts: false, answer_lost: false })
            }
            (Action::Refused { says, .. }, Step::Claimed(claim)) => judge(claim, says),
            (Action::HoldClaim { .. }, Step::Claimed(claim)) => {
                if self.still_holds(system, &claim) {
                    Step::Held(claim)
                } else {
                    Step::Idle
                }
            }
            (Action::HoldClaimAndSend { says, .. }, Step::Claimed(claim)) => {
                if self.still_holds(system, &claim) { transmit(system, claim, says) } else { Step::Idle }
            }
            (Action::Data { .. }, Step::Held(claim)) => Step::Data(claim),
            (Action::FinalDot { says, .. }, Step::Data(claim)) => transmit(system, claim, says),
            (Action::Answer { .. }, Step::FinalDot(claim)) => Step::Closing(claim, Outcome::Sent),
            (Action::AnswerLost { .. }, Step::FinalDot(_)) => {
                system.excuse(slot);
                let claim = *system.slots[slot].claim().expect("an attempt has a claim");
                judge(claim, Server::Nothing)
            }
            (Action::Close { .. }, Step::Closing(claim, outcome)) => {
                self.close(&mut system.rows[claim.mail], &claim, outcome);
                Step::Idle
            }
            (action, step) => unreachable!("{action:?} at {step:?}"),
        }
    }

    /// `Lease::still_holds`
    fn still_holds(&self, system: &mut System, claim: &Claim) -> bool {
        self.variant == Variant::NoFence || system.rows[claim.mail].hold_claim(claim)
    }

    /// `Parts::close`
    fn close(&self, row: &mut Row, claim: &Claim, outcome: Outcome) {
        let holds = row.is_held_by(claim) || self.variant == Variant::CloseWithoutFence;
        match outcome {
            Outcome::Sent if holds || self.variant != Variant::FencedAcceptance => row.complete_sent(),
            Outcome::Sent => {}
            _ if holds => row.close_as(outcome),
            _ => {}
        }
    }
}

impl Server {
    const ALL: [Server; 4] = [Server::Takes, Server::Later, Server::Never, Server::Nothing];
}

/// The rest of the mail is written, and the server makes up its mind.
fn transmit(system: &mut System, claim: Claim, says: Server) -> Step {
    if says == Server::Takes {
        system.ledgers[claim.mail].copies += 1;
        return Step::FinalDot(claim);
    }
    judge(claim, says)
}

/// `Parts::judge`
fn judge(claim: Claim, says: Server) -> Step {
    let outcome = match says {
        Server::Takes => Outcome::Sent,
        Server::Never => Outcome::Failed(Reason::Rejected),
        Server::Later => Outcome::Retry { counts: true, answer_lost: false },
        Server::Nothing if claim.lost_answers + 1 >= MAX_LOST_ANSWERS => {
            Outcome::Failed(Reason::OutcomeUnknown)
        }
        Server::Nothing => Outcome::Retry { counts: true, answer_lost: true },
    };
    Step::Closing(claim, outcome)
}

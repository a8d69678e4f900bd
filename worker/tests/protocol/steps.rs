//! What can happen next, and what it does: the steps of the code, and faults.

use crate::row::{Claim, MAX_LOST_ANSWERS, Outcome, Reason, Row, RowState, Server};
use crate::system::{DELIVERIES, EMAILS, Process, Step, System};
use crate::{JobSource, Protocol, Variant};

/// One step. The fields are numbers of deliveries, emails and processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    // Jobs and claims.
    TakeJob { delivery: usize, email: usize },
    NothingDue { delivery: usize },
    ClaimDue { delivery: usize, email: usize },
    // A delivery.
    GiveUp { delivery: usize },
    Release { delivery: usize },
    CheckLease { delivery: usize },
    Data { delivery: usize },
    FinalDot { delivery: usize, reply: Reply },
    CheckLeaseAndSend { delivery: usize, reply: Reply },
    ReplyArrives { delivery: usize },
    Complete { delivery: usize },
    // Time, leases, circuit breaker, maintenance.
    BecomesDue { email: usize },
    LeaseExpires { email: usize },
    RenewLeases { email: usize },
    ProbeSucceeds { process: usize, server: Server },
    RescueLostLease { email: usize },
    Reenqueue { email: usize },
    FailOverdue { email: usize },
    Continue { process: usize },
    // Faults; their number in a run is limited.
    NotWanted { delivery: usize },
    ServerUnavailable { delivery: usize },
    Refused { delivery: usize, reply: Reply },
    ReplyLost { delivery: usize },
    DeadlinePasses { email: usize },
    Crash { process: usize },
    Pause { process: usize },
    FlushAll,
    DuplicateJob { email: usize },
    Report { email: usize },
}

/// The mail server's reply to an email.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// 250.
    Accepted,
    /// 4xx, or the connection breaks before the final dot: `FailureKind::Temporary`.
    Transient,
    /// 5xx: `FailureKind::Permanent`.
    Permanent,
    /// The connection breaks after the final dot, and the email was not accepted: `FailureKind::OutcomeUnknown`.
    None,
}

impl Action {
    /// Whether it may happen or not. Everything else happens in the end: processes run, time passes, probes and
    /// renewals are repeated.
    pub(crate) fn is_fault(&self) -> bool {
        match self {
            Action::FinalDot { reply, .. } | Action::CheckLeaseAndSend { reply, .. } => {
                *reply != Reply::Accepted
            }
            Action::NotWanted { .. }
            | Action::ServerUnavailable { .. }
            | Action::Refused { .. }
            | Action::ReplyLost { .. }
            | Action::DeadlinePasses { .. }
            | Action::Crash { .. }
            | Action::Pause { .. }
            | Action::FlushAll
            | Action::DuplicateJob { .. }
            | Action::Report { .. } => true,
            _ => false,
        }
    }
}

impl Protocol {
    fn process_of<'a>(&self, system: &'a System, delivery: usize) -> &'a Process {
        &system.processes[self.processes_of[delivery]]
    }

    fn deliveries_of(&self, process: usize) -> impl Iterator<Item = usize> {
        let processes_of = self.processes_of;
        (0..DELIVERIES).filter(move |delivery| processes_of[*delivery] == process)
    }

    /// Whether any worker runs.
    pub(crate) fn is_awake(&self, system: &System) -> bool {
        (0..DELIVERIES).any(|delivery| !self.process_of(system, delivery).paused)
    }

    /// Whether a delivery has this job and will claim, without a change of its process.
    pub(crate) fn will_claim(&self, system: &System, delivery: usize, email: usize) -> bool {
        system.deliveries[delivery] == Step::HasJob(email)
            && !self.process_of(system, delivery).paused
            && self.server_for(system, delivery, email).is_some()
    }

    /// `FallbackPlace::admit`, then `Fallback::choose`. `None`: nothing is claimed, or the claim is released at once.
    fn server_for(&self, system: &System, delivery: usize, email: usize) -> Option<Server> {
        let process = self.process_of(system, delivery);
        let usable =
            [Server::First, Server::Fallback].into_iter().find(|server| self.is_usable(process, *server));
        let row = &system.rows[email];
        let is_bound = self.fallback && self.variant != Variant::NotBound && row.is_claimable();
        let bound_to = row.bound_to.filter(|_| is_bound);
        let server = bound_to.or(usable)?;
        (usable.is_some() && self.is_usable(process, server)).then_some(server)
    }

    fn is_usable(&self, process: &Process, server: Server) -> bool {
        !process.is_open(server) && (server == Server::First || self.fallback)
    }

    /// A worker renews the leases of its emails, every five seconds, unless it is paused.
    pub(crate) fn is_renewed(&self, system: &System, email: usize) -> bool {
        system.holder_of(email).is_some_and(|delivery| !self.process_of(system, delivery).paused)
    }

    /// Everything that can happen.
    pub(crate) fn possible(&self, system: &System, actions: &mut Vec<Action>) {
        for delivery in 0..DELIVERIES {
            if !self.process_of(system, delivery).paused {
                self.possible_in(system, delivery, actions);
            }
        }
        (0..EMAILS).for_each(|email| self.possible_to(system, email, actions));
        (0..DELIVERIES).for_each(|process| self.possible_around(system, process, actions));
        if system.jobs != [0; EMAILS] {
            actions.push(Action::FlushAll);
        }
        if system.faults_left == 0 {
            actions.retain(|action| !action.is_fault());
        }
    }

    fn possible_in(&self, system: &System, delivery: usize, actions: &mut Vec<Action>) {
        let process = self.process_of(system, delivery);
        let open =
            [Server::First, Server::Fallback].into_iter().any(|server| self.is_usable(process, server));
        match system.deliveries[delivery] {
            Step::Idle if self.job_source == JobSource::Redis => {
                let waiting = (0..EMAILS).filter(|email| system.jobs[*email] > 0);
                actions.extend(waiting.map(|email| Action::TakeJob { delivery, email }));
            }
            step @ (Step::Idle | Step::HasJob(_)) if open => {
                let due = (0..EMAILS).filter(|email| system.rows[*email].is_claimable());
                let claims = due.clone().filter(|email| self.server_for(system, delivery, *email).is_some());
                actions.extend(claims.map(|email| Action::ClaimDue { delivery, email }));
                if step != Step::Idle && due.count() == 0 {
                    actions.push(Action::NothingDue { delivery });
                }
            }
            Step::Idle | Step::HasJob(_) => {}
            Step::Claimed(claim) if claim.give_up_reason.is_some() => {
                actions.push(Action::GiveUp { delivery })
            }
            Step::Claimed(claim) => {
                if self.fallback && process.is_open(claim.server) {
                    actions.push(Action::Release { delivery });
                }
                actions.push(Action::NotWanted { delivery });
                actions.push(Action::ServerUnavailable { delivery });
                actions.extend(
                    [Reply::Transient, Reply::Permanent].map(|reply| Action::Refused { delivery, reply }),
                );
                self.possible_lease_check(delivery, actions);
            }
            Step::LeaseChecked(_) => actions.push(Action::Data { delivery }),
            Step::Data(_) => actions.extend(Reply::ALL.map(|reply| Action::FinalDot { delivery, reply })),
            Step::FinalDot(_) => {
                actions.extend([Action::ReplyArrives { delivery }, Action::ReplyLost { delivery }])
            }
            Step::Completing(..) => actions.push(Action::Complete { delivery }),
        }
    }

    fn possible_lease_check(&self, delivery: usize, actions: &mut Vec<Action>) {
        if self.window {
            actions.push(Action::CheckLease { delivery });
        } else {
            actions.extend(Reply::ALL.map(|reply| Action::CheckLeaseAndSend { delivery, reply }));
        }
    }

    fn possible_to(&self, system: &System, email: usize, actions: &mut Vec<Action>) {
        let row = &system.rows[email];
        let renewed = self.is_renewed(system, email);
        match row.state {
            RowState::Queued if !row.due => actions.push(Action::BecomesDue { email }),
            RowState::Sending if row.leased && !renewed => actions.push(Action::LeaseExpires { email }),
            RowState::Sending if !row.leased && renewed => actions.push(Action::RenewLeases { email }),
            _ => {}
        }
        if !row.is_closed() && !row.overdue {
            actions.push(Action::DeadlinePasses { email });
        }
        if system.jobs[email] == 1 {
            actions.push(Action::DuplicateJob { email });
        }
        if self.reports && system.copies[email].accepted > 0 && row.is_closed_by_report() {
            actions.push(Action::Report { email });
        }
        // Maintenance runs in the workers' processes.
        if self.variant != Variant::NoMaintenance && self.is_awake(system) {
            self.possible_for_maintenance(system, email, actions);
        }
    }

    /// `Maintenance::round`. Where a job waits, enqueueing again is a `DuplicateJob`.
    fn possible_for_maintenance(&self, system: &System, email: usize, actions: &mut Vec<Action>) {
        let row = &system.rows[email];
        if row.is_lost() {
            actions.push(Action::RescueLostLease { email });
        }
        if row.state == RowState::Queued && row.overdue {
            actions.push(Action::FailOverdue { email });
        }
        let taken = (0..DELIVERIES).any(|delivery| self.will_claim(system, delivery, email));
        if self.job_source == JobSource::Redis && row.is_claimable() && system.jobs[email] == 0 && !taken {
            actions.push(Action::Reenqueue { email });
        }
    }

    fn possible_around(&self, system: &System, process: usize, actions: &mut Vec<Action>) {
        let Process { paused, circuits_open } = system.processes[process];
        let busy = self.deliveries_of(process).any(|delivery| system.deliveries[delivery] != Step::Idle);
        if paused {
            actions.push(Action::Continue { process });
        } else if busy {
            actions.push(Action::Pause { process });
        }
        for server in [Server::First, Server::Fallback] {
            if circuits_open[server as usize] && !paused {
                actions.push(Action::ProbeSucceeds { process, server });
            }
        }
        // The crash of an idle process changes nothing.
        if busy {
            actions.push(Action::Crash { process });
        }
    }

    /// What a step does.
    pub(crate) fn take(&self, system: &mut System, action: Action) {
        system.faults_left -= u8::from(action.is_fault());
        match action {
            Action::TakeJob { delivery, email } => {
                system.jobs[email] -= 1;
                system.deliveries[delivery] = Step::HasJob(email);
            }
            Action::BecomesDue { email } => system.rows[email].due = true,
            Action::LeaseExpires { email } => system.lose_lease(email),
            Action::RenewLeases { email } => system.rows[email].leased = true,
            Action::ProbeSucceeds { process, server } => {
                system.processes[process].circuits_open[server as usize] = false;
            }
            Action::Reenqueue { email } | Action::DuplicateJob { email } => system.jobs[email] += 1,
            Action::RescueLostLease { email } => system.rows[email].rescue(),
            Action::FailOverdue { email } => {
                system.rows[email].complete_as(Outcome::Failed(Reason::DeadlinePassed));
            }
            Action::Continue { process } => system.processes[process].paused = false,
            Action::DeadlinePasses { email } => system.rows[email].overdue = true,
            // The process is started again.
            Action::Crash { process } => {
                self.deliveries_of(process).for_each(|delivery| system.lose_attempt(delivery));
                system.processes[process] = Process::default();
            }
            Action::Pause { process } => system.processes[process].paused = true,
            Action::FlushAll => system.jobs = [0; EMAILS],
            Action::Report { email } => {
                system.copies[email].reported = true;
                if self.variant != Variant::ReportOfSentOnly || system.rows[email].state == RowState::Sent {
                    system.rows[email].report();
                }
            }
            Action::NothingDue { delivery }
            | Action::ClaimDue { delivery, .. }
            | Action::GiveUp { delivery }
            | Action::Release { delivery }
            | Action::CheckLease { delivery }
            | Action::Data { delivery }
            | Action::FinalDot { delivery, .. }
            | Action::CheckLeaseAndSend { delivery, .. }
            | Action::ReplyArrives { delivery }
            | Action::Complete { delivery }
            | Action::NotWanted { delivery }
            | Action::ServerUnavailable { delivery }
            | Action::Refused { delivery, .. }
            | Action::ReplyLost { delivery } => {
                system.deliveries[delivery] = self.deliver(system, delivery, action);
            }
        }
    }

    /// One step of a delivery; returns how far it is afterwards.
    fn deliver(&self, system: &mut System, delivery: usize, action: Action) -> Step {
        match (action, system.deliveries[delivery]) {
            (Action::NothingDue { .. }, _) => Step::Idle,
            (Action::ClaimDue { email, .. }, _) => {
                let server = self.server_for(system, delivery, email).expect("a claim is for a server");
                Step::Claimed(system.rows[email].claim(email, server))
            }
            (Action::Release { .. }, Step::Claimed(claim)) => {
                let row = &mut system.rows[claim.email];
                if row.is_held_by(&claim) {
                    row.release();
                }
                Step::Idle
            }
            (Action::GiveUp { .. }, Step::Claimed(claim)) => {
                let reason = claim.give_up_reason.expect("an email is given up for a reason");
                Step::Completing(claim, Outcome::Failed(reason))
            }
            (Action::NotWanted { .. }, Step::Claimed(claim)) => Step::Completing(claim, Outcome::Cancelled),
            (Action::ServerUnavailable { .. }, Step::Claimed(claim)) => {
                system.processes[self.processes_of[delivery]].circuits_open[claim.server as usize] = true;
                let bound_to = system.rows[claim.email].bound_to;
                Step::Completing(claim, Outcome::Retry { counts: false, answer_lost: false, bound_to })
            }
            (Action::Refused { reply, .. }, Step::Claimed(claim)) => self.judge(claim, reply),
            (Action::CheckLease { .. }, Step::Claimed(claim)) => {
                if self.still_holds(system, &claim) {
                    Step::LeaseChecked(claim)
                } else {
                    Step::Idle
                }
            }
            (Action::CheckLeaseAndSend { reply, .. }, Step::Claimed(claim)) => {
                if self.still_holds(system, &claim) {
                    self.transmit(system, claim, reply)
                } else {
                    Step::Idle
                }
            }
            (Action::Data { .. }, Step::LeaseChecked(claim)) => Step::Data(claim),
            (Action::FinalDot { reply, .. }, Step::Data(claim)) => self.transmit(system, claim, reply),
            (Action::ReplyArrives { .. }, Step::FinalDot(claim)) => Step::Completing(claim, Outcome::Sent),
            (Action::ReplyLost { .. }, Step::FinalDot(_)) => {
                system.count_as_lost(delivery);
                let claim = *system.deliveries[delivery].claim().expect("an attempt has a claim");
                self.judge(claim, Reply::None)
            }
            (Action::Complete { .. }, Step::Completing(claim, outcome)) => {
                self.complete(&mut system.rows[claim.email], &claim, outcome);
                Step::Idle
            }
            (action, step) => unreachable!("{action:?} at {step:?}"),
        }
    }

    /// `Lease::still_holds`
    fn still_holds(&self, system: &mut System, claim: &Claim) -> bool {
        self.variant == Variant::NoLeaseCheck || system.rows[claim.email].renew_lease(claim)
    }

    /// `Delivery::complete`
    fn complete(&self, row: &mut Row, claim: &Claim, outcome: Outcome) {
        let holds = row.is_held_by(claim) || self.variant == Variant::CompleteWithoutToken;
        match outcome {
            Outcome::Sent if self.variant == Variant::SentOverReport => row.overwrite_as_sent(),
            Outcome::Sent if holds || self.variant != Variant::TokenForSent => row.complete_sent(),
            Outcome::Sent => {}
            _ if holds => row.complete_as(outcome),
            _ => {}
        }
    }
}

impl Reply {
    const ALL: [Reply; 4] = [Reply::Accepted, Reply::Transient, Reply::Permanent, Reply::None];
}

impl Protocol {
    /// The rest of the message is sent, and the server decides.
    fn transmit(&self, system: &mut System, claim: Claim, reply: Reply) -> Step {
        if reply == Reply::Accepted {
            system.copies[claim.email].accepted += 1;
            return Step::FinalDot(claim);
        }
        self.judge(claim, reply)
    }

    /// `Delivery::judge`, `bound_after`, `wait_after_fallback`. A reply frees a bound row; a 5xx of the fallback leaves it
    /// to the first server.
    fn judge(&self, claim: Claim, reply: Reply) -> Step {
        let by_first = claim.server == Server::First;
        let again = |bound_to| Outcome::Retry { counts: by_first, answer_lost: false, bound_to };
        let outcome = match reply {
            Reply::Accepted => Outcome::Sent,
            Reply::Permanent if by_first => Outcome::Failed(Reason::Rejected),
            Reply::Permanent if self.variant == Variant::FallbackIsFinal => {
                Outcome::Failed(Reason::RejectedByFallback)
            }
            Reply::Permanent => again(Some(Server::First)),
            Reply::Transient => again(None),
            Reply::None if claim.lost_answers + 1 >= MAX_LOST_ANSWERS => {
                Outcome::Failed(Reason::OutcomeUnknown)
            }
            Reply::None => Outcome::Retry { counts: true, answer_lost: true, bound_to: Some(claim.server) },
        };
        Step::Completing(claim, outcome)
    }
}

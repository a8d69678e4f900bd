//! What each step does.

use crate::action::{Action, Reply};
use crate::row::{Claim, MAX_LOST_ANSWERS, Outcome, Reason, Row, RowState, Server};
use crate::system::{EMAILS, Process, Step, System};
use crate::{Protocol, Variant};

impl Protocol {
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

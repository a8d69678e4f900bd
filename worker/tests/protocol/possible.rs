//! What can happen next.

use crate::action::{Action, Reply};
use crate::row::{RowState, Server};
use crate::system::{DELIVERIES, EMAILS, Process, Step, System};
use crate::{JobSource, Protocol, Variant};

impl Protocol {
    fn process_of<'a>(&self, system: &'a System, delivery: usize) -> &'a Process {
        &system.processes[self.processes_of[delivery]]
    }

    pub(crate) fn deliveries_of(&self, process: usize) -> impl Iterator<Item = usize> {
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
    pub(crate) fn server_for(&self, system: &System, delivery: usize, email: usize) -> Option<Server> {
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
}

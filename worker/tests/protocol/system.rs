//! The state of the whole system: rows, jobs, deliveries, worker processes, and what the mail server accepted.

use crate::row::{Claim, Outcome, Row, Server};

pub(crate) const EMAILS: usize = 2;
/// Concurrent deliveries, in one worker process or in two.
pub(crate) const DELIVERIES: usize = 2;

/// How far a delivery is, in the order of `deliver.rs` and `smtp/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    Idle,
    /// `Listener::handle`: the job is taken from Redis, nothing is claimed yet.
    HasJob(usize),
    /// `Delivery::deliver`: prepared, rendered, connected, up to RCPT TO.
    Claimed(Claim),
    /// `Lease::still_holds` was true, DATA was not sent yet.
    LeaseChecked(Claim),
    /// DATA was sent; the message is not complete yet.
    Data(Claim),
    /// The server accepted the email; its reply is on the way.
    FinalDot(Claim),
    /// `Delivery::complete`
    Completing(Claim, Outcome),
}

/// A worker process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process {
    /// SIGSTOP; also an event loop or a database that stalls, so that no lease is renewed.
    pub(crate) paused: bool,
    /// `circuit_breaker.rs`: before the first server, and before the fallback.
    pub(crate) circuits_open: [bool; 2],
}

impl Process {
    pub(crate) fn is_open(&self, server: Server) -> bool {
        self.circuits_open[server as usize]
    }
}

/// The copies of one email. Not in the code: the promise is measured by them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Copies {
    /// How often the server accepted it.
    pub(crate) accepted: u8,
    /// Attempts whose reply or worker was lost when a copy was sent, or could still be sent.
    pub(crate) lost_attempts: u8,
    /// Whether a copy was reported as bounced, or as spam.
    pub(crate) reported: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct System {
    pub(crate) rows: [Row; EMAILS],
    pub(crate) deliveries: [Step; DELIVERIES],
    pub(crate) processes: [Process; DELIVERIES],
    /// Jobs in Redis, a count for each email.
    pub(crate) jobs: [u8; EMAILS],
    /// How many more faults may happen.
    pub(crate) faults_left: u8,
    pub(crate) copies: [Copies; EMAILS],
    /// Bits of `Violation`: steps that must never happen.
    pub(crate) violations: u16,
}

impl Step {
    /// The attempt's claim.
    pub(crate) fn claim(&self) -> Option<&Claim> {
        match self {
            Step::Idle | Step::HasJob(_) => None,
            Step::Claimed(claim)
            | Step::LeaseChecked(claim)
            | Step::Data(claim)
            | Step::FinalDot(claim)
            | Step::Completing(claim, _) => Some(claim),
        }
    }

    /// Whether a copy was sent that the row does not record.
    fn has_unrecorded_copy(&self) -> bool {
        matches!(self, Step::FinalDot(_) | Step::Completing(_, Outcome::Sent))
    }

    /// Whether such a copy was sent, or can be sent without another check of the lease.
    fn has_checked_its_lease(&self) -> bool {
        self.has_unrecorded_copy() || matches!(self, Step::LeaseChecked(_) | Step::Data(_))
    }

    fn swap_emails(&mut self) {
        if let Step::HasJob(email) = self {
            *email = 1 - *email;
        } else if let Some(claim) = self.claim_mut() {
            claim.email = 1 - claim.email;
        }
    }

    fn claim_mut(&mut self) -> Option<&mut Claim> {
        match self {
            Step::Idle | Step::HasJob(_) => None,
            Step::Claimed(claim)
            | Step::LeaseChecked(claim)
            | Step::Data(claim)
            | Step::FinalDot(claim)
            | Step::Completing(claim, _) => Some(claim),
        }
    }
}

impl System {
    /// Two committed rows, and the jobs that reached Redis.
    pub(crate) fn committed(jobs: [u8; EMAILS], faults_left: u8) -> System {
        System {
            rows: [Row::queued(); EMAILS],
            deliveries: [Step::Idle; DELIVERIES],
            processes: [Process::default(); DELIVERIES],
            jobs,
            faults_left,
            copies: [Copies::default(); EMAILS],
            violations: 0,
        }
    }

    /// The delivery that holds an email's row, if there is one.
    pub(crate) fn holder_of(&self, email: usize) -> Option<usize> {
        let holds = |step: &Step| {
            step.claim().is_some_and(|claim| {
                claim.email == email && claim.fencing_token == self.rows[email].fencing_token
            })
        };
        self.deliveries.iter().position(holds)
    }

    /// The lease of an email expired while its attempt stood still.
    pub(crate) fn lose_lease(&mut self, email: usize) {
        self.rows[email].leased = false;
        if let Some(delivery) = self.holder_of(email)
            && self.deliveries[delivery].has_checked_its_lease()
        {
            self.count_as_lost(delivery);
        }
    }

    /// The process of a delivery was killed.
    pub(crate) fn lose_attempt(&mut self, delivery: usize) {
        if self.deliveries[delivery].has_unrecorded_copy() {
            self.count_as_lost(delivery);
        }
        self.deliveries[delivery] = Step::Idle;
    }

    /// Counts an attempt as lost, once.
    pub(crate) fn count_as_lost(&mut self, delivery: usize) {
        if let Some(claim) = self.deliveries[delivery].claim_mut()
            && !claim.counted_as_lost
        {
            claim.counted_as_lost = true;
            self.copies[claim.email].lost_attempts += 1;
        }
    }

    /// One of the states that differ from this one only in the numbers of emails and workers: the protocol treats them
    /// alike, so one of them is enough.
    pub(crate) fn representative(mut self, processes_of: &[usize; DELIVERIES]) -> System {
        if self.email_key(1) < self.email_key(0) {
            self.rows.swap(0, 1);
            self.jobs.swap(0, 1);
            self.copies.swap(0, 1);
            self.deliveries.iter_mut().for_each(Step::swap_emails);
        }
        if (self.deliveries[1], self.processes[processes_of[1]])
            < (self.deliveries[0], self.processes[processes_of[0]])
        {
            self.deliveries.swap(0, 1);
            self.processes.swap(processes_of[0], processes_of[1]);
        }
        self
    }

    fn email_key(&self, email: usize) -> (Row, u8, Copies) {
        (self.rows[email], self.jobs[email], self.copies[email])
    }
}

//! The whole of it: rows, bells, worker processes, and what the mail server took.

use crate::row::{Claim, Outcome, Row};

pub(crate) const MAILS: usize = 2;
/// Deliveries that can run at once, in one worker process or in two.
pub(crate) const SLOTS: usize = 2;

/// Where a delivery stands. `deliver.rs` and `smtp/pool.rs`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Step {
    Idle,
    /// `Listener::hear`: the bell is out of Redis, nothing is claimed yet.
    Heard(usize),
    /// `Delivery::deliver`: written, rendered, connected, up to RCPT TO.
    Claimed(Claim),
    /// `Lease::still_holds` said yes, DATA was not sent yet.
    Held(Claim),
    /// DATA was sent; the mail is not whole yet.
    Data(Claim),
    /// The server took the mail; its answer is under way.
    FinalDot(Claim),
    /// `Parts::close`
    Closing(Claim, Outcome),
}

/// A worker process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Process {
    /// SIGSTOP; stands as well for an event loop or a database that stalls, so that no lease is renewed.
    pub(crate) paused: bool,
    /// `gate.rs`
    pub(crate) gate_closed: bool,
}

/// What the mail server did with one mail. Not in the code: what the promise is measured by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ledger {
    /// How often the server took it.
    pub(crate) copies: u8,
    /// Attempts whose answer or worker was lost when a copy was out, or could still go out.
    pub(crate) excuses: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct System {
    pub(crate) rows: [Row; MAILS],
    pub(crate) slots: [Step; SLOTS],
    pub(crate) processes: [Process; SLOTS],
    /// Listener in Redis, a count for each mail.
    pub(crate) bells: [u8; MAILS],
    /// How many more faults may come.
    pub(crate) faults_left: u8,
    pub(crate) ledgers: [Ledger; MAILS],
    /// Bits of `Wrong`: steps that should never have been taken.
    pub(crate) wrongs: u8,
}

impl Step {
    /// The claim that an attempt works under.
    pub(crate) fn claim(&self) -> Option<&Claim> {
        match self {
            Step::Idle | Step::Heard(_) => None,
            Step::Claimed(claim)
            | Step::Held(claim)
            | Step::Data(claim)
            | Step::FinalDot(claim)
            | Step::Closing(claim, _) => Some(claim),
        }
    }

    /// Whether a copy is out, unknown to the row.
    fn has_unrecorded_copy(&self) -> bool {
        matches!(self, Step::FinalDot(_) | Step::Closing(_, Outcome::Sent))
    }

    /// Whether a copy is out, unknown to the row, or can go out without the fencing_token being asked again.
    fn is_past_the_fence(&self) -> bool {
        self.has_unrecorded_copy() || matches!(self, Step::Held(_) | Step::Data(_))
    }

    fn swap_mails(&mut self) {
        if let Step::Heard(mail) = self {
            *mail = 1 - *mail;
        } else if let Some(claim) = self.claim_mut() {
            claim.mail = 1 - claim.mail;
        }
    }

    fn claim_mut(&mut self) -> Option<&mut Claim> {
        match self {
            Step::Idle | Step::Heard(_) => None,
            Step::Claimed(claim)
            | Step::Held(claim)
            | Step::Data(claim)
            | Step::FinalDot(claim)
            | Step::Closing(claim, _) => Some(claim),
        }
    }
}

impl System {
    /// Two committed rows; whether the ringer's push came through is the caller's choice.
    pub(crate) fn committed(bells: [u8; MAILS], faults_left: u8) -> System {
        System {
            rows: [Row::queued(); MAILS],
            slots: [Step::Idle; SLOTS],
            processes: [Process::default(); SLOTS],
            bells,
            faults_left,
            ledgers: [Ledger::default(); MAILS],
            wrongs: 0,
        }
    }

    /// The delivery that holds a mail's row, if there still is one.
    pub(crate) fn holder_of(&self, mail: usize) -> Option<usize> {
        let holds = |step: &Step| {
            step.claim().is_some_and(|claim| {
                claim.mail == mail && claim.fencing_token == self.rows[mail].fencing_token
            })
        };
        self.slots.iter().position(holds)
    }

    /// The lease of a mail ran out while its attempt stood still.
    pub(crate) fn lose_lease(&mut self, mail: usize) {
        self.rows[mail].leased = false;
        if let Some(slot) = self.holder_of(mail)
            && self.slots[slot].is_past_the_fence()
        {
            self.excuse(slot);
        }
    }

    /// The process of a delivery died.
    pub(crate) fn lose_attempt(&mut self, slot: usize) {
        if self.slots[slot].has_unrecorded_copy() {
            self.excuse(slot);
        }
        self.slots[slot] = Step::Idle;
    }

    /// Counts an attempt's loss, once.
    pub(crate) fn excuse(&mut self, slot: usize) {
        if let Some(claim) = self.slots[slot].claim_mut()
            && !claim.excused
        {
            claim.excused = true;
            self.ledgers[claim.mail].excuses += 1;
        }
    }

    /// One of the states that differ from this one only in which mail and which worker is called which: the
    /// protocol treats them alike, so that one of them is enough.
    pub(crate) fn representative(mut self, homes: &[usize; SLOTS]) -> System {
        if self.mail_key(1) < self.mail_key(0) {
            self.rows.swap(0, 1);
            self.bells.swap(0, 1);
            self.ledgers.swap(0, 1);
            self.slots.iter_mut().for_each(Step::swap_mails);
        }
        if (self.slots[1], self.processes[homes[1]]) < (self.slots[0], self.processes[homes[0]]) {
            self.slots.swap(0, 1);
            self.processes.swap(homes[0], homes[1]);
        }
        self
    }

    fn mail_key(&self, mail: usize) -> (Row, u8, Ledger) {
        (self.rows[mail], self.bells[mail], self.ledgers[mail])
    }
}

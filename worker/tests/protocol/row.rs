//! A row of `emails` and the statements of `shared/src/db/claims.rs` and `relay.rs` that change it, each under its name.

/// As `MAX_LOST_LEASES` in `deliver.rs`, which is 5: two are reached within the faults of a run.
pub(crate) const MAX_LOST_LEASES: u8 = 2;
/// As `MAX_LOST_ANSWERS` in `deliver.rs`, which is 3.
pub(crate) const MAX_LOST_ANSWERS: u8 = 2;

/// `emails.state`; a failed row always has its reason (`last_error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowState {
    Queued,
    Sending,
    Sent,
    Failed(Reason),
    Cancelled,
}

/// What `last_error` says of a failed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// A 5xx.
    Rejected,
    /// `OUTCOME_UNKNOWN`
    OutcomeUnknown,
    /// `WORKER_LOST`
    WorkerLost,
    /// `DEADLINE_PASSED`
    DeadlinePassed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) state: RowState,
    pub(crate) attempts: u8,
    pub(crate) fencing_token: u8,
    pub(crate) lost_leases: u8,
    pub(crate) lost_answers: u8,
    /// `due_at <= now`; only asked of a queued row.
    pub(crate) due: bool,
    /// `lease_until >= now`; only asked of a sending row.
    pub(crate) leased: bool,
    /// `deadline_at <= now`
    pub(crate) overdue: bool,
}

/// `ClaimedEmail`: the row as it was when it was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) mail: usize,
    pub(crate) fencing_token: u8,
    pub(crate) lost_answers: u8,
    /// What `hopeless` in `deliver.rs` says of it.
    pub(crate) hopeless: Option<Reason>,
    /// Not in the code: this attempt lost its answer, its worker, or its lease after the fencing_token was asked,
    /// so that one more copy than wanted may be owed to it.
    pub(crate) excused: bool,
}

/// How the row is to be closed, as `Outcome` in `deliver.rs`; `NotOurs` closes nothing and is no step here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Sent,
    Cancelled,
    Failed(Reason),
    Retry { counts: bool, answer_lost: bool },
}

impl Row {
    /// `db/outbox.rs`, as committed with the account's change.
    pub(crate) fn queued() -> Row {
        Row {
            state: RowState::Queued,
            attempts: 0,
            fencing_token: 0,
            lost_leases: 0,
            lost_answers: 0,
            due: true,
            leased: false,
            overdue: false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        !matches!(self.state, RowState::Queued | RowState::Sending)
    }

    /// The macro `claimable!`.
    pub(crate) fn is_claimable(&self) -> bool {
        self.state == RowState::Queued && self.due
    }

    /// The macro `lost!`.
    pub(crate) fn is_lost(&self) -> bool {
        self.state == RowState::Sending && !self.leased
    }

    /// `Db::rescue_lost_leases` for one row of its batch.
    pub(crate) fn free(&mut self) {
        self.lost_leases += 1;
        (self.state, self.leased, self.due) = (RowState::Queued, false, true);
    }

    /// `Db::claim_due` for one row of its batch.
    pub(crate) fn claim(&mut self, mail: usize) -> Claim {
        self.attempts += 1;
        self.fencing_token += 1;
        (self.state, self.leased, self.due) = (RowState::Sending, true, true);
        let hopeless = self.hopeless();
        Claim {
            mail,
            fencing_token: self.fencing_token,
            lost_answers: self.lost_answers,
            hopeless,
            excused: false,
        }
    }

    fn hopeless(&self) -> Option<Reason> {
        if self.lost_leases >= MAX_LOST_LEASES {
            Some(Reason::WorkerLost)
        } else {
            self.overdue.then_some(Reason::DeadlinePassed)
        }
    }

    /// The condition of every write of a claim but the 250: `fencing_token = $2 AND state = 'sending'`.
    pub(crate) fn is_held_by(&self, claim: &Claim) -> bool {
        self.state == RowState::Sending && self.fencing_token == claim.fencing_token
    }

    /// `Lease::still_holds`. Renews the lease where little is left of it, also one that ran out and was not freed yet.
    pub(crate) fn hold_claim(&mut self, claim: &Claim) -> bool {
        let holds = self.is_held_by(claim);
        self.leased |= holds;
        holds
    }

    /// `Db::complete_sent`: holds whichever claim earned it.
    pub(crate) fn complete_sent(&mut self) {
        (self.state, self.leased, self.due) = (RowState::Sent, false, true);
    }

    /// `Db::complete_failed`, `Db::cancel` and `Db::retry_later`, once their condition was met.
    pub(crate) fn close_as(&mut self, outcome: Outcome) {
        self.leased = false;
        self.state = match outcome {
            Outcome::Sent => RowState::Sent,
            Outcome::Cancelled => RowState::Cancelled,
            Outcome::Failed(reason) => RowState::Failed(reason),
            Outcome::Retry { counts, answer_lost } => {
                self.attempts -= u8::from(!counts);
                self.lost_answers += u8::from(answer_lost);
                self.due = false;
                RowState::Queued
            }
        };
    }
}

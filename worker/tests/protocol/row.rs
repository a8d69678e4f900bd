//! A row of `emails`, and the statements of `shared/src/db/emails/` that change it, each under its name.

/// `MAX_LOST_LEASES` in `deliver.rs` is 5; two can be reached with the faults of a run.
pub(crate) const MAX_LOST_LEASES: u8 = 2;
/// `MAX_LOST_ANSWERS` in `deliver.rs` is 3.
pub(crate) const MAX_LOST_ANSWERS: u8 = 2;

/// `emails.state`; a failed row has its reason (`last_error`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum RowState {
    Queued,
    Sending,
    Sent,
    Failed(Reason),
    Cancelled,
    /// `bounced` or `complained`.
    Reported,
}

/// The `last_error` of a failed row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Reason {
    /// A 5xx of the first server.
    Rejected,
    /// A 5xx of the fallback: only where the model is broken.
    RejectedByFallback,
    /// `OUTCOME_UNKNOWN`
    OutcomeUnknown,
    /// `WORKER_LOST`
    WorkerLost,
    /// `DEADLINE_PASSED`
    DeadlinePassed,
}

/// `MailServer`
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Server {
    First,
    Fallback,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) state: RowState,
    pub(crate) attempts: u8,
    pub(crate) fencing_token: u8,
    pub(crate) lost_leases: u8,
    pub(crate) lost_answers: u8,
    /// The server whose answer was lost.
    pub(crate) bound_to: Option<Server>,
    /// `due_at <= now`; read only where the row is queued.
    pub(crate) due: bool,
    /// `lease_until >= now`; read only where the row is sending.
    pub(crate) leased: bool,
    /// `deadline_at <= now`
    pub(crate) overdue: bool,
}

/// `ClaimedEmail`: the row as it was when it was claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Claim {
    pub(crate) email: usize,
    pub(crate) fencing_token: u8,
    pub(crate) lost_answers: u8,
    /// The server that `Fallback::choose` returns for it.
    pub(crate) server: Server,
    /// The result of `reason_to_give_up` in `deliver.rs`.
    pub(crate) give_up_reason: Option<Reason>,
    /// Not in the code: this attempt lost its reply, its worker, or its lease after the lease was checked. One more
    /// copy than wanted is allowed for it.
    pub(crate) counted_as_lost: bool,
}

/// How an attempt ended, as `Outcome` in `deliver.rs`. `LeaseLost` changes no row and is not a step here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outcome {
    Sent,
    Cancelled,
    Failed(Reason),
    /// `bound_to`: as `bound_after` in `delivery/fallback.rs` returns it.
    Retry {
        counts: bool,
        answer_lost: bool,
        bound_to: Option<Server>,
    },
}

impl Row {
    /// As `emails/insert.rs` commits it with the account's change.
    pub(crate) fn queued() -> Row {
        Row {
            state: RowState::Queued,
            attempts: 0,
            fencing_token: 0,
            lost_leases: 0,
            lost_answers: 0,
            bound_to: None,
            due: true,
            leased: false,
            overdue: false,
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        !matches!(self.state, RowState::Queued | RowState::Sending)
    }

    /// The condition of `claim_due`.
    pub(crate) fn is_claimable(&self) -> bool {
        self.state == RowState::Queued && self.due
    }

    /// The condition of `rescue_lost_leases`.
    pub(crate) fn is_lost(&self) -> bool {
        self.state == RowState::Sending && !self.leased
    }

    /// `Db::rescue_lost_leases` for one row of its batch.
    pub(crate) fn rescue(&mut self) {
        self.lost_leases += 1;
        (self.state, self.leased, self.due) = (RowState::Queued, false, true);
    }

    /// `claim_due` for one row of its batch.
    pub(crate) fn claim(&mut self, email: usize, server: Server) -> Claim {
        self.attempts += 1;
        self.fencing_token += 1;
        (self.state, self.leased, self.due) = (RowState::Sending, true, true);
        let give_up_reason = self.give_up_reason();
        Claim {
            email,
            fencing_token: self.fencing_token,
            lost_answers: self.lost_answers,
            server,
            give_up_reason,
            counted_as_lost: false,
        }
    }

    fn give_up_reason(&self) -> Option<Reason> {
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

    /// `Lease::still_holds`. Renews a lease of which little is left, also one that expired and was not rescued yet.
    pub(crate) fn renew_lease(&mut self, claim: &Claim) -> bool {
        let holds = self.is_held_by(claim);
        self.leased |= holds;
        holds
    }

    /// `Db::release`, where its condition was met: the claim is not an attempt. A bound row waits for its server.
    pub(crate) fn release(&mut self) {
        self.attempts -= 1;
        (self.state, self.leased, self.due) = (RowState::Queued, false, self.bound_to.is_none());
    }

    /// `complete_sent`: no condition on the fencing token, but a report stays.
    pub(crate) fn complete_sent(&mut self) {
        if self.state != RowState::Reported {
            self.overwrite_as_sent();
        }
    }

    /// `complete_sent` without its condition.
    pub(crate) fn overwrite_as_sent(&mut self) {
        (self.state, self.leased, self.due) = (RowState::Sent, false, true);
    }

    /// Whether `Db::record_report` closes the row, by a hard bounce or a complaint: a refusal stays one.
    pub(crate) fn is_closed_by_report(&self) -> bool {
        match self.state {
            RowState::Queued | RowState::Sending | RowState::Sent => true,
            RowState::Failed(_) | RowState::Cancelled => self.lost_leases > 0 || self.lost_answers > 0,
            RowState::Reported => false,
        }
    }

    /// `Db::record_report`, where it closes the row.
    pub(crate) fn report(&mut self) {
        (self.state, self.leased, self.due) = (RowState::Reported, false, true);
    }

    /// `complete_failed`, `cancel` and `retry_later`, where their condition was met.
    pub(crate) fn complete_as(&mut self, outcome: Outcome) {
        self.leased = false;
        self.state = match outcome {
            Outcome::Sent => RowState::Sent,
            Outcome::Cancelled => RowState::Cancelled,
            Outcome::Failed(reason) => RowState::Failed(reason),
            Outcome::Retry { counts, answer_lost, bound_to } => {
                self.bound_to = bound_to;
                self.attempts -= u8::from(!counts);
                self.lost_answers += u8::from(answer_lost);
                self.due = false;
                RowState::Queued
            }
        };
    }
}

//! The steps of the code, and faults.

use crate::row::Server;

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

impl Reply {
    pub(crate) const ALL: [Reply; 4] = [Reply::Accepted, Reply::Transient, Reply::Permanent, Reply::None];
}

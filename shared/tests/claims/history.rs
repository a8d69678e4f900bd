//! Random histories: what workers, maintenance, an operator and time do to a few emails.

use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::domain::{EmailKind, ReportVerdict};
use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::Index;

/// One call, or the passing of time.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Queue(EmailKind),
    ClaimDue { worker: usize, limits: ClaimLimits },
    RenewLease(Pick),
    LeaseLasts { claim: Pick, left: TimeDelta },
    FreeLost,
    RenewLeases { worker: usize, emails: u8 },
    RetryLater { claim: Pick, wait: TimeDelta, counts: bool, answer_lost: bool },
    Release { claim: Pick, wait: Option<TimeDelta> },
    CloseSent(Vec<Pick>),
    CloseFailed(Pick),
    CloseCancelled(Pick),
    TakeUnenqueued { limit: i64 },
    FailOverdue,
    RetryEmail(Index),
    CancelEmail(Index),
    RecordLostLease(Pick),
    Report(Index, ReportVerdict),
    Wait(TimeDelta),
}

/// A claim of the history: the newest, or any, which is probably stale.
#[derive(Clone, Debug)]
pub(crate) enum Pick {
    Newest,
    Any(Index),
}

impl Pick {
    pub(crate) fn of<'a, T>(&self, claims: &'a [T]) -> Option<&'a T> {
        match self {
            Pick::Newest => claims.last(),
            Pick::Any(index) => (!claims.is_empty()).then(|| index.get(claims)),
        }
    }
}

/// The workers. Their clocks differ, as those of real machines do between two samples of the database's.
pub(crate) const WORKERS: [(&str, TimeDelta); 3] = [
    ("ann", TimeDelta::zero()),
    ("bob", TimeDelta::milliseconds(1_500)),
    ("eve", TimeDelta::microseconds(-700)),
];

pub(crate) fn histories() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 1..50)
}

fn op() -> impl Strategy<Value = Op> {
    let worker = || 0..WORKERS.len();
    prop_oneof![
        3 => kind().prop_map(Op::Queue),
        6 => (worker(), limits()).prop_map(|(worker, limits)| Op::ClaimDue { worker, limits }),
        3 => pick().prop_map(Op::RenewLease),
        2 => (pick(), wait()).prop_map(|(claim, left)| Op::LeaseLasts { claim, left }),
        3 => Just(Op::FreeLost),
        2 => (worker(), 1..=u8::MAX).prop_map(|(worker, emails)| Op::RenewLeases { worker, emails }),
        3 => (pick(), wait(), any::<bool>(), any::<bool>()).prop_map(|(claim, wait, counts, answer_lost)| {
            Op::RetryLater { claim, wait, counts, answer_lost }
        }),
        2 => (pick(), prop::option::of(wait())).prop_map(|(claim, wait)| Op::Release { claim, wait }),
        1 => prop::collection::vec(pick(), 1..4).prop_map(Op::CloseSent),
        1 => pick().prop_map(Op::CloseFailed),
        1 => pick().prop_map(Op::CloseCancelled),
        2 => (1..4i64).prop_map(|limit| Op::TakeUnenqueued { limit }),
        1 => Just(Op::FailOverdue),
        1 => any::<Index>().prop_map(Op::RetryEmail),
        1 => any::<Index>().prop_map(Op::CancelEmail),
        1 => pick().prop_map(Op::RecordLostLease),
        1 => (any::<Index>(), verdict()).prop_map(|(email, verdict)| Op::Report(email, verdict)),
        6 => wait().prop_map(Op::Wait),
    ]
}

/// Of each priority, and two of the first with different deadlines.
fn kind() -> impl Strategy<Value = EmailKind> {
    prop::sample::select(vec![
        EmailKind::ResetPassword,
        EmailKind::VerifyEmail,
        EmailKind::PasswordChanged,
        EmailKind::Welcome,
    ])
}

fn verdict() -> impl Strategy<Value = ReportVerdict> {
    prop::sample::select(vec![
        ReportVerdict::Hard,
        ReportVerdict::Soft,
        ReportVerdict::Delay,
        ReportVerdict::Complaint,
    ])
}

fn limits() -> impl Strategy<Value = ClaimLimits> {
    (1..5i64).prop_flat_map(|emails| {
        (0..=emails, 0..=emails).prop_map(move |(bulk, aged)| ClaimLimits { emails, bulk, aged })
    })
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![Just(Pick::Newest), any::<Index>().prop_map(Pick::Any)]
}

/// The limits, a microsecond beside them, and other times, with all lengths of fraction in SQLite's text.
fn wait() -> impl Strategy<Value = TimeDelta> {
    let limit = prop::sample::select(vec![0, 1, 5, 10, 15, 16, 600, 3_600, 86_400]);
    let beside = prop::sample::select(vec![-1, 0, 1, 1_000, 500_000]);
    prop_oneof![
        4 => (limit, beside).prop_map(|(s, micros)| TimeDelta::seconds(s) + TimeDelta::microseconds(micros)),
        2 => (0..40_000_000i64).prop_map(TimeDelta::microseconds),
    ]
    .prop_map(|wait| wait.max(TimeDelta::zero()))
}

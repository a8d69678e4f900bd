//! Leases: one statement every five seconds renews the leases of all emails in flight, and shows which were lost.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::emails::claim::{Claim, ClaimedEmail};
use bookly_shared::metrics::Counted;
use bookly_shared::metrics::table::EMAILS_IN_FLIGHT;
use parking_lot::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A third of the lease: two renewals may fail before it ends.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// The wait after a failure: leases must not end because nobody renewed them after the database came back.
const RENEW_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How long the answer of a lease check is valid: well within the time that is left of the lease.
const CHECK_VALID_FOR: Duration = Duration::from_secs(4);

/// A younger claim needs no check before DATA: more than 11 s of its lease (15 s) are left, and a check demands 9 s
/// (`MIN_LEASE_LEFT`). Its age is measured by two clocks: the monotonic one may stand still while the machine sleeps, the
/// wall clock may be set.
const CHECKED_FROM_AGE: Duration = Duration::from_secs(4);

/// The leases of the emails that this worker has in flight.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    db: Db,
    clock: Clock,
    worker: String,
    /// The fencing token of each email.
    held: Arc<Mutex<HashMap<Uuid, i64>>>,
}

/// Keeps one email's lease renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    leases: &'a Leases,
    email: &'a ClaimedEmail,
    claim_began: Instant,
    _in_flight: Counted,
}

impl Leases {
    pub(crate) fn new(db: Db, clock: Clock, worker: String) -> Leases {
        Leases { db, clock, worker, held: Arc::default() }
    }

    /// Renews the lease of an email from now on. The claim was sent to the database at `claim_began`.
    pub(crate) fn keep<'a>(&'a self, email: &'a ClaimedEmail, claim_began: Instant) -> Lease<'a> {
        self.held().insert(email.id, email.fencing_token);
        Lease { leases: self, email, claim_began, _in_flight: EMAILS_IN_FLIGHT.count([]) }
    }

    /// Renews until `stop`.
    pub(crate) async fn renew(&self, stop: &CancellationToken) {
        let mut wait = RENEW_EVERY;
        while stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            wait = if self.renew_once().await { RENEW_EVERY } else { RENEW_AGAIN_AFTER };
        }
    }

    /// Returns whether the database did it.
    async fn renew_once(&self) -> bool {
        let ids: Vec<Uuid> = self.held().keys().copied().collect();
        if ids.is_empty() {
            return true;
        }
        let renewed = self.db.renew_leases(&ids, &self.worker, self.clock.now());
        // A connection that became silent must not delay the next renewal too.
        let Ok(renewed) = tokio::time::timeout(RENEW_EVERY, renewed).await else {
            tracing::warn!(emails = ids.len(), "leases could not be renewed in time");
            return false;
        };
        match renewed {
            Ok(renewed) => {
                self.forget_lost(&ids, &renewed);
                true
            }
            // Nothing is lost yet: the check before DATA asks the database again.
            Err(error) => {
                tracing::warn!(%error, emails = ids.len(), "leases could not be renewed");
                false
            }
        }
    }

    /// The delivery of an email whose lease is lost goes on. If it has not reached DATA, the check before DATA stops it; if
    /// it has, a 250 is recorded.
    fn forget_lost(&self, ids: &[Uuid], renewed: &[Claim]) {
        let mut held = self.held();
        for &id in ids {
            let still_held =
                held.get(&id).is_none_or(|&fencing_token| renewed.contains(&Claim { id, fencing_token }));
            if !still_held {
                held.remove(&id);
                tracing::warn!(email = %id, "this worker's claim no longer holds; the lease is not renewed");
            }
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, i64>> {
        self.held.lock()
    }
}

impl Lease<'_> {
    /// The check right before DATA. If the database does not answer, the email is not sent: it will be claimed again.
    pub(crate) async fn still_holds(&self) -> bool {
        if self.needs_no_check() {
            return true;
        }
        let check_began = Instant::now();
        let now = self.leases.clock.now();
        match self.leases.db.lease_holds(self.email.claim(), now).await {
            // A process that was stopped during the check has an outdated answer.
            Ok(holds) => holds && check_began.elapsed() < CHECK_VALID_FOR,
            Err(error) => {
                tracing::warn!(email = %self.email.id, %error, "the lease could not be checked, nothing is sent");
                false
            }
        }
    }

    fn needs_no_check(&self) -> bool {
        let by_wall_clock = (self.leases.clock.now() - self.email.claimed_at).to_std();
        self.claim_began.elapsed() < CHECKED_FROM_AGE && by_wall_clock.is_ok_and(|age| age < CHECKED_FROM_AGE)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut held = self.leases.held();
        if held.get(&self.email.id) == Some(&self.email.fencing_token) {
            held.remove(&self.email.id);
        }
    }
}

//! Leases: one UPDATE every five seconds renews what this worker has in flight and tells what it lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bookly_shared::clock::Clock;
use bookly_shared::db::batch::{BatchOperation, Batcher};
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::db::held_connection::HeldConnection;
use bookly_shared::db::{Db, DbError, DbResult};
use bookly_shared::metrics::Counted;
use bookly_shared::metrics::table::EMAILS_IN_FLIGHT;
use chrono::TimeDelta;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A third of the lease: two renewals may fail before it runs out.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// After a failure: a database that comes back must not find the lease run out for want of asking.
const RENEW_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// How much of a lease must be left at the fencing_token; it is, as long as renewals come in time. A shorter one is renewed.
const LEFT_AT_THE_FENCE: TimeDelta = TimeDelta::seconds(9);

/// How long the fencing_token's answer is good: well within what is left of the lease.
const ANSWER_HOLDS: Duration = Duration::from_secs(4);

/// A claim that was asked for so shortly ago, by the clock on the wall and by the one that never jumps, has more of
/// its lease left than the fencing_token asks for: nobody else can have the mail, and the database need not say so again.
const NO_DOUBT: Duration = Duration::from_secs(4);

/// The mails that this worker has in flight.
#[derive(Clone, Debug)]
pub(crate) struct Leases {
    db: Db,
    clock: Clock,
    worker: String,
    held: Arc<Mutex<HashMap<Uuid, i64>>>,
    fencing_tokens: Arc<Batcher<FencingTokens>>,
    rows: RowsInTurn,
}

/// Whoever changes several of this worker's rows in one statement has this: two such statements, each with rows that
/// the other wants next, would wait for each other until Postgres ends one of them.
pub(crate) type RowsInTurn = Arc<tokio::sync::Mutex<()>>;

/// The fencing_token's question: of these mails, whose leases last?
#[derive(Debug)]
struct FencingTokens {
    clock: Clock,
}

impl BatchOperation for FencingTokens {
    /// A mail and its claim's fencing_token.
    type Item = (Uuid, i64);
    type Answer = bool;

    async fn ask(&self, db: &mut HeldConnection, claims: &[(Uuid, i64)]) -> DbResult<Vec<bool>> {
        let ids: Vec<Uuid> = claims.iter().map(|(id, _)| *id).collect();
        let leased = db.leased_until(&ids, self.clock.now() + LEFT_AT_THE_FENCE).await?;
        Ok(claims.iter().map(|claim| leased.contains(claim)).collect())
    }
}

/// Keeps one mail's lease renewed until it is dropped.
#[derive(Debug)]
pub(crate) struct Lease<'a> {
    leases: &'a Leases,
    mail: &'a ClaimedEmail,
    asked: Instant,
    _in_flight: Counted,
}

impl Leases {
    pub(crate) fn new(db: Db, clock: Clock, worker: String) -> Leases {
        let fencing_tokens = Arc::new(Batcher::new(db.clone(), FencingTokens { clock: clock.clone() }));
        Leases { db, clock, worker, held: Arc::default(), fencing_tokens, rows: RowsInTurn::default() }
    }

    /// To be held by other statements that change several of this worker's rows.
    pub(crate) fn rows(&self) -> RowsInTurn {
        self.rows.clone()
    }

    /// Has the lease of a mail renewed from now on, whose claim was asked for at `asked`.
    pub(crate) fn keep<'a>(&'a self, mail: &'a ClaimedEmail, asked: Instant) -> Lease<'a> {
        self.held().insert(mail.id, mail.fencing_token);
        Lease { leases: self, mail, asked, _in_flight: EMAILS_IN_FLIGHT.count() }
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
        let renewed = async {
            let _turn = self.rows.lock().await;
            self.db.renew_leases(&ids, &self.worker, self.clock.now()).await
        };
        // A connection that went silent must not cost the next renewal, too.
        let Ok(renewed) = tokio::time::timeout(RENEW_EVERY, renewed).await else {
            tracing::warn!(mails = ids.len(), "leases could not be renewed in time");
            return false;
        };
        match renewed {
            Ok(renewed) => {
                self.forget_lost(&ids, &renewed);
                true
            }
            // Nothing is lost yet: the check before DATA asks again.
            Err(error) => {
                tracing::warn!(%error, mails = ids.len(), "leases could not be renewed");
                false
            }
        }
    }

    /// A lost lease stops nothing by itself: the check before DATA does, and after it a 250 is worth recording.
    fn forget_lost(&self, asked: &[Uuid], renewed: &[(Uuid, i64)]) {
        let mut held = self.held();
        for id in asked {
            let still_ours =
                held.get(id).is_none_or(|fencing_token| renewed.contains(&(*id, *fencing_token)));
            if !still_ours {
                held.remove(id);
                tracing::warn!(mail = %id, "the lease of an email was lost to another worker");
            }
        }
    }

    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, i64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease<'_> {
    /// The fencing_token, right before DATA. A database that does not answer means no: the row will be claimed again.
    pub(crate) async fn still_holds(&self) -> bool {
        if self.is_beyond_doubt() {
            return true;
        }
        let asked = Instant::now();
        match self.ask().await {
            // A process that was stopped while it asked comes back with an answer that is out of date.
            Ok(holds) => holds && asked.elapsed() < ANSWER_HOLDS,
            Err(error) => {
                tracing::warn!(mail = %self.mail.id, %error, "the lease could not be checked, nothing is sent");
                false
            }
        }
    }

    fn is_beyond_doubt(&self) -> bool {
        let by_the_wall = (self.leases.clock.now() - self.mail.claimed_at).to_std();
        self.asked.elapsed() < NO_DOUBT && by_the_wall.is_ok_and(|since| since < NO_DOUBT)
    }

    async fn ask(&self) -> Result<bool, Arc<DbError>> {
        let (id, fencing_token) = (self.mail.id, self.mail.fencing_token);
        if self.leases.fencing_tokens.ask((id, fencing_token)).await? {
            return Ok(true);
        }
        Ok(self.leases.db.hold_claim(id, fencing_token, self.leases.clock.now()).await?)
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut held = self.leases.held();
        if held.get(&self.mail.id) == Some(&self.mail.fencing_token) {
            held.remove(&self.mail.id);
        }
    }
}

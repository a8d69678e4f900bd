//! Leases of claimed emails: the check right before DATA, and renewals.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::claim::{Claim, LEASE};
use crate::db::batch::{BatchOperation, HeldConnection, column};
use crate::db::{Db, DbResult, Pools, on_db, within_limit};

/// How much of a lease must be left right before DATA. A shorter lease is renewed first. While renewals succeed every 5 s,
/// more than this is left.
const MIN_LEASE_LEFT: TimeDelta = TimeDelta::seconds(9);

const LEASES_THAT_LAST_POSTGRES: &str = "
SELECT id, fencing_token FROM emails WHERE id = ANY ($1) AND state = 'sending' AND lease_until >= $2";

const LEASE_THAT_LASTS_SQLITE: &str = "
SELECT id, fencing_token FROM emails WHERE id = $1 AND state = 'sending' AND lease_until >= $2";

/// Checks leases in batches.
#[derive(Clone, Copy, Debug)]
struct CheckLeases;

impl BatchOperation for CheckLeases {
    type Item = (Claim, DateTime<Utc>);
    type Output = bool;

    async fn run(
        &self,
        connection: &mut HeldConnection,
        checks: &[(Claim, DateTime<Utc>)],
    ) -> DbResult<Vec<bool>> {
        // The times are milliseconds apart, so the latest serves for all.
        let Some(until) = checks.iter().map(|(_, until)| *until).max() else { return Ok(Vec::new()) };
        let ids = column(checks, |(claim, _)| claim.id);
        let lasting = within_limit(async { leases_that_last(connection, &ids, until).await }).await?;
        Ok(column(checks, |(claim, _)| lasting.contains(claim)))
    }
}

async fn leases_that_last(
    connection: &mut HeldConnection,
    ids: &[Uuid],
    until: DateTime<Utc>,
) -> DbResult<Vec<Claim>> {
    match connection {
        HeldConnection::Postgres(connection) => {
            let query = sqlx::query_as(LEASES_THAT_LAST_POSTGRES).bind(ids).bind(until);
            Ok(query.fetch_all(&mut **connection).await?)
        }
        HeldConnection::Sqlite { reader, .. } => {
            let mut lasting: Vec<Claim> = Vec::with_capacity(ids.len());
            for id in ids {
                let query = sqlx::query_as(LEASE_THAT_LASTS_SQLITE).bind(id).bind(until);
                let claim: Option<Claim> = query.fetch_optional(&*reader).await?;
                lasting.extend(claim);
            }
            Ok(lasting)
        }
    }
}

const RENEW_LEASE: &str = "
UPDATE emails SET lease_until = $3 WHERE id = $1 AND fencing_token = $2 AND state = 'sending'";

const RENEW_LEASES_POSTGRES: &str = "
UPDATE emails SET lease_until = $3
WHERE id = ANY ($1) AND worker = $2 AND state = 'sending'
RETURNING id, fencing_token";

const RENEW_LEASES_SQLITE: &str = "
UPDATE emails SET lease_until = $3
WHERE id = $1 AND worker = $2 AND state = 'sending'
RETURNING id, fencing_token";

impl Db {
    /// The check right before DATA: whether the claim holds, and for long enough that nobody else can claim the email as
    /// DATA begins; renewals keep the lease after that. A lease that is too short is renewed.
    pub async fn lease_holds(&self, claim: Claim, now: DateTime<Utc>) -> DbResult<bool> {
        if self.lease_lasts(claim, now + MIN_LEASE_LEFT).await? {
            return Ok(true);
        }
        self.renew_lease(claim, now).await
    }

    /// Whether the claim holds and its lease ends at `until` or later.
    pub async fn lease_lasts(&self, claim: Claim, until: DateTime<Utc>) -> DbResult<bool> {
        self.batch(CheckLeases, (claim, until)).await
    }

    /// Renews a lease; returns whether the claim still holds.
    pub async fn renew_lease(&self, claim: Claim, now: DateTime<Utc>) -> DbResult<bool> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(RENEW_LEASE).bind(claim.id).bind(claim.fencing_token).bind(now + LEASE);
            query.execute(&mut *connection).await?.rows_affected() == 1
        })
    }

    /// Renews the leases of a worker's emails, and returns the claims that still hold.
    pub async fn renew_leases(&self, ids: &[Uuid], worker: &str, now: DateTime<Utc>) -> DbResult<Vec<Claim>> {
        let until = now + LEASE;
        within_limit(async {
            match &self.pools {
                Pools::Postgres(pool) => {
                    let _turn = self.claimed_rows.lock().await;
                    let query = sqlx::query_as(RENEW_LEASES_POSTGRES).bind(ids).bind(worker).bind(until);
                    Ok(query.fetch_all(pool).await?)
                }
                Pools::Sqlite { writer, .. } => {
                    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
                    let mut renewed: Vec<Claim> = Vec::with_capacity(ids.len());
                    for id in ids {
                        let query = sqlx::query_as(RENEW_LEASES_SQLITE).bind(id).bind(worker).bind(until);
                        let claim: Option<Claim> = query.fetch_optional(&mut *tx).await?;
                        renewed.extend(claim);
                    }
                    tx.commit().await?;
                    Ok(renewed)
                }
            }
        })
        .await
    }
}

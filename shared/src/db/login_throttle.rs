//! The tables `login_failures` and `login_networks`: how fast passwords may be tried for one address.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Db, DbResult, in_transaction, on_db};

/// Failures that cause no wait.
const FREE_FAILURES: i32 = 5;
/// A count starts again this long after its last failure.
pub const FORGET_FAILURES_AFTER: TimeDelta = TimeDelta::days(1);
/// How long the network of a login stays known.
pub const KNOWN_NETWORK_FOR: TimeDelta = TimeDelta::days(30);
/// The most networks of one address that are remembered, so that an attacker cannot collect counts of failures.
const MAX_NETWORKS: i64 = 10;
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// The count that a login attempt belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginCount {
    /// The submitted address in its canonical form.
    pub mailbox: String,
    /// The client's network if the account logged in from there lately; empty for the count of all other networks.
    network: String,
}

/// The wait after the last failure: none for the first five, then 2 s, doubled with each failure up to 15 minutes.
fn wait_after(failures: i32) -> TimeDelta {
    match failures - FREE_FAILURES {
        ..0 => TimeDelta::zero(),
        doublings => TimeDelta::seconds(2 << doublings.min(20)).min(LONGEST_WAIT),
    }
}

const COUNT_KNOWN_NETWORK: &str = "
SELECT count(*) FROM login_networks WHERE mailbox = $1 AND network = $2 AND last_login_at > $3";

const SELECT_FAILURES: &str = "
SELECT failures, last_failed_at FROM login_failures WHERE mailbox = $1 AND network = $2 AND last_failed_at > $3";

const COUNT_FAILURE: &str = "
INSERT INTO login_failures (mailbox, network, failures, last_failed_at) VALUES ($1, $2, 1, $3)
ON CONFLICT (mailbox, network) DO UPDATE
SET last_failed_at = $3,
    failures = CASE WHEN login_failures.last_failed_at < $4 THEN 1 ELSE login_failures.failures + 1 END";

const FORGET_FAILURES: &str = "DELETE FROM login_failures WHERE mailbox = $1 AND network = $2";

/// After a new password, earlier wrong passwords no longer count.
pub(in crate::db) const FORGET_ALL_FAILURES: &str = "DELETE FROM login_failures WHERE mailbox = $1";

/// After a reset, a change of password or address, or a verification, earlier logins may have been another person's. A
/// reset and a change of password then remember the network that they came from.
pub(in crate::db) const FORGET_NETWORKS: &str = "DELETE FROM login_networks WHERE mailbox = $1";

/// Forgets the failures of an address, and the networks of its logins, in a transaction.
macro_rules! forget_logins {
    ($tx:expr, $mailbox:expr) => {{
        use $crate::db::login_throttle::{FORGET_ALL_FAILURES, FORGET_NETWORKS};
        sqlx::query(FORGET_ALL_FAILURES).bind($mailbox).execute(&mut *$tx).await?;
        sqlx::query(FORGET_NETWORKS).bind($mailbox).execute(&mut *$tx).await?;
    }};
}
pub(in crate::db) use forget_logins;

const FORGET_OLDEST_NETWORKS: &str = "
DELETE FROM login_networks
WHERE mailbox = $1
  AND network NOT IN (SELECT network FROM login_networks
                      WHERE mailbox = $1
                      ORDER BY last_login_at DESC, network
                      LIMIT $2)";

pub(in crate::db) const REMEMBER_NETWORK: &str = "
INSERT INTO login_networks (mailbox, network, last_login_at) VALUES ($1, $2, $3)
ON CONFLICT (mailbox, network) DO UPDATE SET last_login_at = $3";

#[derive(sqlx::FromRow)]
struct Failures {
    failures: i32,
    last_failed_at: DateTime<Utc>,
}

impl Db {
    /// The count that an attempt from `network` belongs to, and how long the attempt must wait, if at all.
    pub async fn login_wait(
        &self,
        mailbox: &str,
        network: &str,
        now: DateTime<Utc>,
    ) -> DbResult<(LoginCount, Option<TimeDelta>)> {
        let (known_since, failed_since) = (now - KNOWN_NETWORK_FOR, now - FORGET_FAILURES_AFTER);
        let found: DbResult<(LoginCount, Option<Failures>)> = on_db!(self.reader(), connection => {
            let query = sqlx::query_scalar(COUNT_KNOWN_NETWORK).bind(mailbox).bind(network).bind(known_since);
            let known: i64 = query.fetch_one(&mut *connection).await?;
            let network = if known > 0 { network } else { "" };
            let query = sqlx::query_as(SELECT_FAILURES).bind(mailbox).bind(network).bind(failed_since);
            let count = LoginCount { mailbox: mailbox.to_owned(), network: network.to_owned() };
            (count, query.fetch_optional(&mut *connection).await?)
        });
        let (count, failed) = found?;
        let wait = failed.map(|failed| failed.last_failed_at + wait_after(failed.failures) - now);
        Ok((count, wait.filter(|wait| *wait > TimeDelta::zero())))
    }

    /// Counts a failed login.
    pub async fn count_login_failure(&self, count: &LoginCount, now: DateTime<Utc>) -> DbResult<()> {
        on_db!(self.writer(), connection => {
            let query = sqlx::query(COUNT_FAILURE).bind(&count.mailbox).bind(&count.network).bind(now);
            query.bind(now - FORGET_FAILURES_AFTER).execute(&mut *connection).await.map(drop)?
        })
    }

    /// Forgets the failures of a count after the right password was given. Remembers the network if the account is
    /// verified: anyone can sign up with another person's address and log in.
    pub async fn count_login_success(
        &self,
        count: &LoginCount,
        verified_from: Option<&str>,
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        in_transaction!(self, tx => {
            sqlx::query(FORGET_FAILURES).bind(&count.mailbox).bind(&count.network).execute(&mut *tx).await?;
            if let Some(network) = verified_from {
                let query = sqlx::query(REMEMBER_NETWORK).bind(&count.mailbox).bind(network).bind(now);
                query.execute(&mut *tx).await?;
                let query = sqlx::query(FORGET_OLDEST_NETWORKS).bind(&count.mailbox).bind(MAX_NETWORKS);
                query.execute(&mut *tx).await?;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_begin_after_five_failures_and_double_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = [0, 4, 5, 6, 7, 13, 14, 1_000].map(|n| wait_after(n).num_seconds()).into();
        assert_eq!(waits, [0, 0, 2, 4, 8, 512, 900, 900]);
    }
}

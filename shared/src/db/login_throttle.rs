//! The tables `login_failures` and `login_networks`: how fast passwords may be tried for one address.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Db, DbResult, in_transaction, on_db, read_db};

/// Failures that cost nothing but themselves.
const FREE_FAILURES: i32 = 5;
/// After so long without a failure the count begins anew.
pub const FORGET_FAILURES_AFTER: TimeDelta = TimeDelta::days(1);
/// How long a login makes its network a known one.
pub const KNOWN_NETWORK_FOR: TimeDelta = TimeDelta::days(30);
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(15);

/// Which count a login attempt belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginCount {
    /// The submitted address in its canonical form.
    pub mailbox: String,
    /// The client's network if the account logged in from there lately; else empty: everybody's common count.
    network: String,
}

/// How long to wait after the last failure: nothing for the first five, then twice as long each time, from
/// two seconds to a quarter of an hour.
fn wait_after(failures: i32) -> TimeDelta {
    match failures - FREE_FAILURES {
        ..0 => TimeDelta::zero(),
        doublings => TimeDelta::seconds(2 << doublings.min(20)).min(LONGEST_WAIT),
    }
}

impl Db {
    /// Which count an attempt from `network` belongs to, and how long it must still wait, if at all.
    pub async fn login_wait(
        &self,
        mailbox: &str,
        network: &str,
        now: DateTime<Utc>,
    ) -> DbResult<(LoginCount, Option<TimeDelta>)> {
        let known =
            "SELECT count(*) FROM login_networks WHERE mailbox = $1 AND network = $2 AND last_login_at > $3";
        let failed = "SELECT failures, last_failed_at FROM login_failures
                      WHERE mailbox = $1 AND network = $2 AND last_failed_at > $3";
        let (count, failures): (LoginCount, Option<(i32, DateTime<Utc>)>) = read_db!(self, pool => {
            let since = now - KNOWN_NETWORK_FOR;
            let query = sqlx::query_scalar(known).bind(mailbox).bind(network).bind(since);
            let is_known: i64 = query.fetch_one(pool).await?;
            let network = if is_known > 0 { network } else { "" };
            let since = now - FORGET_FAILURES_AFTER;
            let query = sqlx::query_as(failed).bind(mailbox).bind(network).bind(since);
            let count = LoginCount { mailbox: mailbox.to_owned(), network: network.to_owned() };
            (count, query.fetch_optional(pool).await?)
        });
        let wait = failures.map(|(failures, at)| at + wait_after(failures) - now);
        Ok((count, wait.filter(|wait| *wait > TimeDelta::zero())))
    }

    /// Counts a failed login.
    pub async fn count_login_failure(&self, count: &LoginCount, now: DateTime<Utc>) -> DbResult<()> {
        let sql = "INSERT INTO login_failures (mailbox, network, failures, last_failed_at) VALUES ($1, $2, 1, $3)
                   ON CONFLICT (mailbox, network) DO UPDATE SET last_failed_at = $3,
                   failures = CASE WHEN login_failures.last_failed_at < $4 THEN 1 ELSE login_failures.failures + 1 END";
        on_db!(self, pool => {
            let query = sqlx::query(sql).bind(&count.mailbox).bind(&count.network).bind(now);
            query.bind(now - FORGET_FAILURES_AFTER).execute(pool).await.map(|_| ())?;
        });
        Ok(())
    }

    /// Forgets the failures of a count whose owner has the password, and remembers the network.
    pub async fn count_login_success(
        &self,
        count: &LoginCount,
        network: &str,
        now: DateTime<Utc>,
    ) -> DbResult<()> {
        let forget = "DELETE FROM login_failures WHERE mailbox = $1 AND network = $2";
        let remember = "INSERT INTO login_networks (mailbox, network, last_login_at) VALUES ($1, $2, $3)
                        ON CONFLICT (mailbox, network) DO UPDATE SET last_login_at = $3";
        in_transaction!(self, tx => {
            sqlx::query(forget).bind(&count.mailbox).bind(&count.network).execute(&mut *tx).await?;
            sqlx::query(remember).bind(&count.mailbox).bind(network).bind(now).execute(&mut *tx).await?;
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

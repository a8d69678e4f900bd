//! Slows down password guessing. Failures are counted in the database by the submitted address, whether an account has
//! it or not.

use std::net::IpAddr;

use bookly_shared::audit;
use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::login_throttle::LoginCount;
use bookly_shared::db::users::User;
use bookly_shared::domain::Password;
use ipnet::{Ipv4Net, Ipv6Net};
use tokio::sync::MutexGuard;

use crate::address_locks::AddressLocks;
use crate::error::{ApiError, ApiResult};
use crate::hasher::Hasher;

/// Lets one attempt per address run at a time in this process. Otherwise fifty attempts at once would all be hashed
/// before the first of them is counted as failed.
#[derive(Clone, Debug)]
pub struct LoginGuard {
    db: Db,
    clock: Clock,
    hasher: Hasher,
    locks: AddressLocks,
}

/// A login attempt that may be made. It ends with [`failed`](Attempt::failed) or [`succeeded`](Attempt::succeeded).
pub struct Attempt<'a> {
    guard: &'a LoginGuard,
    count: LoginCount,
    network: String,
    _lock: MutexGuard<'a, ()>,
}

impl LoginGuard {
    /// A guard that counts in this database by its clock, and checks passwords with this hasher.
    pub fn new(db: Db, clock: Clock, hasher: Hasher) -> LoginGuard {
        LoginGuard { db, clock, hasher, locks: AddressLocks::new() }
    }

    /// Waits for the attempt before this one and checks, before anything is hashed, whether this one may be made now.
    ///
    /// # Errors
    /// 429 with the wait after too many failures.
    pub async fn begin(&self, mailbox: &str, client: IpAddr) -> ApiResult<Attempt<'_>> {
        let lock = self.locks.lock(mailbox).await;
        let network = network(client);
        let (count, wait) = self.db.login_wait(mailbox, &network, self.clock.now()).await?;
        match wait {
            // Whole seconds, rounded up, so that a client that waits for `Retry-After` is not refused again.
            Some(wait) => {
                audit::throttled(mailbox, "password_attempt_throttled");
                Err(ApiError::TooManyRequests(wait.num_seconds().unsigned_abs() + 1))
            }
            None => Ok(Attempt { guard: self, count, network, _lock: lock }),
        }
    }

    /// Checks the password of an account that has a session: a stolen session must not become a way to guess the
    /// password. The attempts are counted with the logins.
    ///
    /// # Errors
    /// 400 when the password is wrong, 429 with the wait after too many failures.
    pub async fn require_password(&self, user: &User, password: Password, client: IpAddr) -> ApiResult<()> {
        let attempt = self.begin(&user.email_canonical, client).await?;
        if self.hasher.verify(password, user.password_hash.clone()).await? {
            return attempt.succeeded(user).await;
        }
        attempt.failed().await?;
        audit::wrong_password(&user.email, Some(user), "password_check_failed");
        Err(ApiError::InvalidEmailOrPassword)
    }
}

impl Attempt<'_> {
    /// Counts a wrong password or an unknown address.
    pub async fn failed(self) -> ApiResult<()> {
        let LoginGuard { db, clock, .. } = self.guard;
        Ok(db.count_login_failure(&self.count, clock.now()).await?)
    }

    /// Forgets the failures before the right password. The network of a verified account's login is remembered.
    pub async fn succeeded(self, user: &User) -> ApiResult<()> {
        let LoginGuard { db, clock, .. } = self.guard;
        let network = user.is_verified.then_some(self.network.as_str());
        Ok(db.count_login_success(&self.count, network, clock.now()).await?)
    }
}

/// The range of addresses that one household or office has: an IPv4 /24, an IPv6 /48.
pub fn network(client: IpAddr) -> String {
    match client {
        IpAddr::V4(address) => Ipv4Net::new_assert(address, 24).trunc().to_string(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 48).trunc().to_string(),
    }
}

#[cfg(test)]
mod tests;

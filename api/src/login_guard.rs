//! Slows guessers down: failures by submitted address, known or not, counted in the database.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use bookly_shared::clock::Clock;
use bookly_shared::db::Db;
use bookly_shared::db::login_throttle::LoginCount;
use bookly_shared::db::users::User;
use bookly_shared::domain::Password;
use ipnet::{Ipv4Net, Ipv6Net};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::{ApiError, ApiResult};
use crate::hasher::Hasher;

/// Enough that two people seldom wait for each other.
const STRIPES: usize = 1_024;

/// Lets one attempt per address be under way at a time in this process: fifty at once would all be checked
/// before the first of them is counted as failed.
#[derive(Clone, Debug)]
pub struct LoginGuard {
    db: Db,
    clock: Clock,
    hasher: Hasher,
    stripes: Arc<[Mutex<()>]>,
    stripe_of: RandomState,
}

/// A login attempt that may be made. Ends with [`failed`](Attempt::failed) or [`succeeded`](Attempt::succeeded).
pub struct Attempt<'a> {
    guard: &'a LoginGuard,
    count: LoginCount,
    network: String,
    _turn: MutexGuard<'a, ()>,
}

impl LoginGuard {
    /// Counts in this database, by its clock. [`prove`](LoginGuard::prove) uses the hasher.
    pub fn new(db: Db, clock: Clock, hasher: Hasher) -> LoginGuard {
        let stripes = (0..STRIPES).map(|_| Mutex::new(())).collect();
        LoginGuard { db, clock, hasher, stripes, stripe_of: RandomState::new() }
    }

    /// Waits for this address' turn, and asks whether it may be tried now: before anything is hashed.
    ///
    /// # Errors
    /// 429 with the wait when failures came too fast.
    pub async fn begin(&self, mailbox: &str, client: IpAddr) -> ApiResult<Attempt<'_>> {
        let stripe = self.stripe_of.hash_one(mailbox) as usize % STRIPES;
        let turn = self.stripes[stripe].lock().await;
        let network = network(client);
        let (count, wait) = self.db.login_wait(mailbox, &network, self.clock.now()).await?;
        match wait {
            // Whole seconds, rounded up: a client that comes back after so many is not sent away again.
            Some(wait) => Err(ApiError::TooManyRequests(wait.num_seconds().unsigned_abs() + 1)),
            None => Ok(Attempt { guard: self, count, network, _turn: turn }),
        }
    }

    /// Whether a password is the account's own, asked by who has a session: a stolen session must not be a door to
    /// guess the password at. Counted with the logins.
    ///
    /// # Errors
    /// 400 when it is not, 429 with the wait when failures came too fast.
    pub async fn prove(&self, user: &User, password: Password, client: IpAddr) -> ApiResult<()> {
        let attempt = self.begin(&user.email_canonical, client).await?;
        if self.hasher.verify(password, user.password_hash.clone()).await? {
            return attempt.succeeded().await;
        }
        attempt.failed().await?;
        Err(ApiError::InvalidEmailOrPassword)
    }
}

impl Attempt<'_> {
    /// The password was wrong, or there is no such account.
    pub async fn failed(self) -> ApiResult<()> {
        let guard = self.guard;
        Ok(guard.db.count_login_failure(&self.count, guard.clock.now()).await?)
    }

    /// The password was right.
    pub async fn succeeded(self) -> ApiResult<()> {
        let guard = self.guard;
        Ok(guard.db.count_login_success(&self.count, &self.network, guard.clock.now()).await?)
    }
}

/// The range that one household or office gets: an IPv4 /24, an IPv6 /48.
fn network(client: IpAddr) -> String {
    match client {
        IpAddr::V4(address) => Ipv4Net::new_assert(address, 24).trunc().to_string(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 48).trunc().to_string(),
    }
}

#[cfg(test)]
mod tests;

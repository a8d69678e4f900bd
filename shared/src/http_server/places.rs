//! Who holds which connections: a limit for all of them, and one for each client when places get scarce.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::limits::Limits;

/// How often the log may say that a client has too many connections.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// A place that no connection has yet.
type Free = Option<OwnedSemaphorePermit>;

/// The places for connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Places(Arc<AllPlaces>);

struct AllPlaces {
    limits: Limits,
    exempt: Vec<IpNet>,
    free: Arc<Semaphore>,
    holders: Mutex<Holders>,
}

#[derive(Default)]
struct Holders {
    of: HashMap<IpAddr, Vec<Arc<Holder>>>,
    warned: Option<Instant>,
}

#[derive(Default)]
struct Holder {
    activity: Activity,
    given_away: Notify,
}

/// A connection's place. It is free again when this is dropped.
pub(super) struct Place {
    client: IpAddr,
    holder: Arc<Holder>,
    places: Places,
    _permit: Free,
}

impl Places {
    pub(super) fn new(limits: Limits, exempt: &[IpNet]) -> Places {
        Places(Arc::new(AllPlaces {
            limits,
            exempt: exempt.to_vec(),
            free: Arc::new(Semaphore::new(limits.connections)),
            holders: Mutex::default(),
        }))
    }

    /// Waits for a free place. The semaphore is never closed, so this is always one.
    pub(super) async fn free(&self) -> Free {
        self.0.free.clone().acquire_owned().await.ok()
    }

    /// Gives a place to a connection of this peer. While most places are taken, a client with too many of them gets
    /// the place of its longest idle connection, or none.
    pub(super) fn take(&self, free: Free, peer: IpAddr) -> Option<Place> {
        let client = client_network(peer);
        let mut holders = self.0.holders.lock();
        let Holders { of, warned } = &mut *holders;
        let own = of.entry(client).or_default();
        if own.len() > self.0.limits.connections_per_client && self.are_scarce() && !self.is_exempt(peer) {
            if warned.is_none_or(|last| last.elapsed() > WARN_EVERY) {
                *warned = Some(Instant::now());
                tracing::warn!(%client, connections = own.len(), "a client has too many connections: it gets no further ones");
            }
            own.swap_remove(longest_idle(own)?).given_away.notify_one();
        }
        let holder = Arc::new(Holder::default());
        own.push(holder.clone());
        drop(holders);
        Some(Place { client, holder, places: self.clone(), _permit: free })
    }

    /// Whether three quarters were taken before the one that is about to be given.
    fn are_scarce(&self) -> bool {
        let all = self.0.limits.connections;
        let taken = all.saturating_sub(self.0.free.available_permits() + 1);
        4 * taken >= 3 * all
    }

    fn is_exempt(&self, peer: IpAddr) -> bool {
        self.0.exempt.iter().any(|net| net.contains(&peer.to_canonical()))
    }
}

fn longest_idle(holders: &[Arc<Holder>]) -> Option<usize> {
    let idle = |(index, holder): (usize, &Arc<Holder>)| Some((holder.activity.idle_since()?, index));
    holders.iter().enumerate().filter_map(idle).min().map(|(_, index)| index)
}

/// The network of a client, by which it is limited: an IPv4 address or an IPv6 /64, which is what one household gets.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

impl Place {
    /// What the connection does.
    pub(super) fn activity(&self) -> Activity {
        self.holder.activity.clone()
    }

    /// Waits until a newer connection of the same client has this one's place.
    pub(super) async fn given_away(&self) {
        self.holder.given_away.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut holders = self.places.0.holders.lock();
        if let Some(own) = holders.of.get_mut(&self.client) {
            own.retain(|holder| !Arc::ptr_eq(holder, &self.holder));
            if own.is_empty() {
                holders.of.remove(&self.client);
            }
        }
    }
}

/// Whether a connection is idle, and since when. Clones share it.
#[derive(Clone)]
pub(super) struct Activity(Arc<Mutex<Doing>>);

struct Doing {
    handling: bool,
    writing: bool,
    since: Instant,
}

/// A request is being handled for as long as this lives.
pub(super) struct Handling(Activity);

impl Default for Activity {
    fn default() -> Activity {
        Activity(Arc::new(Mutex::new(Doing { handling: false, writing: false, since: Instant::now() })))
    }
}

impl Activity {
    pub(super) fn handling(&self) -> Handling {
        self.0.lock().handling = true;
        Handling(self.clone())
    }

    /// Whether an answer waits for the client to read.
    pub(super) fn set_writing(&self, writing: bool) {
        let mut doing = self.0.lock();
        (doing.writing, doing.since) = (writing, Instant::now());
    }

    pub(super) fn idle_since(&self) -> Option<Instant> {
        let doing = self.0.lock();
        (!doing.handling && !doing.writing).then_some(doing.since)
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        let mut doing = self.0.0.lock();
        (doing.handling, doing.since) = (false, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(exempt: &[IpNet]) -> Places {
        let limits = Limits { connections: 8, connections_per_client: 2, ..Limits::default() };
        Places::new(limits, exempt)
    }

    async fn take(places: &Places, peer: &str) -> Option<Place> {
        places.take(places.free().await, peer.parse().unwrap())
    }

    async fn take_some(places: &Places, peer: &str, count: usize) -> Vec<Place> {
        let mut taken = Vec::new();
        for _ in 0..count {
            taken.push(take(places, peer).await.unwrap());
        }
        taken
    }

    #[tokio::test]
    async fn one_client_may_take_three_quarters_of_the_places_and_no_more() {
        let places = places(&[]);
        let busy: Vec<_> = take_some(&places, "192.0.2.1", 6).await;
        let _handling: Vec<_> = busy.iter().map(|place| place.activity().handling()).collect();
        assert!(take(&places, "192.0.2.1").await.is_none());
        assert!(take(&places, "192.0.2.2").await.is_some(), "another client gets a place");
    }

    #[tokio::test]
    async fn a_client_with_too_many_gets_the_place_of_its_longest_idle_connection() {
        let places = places(&[]);
        let own = take_some(&places, "192.0.2.1", 6).await;
        own[0].activity().set_writing(true);
        drop(own[1].activity().handling());
        let _new = take(&places, "192.0.2.1").await.unwrap();
        own[2].given_away().await;
    }

    #[tokio::test]
    async fn a_client_with_few_connections_gets_one_while_places_are_scarce() {
        let places = places(&[]);
        let _own = take_some(&places, "192.0.2.1", 6).await;
        let few = take_some(&places, "192.0.2.2", 2).await;
        assert!(few.iter().all(|place| place.activity().idle_since().is_some()));
    }

    #[tokio::test]
    async fn ipv6_clients_are_counted_by_their_64_network_and_mapped_ipv4_by_address() {
        let places = places(&[]);
        for peers in [["2001:db8:1:2::1", "2001:db8:1:2:ffff::"], ["192.0.2.1", "::ffff:192.0.2.1"]] {
            let first = take_some(&places, peers[0], 6).await;
            let _handling: Vec<_> = first.iter().map(|place| place.activity().handling()).collect();
            assert!(take(&places, peers[1]).await.is_none(), "{peers:?}");
        }
    }

    #[tokio::test]
    async fn exempt_clients_may_take_all_places() {
        let places = places(&["192.0.2.0/24".parse().unwrap()]);
        let all = take_some(&places, "192.0.2.1", 8).await;
        drop(all);
        assert!(places.0.holders.lock().of.is_empty(), "clients that went away are forgotten");
    }
}

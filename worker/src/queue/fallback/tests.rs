//! For which server emails are claimed.

use std::time::Duration;

use bookly_shared::domain::MailServer;
use bookly_shared::domain::MailServer::{Fallback, First};
use tokio::time::timeout;

use super::*;
use crate::smtp::{SendError, Stage};

const AT_ONCE: Duration = Duration::from_millis(50);

/// Two servers, each with capacity for one email.
struct Servers {
    first: CircuitBreaker,
    first_capacity: Capacity,
    fallback: FallbackPlace,
}

impl Servers {
    fn new() -> Servers {
        let [first, circuit_breaker] = CircuitBreaker::of_two(None);
        let [first_capacity, capacity] = [First, Fallback].map(|server| Capacity::new(1, server));
        let fallback = FallbackPlace { first: first.clone(), circuit_breaker, capacity };
        Servers { first, first_capacity, fallback }
    }

    /// What the fetcher waits for.
    async fn admitted(&self) -> Option<(DeliveryPermit, Admission)> {
        let to_first = async {
            let permit = self.first_capacity.acquire().await;
            (permit, self.first.admit().await)
        };
        timeout(AT_ONCE, self.fallback.first_or_fallback(to_first)).await.ok()
    }

    async fn server(&self) -> Option<MailServer> {
        self.admitted().await.map(|(permit, _)| permit.claimed_for.server)
    }

    /// What a job waits for.
    async fn takes_jobs(&self) -> bool {
        let first_ready = async {
            self.first.not_open().await;
            drop(self.first_capacity.acquire().await);
        };
        timeout(AT_ONCE, self.fallback.ready(first_ready)).await.is_ok()
    }
}

fn open(circuit_breaker: &CircuitBreaker) {
    circuit_breaker.failed(&SendError::broken(Stage::Connect, "away"), "");
}

#[tokio::test]
async fn the_second_server_gets_emails_only_while_the_circuit_before_the_first_is_open() {
    let servers = Servers::new();
    assert_eq!(servers.server().await, Some(First));
    open(&servers.first);
    assert_eq!(servers.server().await, Some(Fallback));
    assert!(servers.takes_jobs().await);
    open(&servers.fallback.circuit_breaker);
    assert_eq!(servers.server().await, None, "both are away");
    assert!(!servers.takes_jobs().await);
}

#[tokio::test]
async fn a_slow_first_server_is_waited_for() {
    let servers = Servers::new();
    let _hangs = servers.first_capacity.acquire().await;
    assert_eq!(servers.server().await, None);
    assert!(!servers.takes_jobs().await, "other workers may have capacity");
}

#[tokio::test]
async fn emails_that_hang_at_the_first_server_take_no_capacity_of_the_second() {
    let servers = Servers::new();
    let _hangs = servers.first_capacity.acquire().await;
    open(&servers.first);
    let admitted = servers.admitted().await;
    assert_eq!(admitted.map(|(permit, _)| permit.claimed_for.server), Some(Fallback));
}

#[tokio::test]
async fn a_half_open_first_server_gets_one_email_and_the_second_one_the_others() {
    let servers = Servers::new();
    servers.first.half_open();
    let probe = servers.admitted().await;
    let Some((permit, Admission::Probe(_))) = &probe else { panic!("{probe:?}") };
    assert_eq!(permit.claimed_for.server, First);
    let other = servers.admitted().await;
    let Some((permit, Admission::Any)) = &other else { panic!("{other:?}") };
    assert_eq!(permit.claimed_for.server, Fallback);
    servers.first.accepted();
    drop(probe);
    assert_eq!(servers.server().await, Some(First));
}

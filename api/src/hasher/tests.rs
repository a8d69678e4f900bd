//! The hasher, against the plain argon2 API and under load.

use std::future::Future;
use std::pin::pin;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use futures_util::FutureExt;
use futures_util::future::{join_all, poll_immediate};

use super::*;

fn password(text: &str) -> Password {
    Password::attempt(text.to_owned()).unwrap()
}

fn plain(params: Params, text: &str) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(text.as_bytes()).unwrap().to_string()
}

#[tokio::test]
async fn a_hash_verifies_with_the_plain_argon2_api() {
    let phc = Hasher::new(1).hash(password("correct horse")).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    let stored = PasswordHash::new(&phc).unwrap();
    assert!(Argon2::default().verify_password(b"correct horse", &stored).is_ok());
    assert!(Argon2::default().verify_password(b"correct horsf", &stored).is_err());
}

#[tokio::test]
async fn hashes_of_other_parameters_verify_in_the_same_memory() {
    let hasher = Hasher::new(1);
    for (memory, passes, lanes) in [(64 * 1024, 1, 1), (19_456, 2, 1), (64, 3, 4), (8, 1, 1), (32_768, 1, 2)]
    {
        let phc = plain(Params::new(memory, passes, lanes, None).unwrap(), "correct horse");
        assert_eq!(hasher.verify(password("correct horse"), phc.clone()).await, Ok(true), "{phc}");
        assert_eq!(hasher.verify(password("battery staple"), phc).await, Ok(false));
    }
    let memories = hasher.inner.memories.lock().unwrap();
    assert_eq!(memories.len(), 1);
    assert!(memories[0].is_wiped());
}

#[tokio::test]
async fn a_stored_hash_that_asks_for_too_much_or_is_none_is_unreadable() {
    let salt_and_hash = "Ym9va2x5LW5vYm9keS4uLg$4fXCqXn0dJrbqRZ0vYcQWmJ3m2kq6o1nA8sT5uEwGhY";
    let asking = |params: &str| format!("$argon2id$v=19${params}${salt_and_hash}");
    let table = [
        asking("m=65537,t=1,p=1"),
        asking("m=4294967295,t=1,p=1"),
        asking("m=64,t=17,p=1"),
        asking("m=256,t=1,p=17"),
        asking("m=1,t=1,p=1"),
        asking("x=1"),
        "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
        "$argon2id$v=19$m=19456,t=2,p=1$Ym9va2x5LW5vYm9keS4uLg".to_owned(),
        "$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m".to_owned(),
        String::new(),
    ];
    for phc in table {
        let result = Hasher::new(1).verify(password("correct horse"), phc.clone()).await;
        assert_eq!(result, Err(HashError::Unreadable), "{phc}");
    }
}

#[tokio::test]
async fn nobody_costs_what_a_new_hash_costs() {
    let stored = PasswordHash::new(work::NOBODY).unwrap();
    let params = Params::try_from(&stored).unwrap();
    let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    assert_eq!(costs(&params), costs(&Params::default()));
    assert_eq!(Hasher::new(1).verify_nobody(password("correct horse")).await, Ok(()));
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once() {
    let hasher = Hasher::with_limits(1, 1, MAX_WAIT);
    let held = hasher.inner.slots.clone().acquire_owned().await.unwrap();
    let mut first = pin!(hasher.hash(password("correct horse")));
    assert!(poll_immediate(&mut first).await.is_none());
    assert_eq!(hasher.waiting(), 1);
    assert_eq!(hasher.verify_nobody(password("correct horse")).now_or_never(), Some(Err(HashError::Busy)));
    assert_eq!(hasher.waiting(), 1);
    drop(held);
    assert!(first.await.is_ok());
    assert_eq!(hasher.waiting(), 0);
}

#[tokio::test]
async fn a_wait_without_end_is_busy_in_the_end() {
    let hasher = Hasher::with_limits(1, 64, Duration::from_millis(1));
    let _held = hasher.inner.slots.clone().acquire_owned().await.unwrap();
    assert_eq!(hasher.verify_nobody(password("correct horse")).await, Err(HashError::Busy));
    assert_eq!(hasher.waiting(), 0);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_queue() {
    let hasher = Hasher::with_limits(1, 2, MAX_WAIT);
    let held = hasher.inner.slots.clone().acquire_owned().await.unwrap();
    for _ in 0..10 {
        assert_eq!(hasher.hash(password("correct horse")).now_or_never(), None);
        assert_eq!(hasher.waiting(), 0);
    }
    drop(held);
    // Nothing of the ten was done: no memory was ever taken.
    assert!(hasher.inner.memories.lock().unwrap().is_empty());
    assert_eq!(hasher.inner.slots.available_permits(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_are_all_answered_right_in_the_memory_of_the_slots() {
    let hasher = Hasher::new(2);
    let phc = hasher.hash(password("number 0")).await.unwrap();
    let all = (0..12).map(|n| answered_right(&hasher, n, phc.clone()));
    assert!(join_all(all).await.into_iter().all(|right| right));
    assert!(hasher.inner.memories.lock().unwrap().len() <= 2);
}

fn answered_right(hasher: &Hasher, n: usize, phc: String) -> impl Future<Output = bool> {
    let password = password(&format!("number {}", n % 4));
    async move { hasher.verify(password, phc).await == Ok(n.is_multiple_of(4)) }
}

//! The hasher, compared with the plain argon2 API and under load.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use futures_util::FutureExt;
use futures_util::future::{join_all, poll_immediate};

use super::*;

fn password(text: &str) -> Password {
    Password::attempt(text.to_owned()).unwrap()
}

/// Keeps a thread busy until what is returned is dropped.
fn hold_a_thread(hasher: &Hasher) -> mpsc::Sender<()> {
    struct Hold(mpsc::Sender<()>, mpsc::Receiver<()>);
    impl Work for Hold {
        fn is_wanted(&self) -> bool {
            true
        }
        fn run(self: Box<Self>, _: &mut Memory) {
            self.0.send(()).unwrap();
            let _ = self.1.recv();
        }
    }
    let ((begun, begins), (held, until_dropped)) = (mpsc::channel(), mpsc::channel());
    hasher.inner.queue.push(Box::new(Hold(begun, until_dropped))).unwrap();
    begins.recv().unwrap();
    held
}

fn plain(params: Params, text: &str) -> String {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password(text.as_bytes()).unwrap().to_string()
}

#[tokio::test]
async fn a_hash_verifies_with_the_plain_argon2_api() {
    let phc = Hasher::new(1).unwrap().hash(password("correct horse")).await.unwrap();
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    let stored = PasswordHash::new(&phc).unwrap();
    assert!(Argon2::default().verify_password(b"correct horse", &stored).is_ok());
    assert!(Argon2::default().verify_password(b"correct horsf", &stored).is_err());
}

#[test]
fn hashes_with_other_parameters_verify_in_the_same_memory() {
    let mut memory = Memory::default();
    for (size, passes, lanes) in [(64 * 1024, 1, 1), (19_456, 2, 1), (64, 3, 4), (8, 1, 1), (32_768, 1, 2)] {
        let phc = plain(Params::new(size, passes, lanes, None).unwrap(), "correct horse");
        assert_eq!(memory.verify(&password("correct horse"), &phc), Ok(true), "{phc}");
        assert_eq!(memory.verify(&password("battery staple"), &phc), Ok(false));
    }
    assert!(!memory.is_wiped());
    memory.wipe();
    assert!(memory.is_wiped());
}

#[test]
fn a_thread_that_waits_for_work_has_wiped_its_memory() {
    let (queue, mut memory) = (Queue::new(1), Memory::default());
    memory.hash(&password("correct horse")).unwrap();
    queue.close();
    assert!(queue.next(&mut memory).is_none());
    assert!(memory.is_wiped());
}

#[tokio::test]
async fn a_thread_goes_on_after_its_work_panicked() {
    let hasher = Hasher::new(1).unwrap();
    let broken = hasher.run(|_| -> Result<(), HashError> { panic!("a bug") });
    assert_eq!(broken.await, Err(HashError::Failed));
    assert_eq!(hasher.verify_unknown(password("correct horse")).await, Ok(()));
}

#[tokio::test]
async fn a_stored_hash_that_needs_too_much_or_is_none_is_unreadable() {
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
        let result = Hasher::new(1).unwrap().verify(password("correct horse"), phc.clone()).await;
        assert_eq!(result, Err(HashError::Unreadable), "{phc}");
    }
}

#[tokio::test]
async fn an_unknown_account_costs_what_a_new_hash_costs() {
    let stored = PasswordHash::new(stored::UNKNOWN).unwrap();
    let params = Params::try_from(&stored).unwrap();
    let costs = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    assert_eq!(costs(&params), costs(&Params::default()));
    assert_eq!(Hasher::new(1).unwrap().verify_unknown(password("correct horse")).await, Ok(()));
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once() {
    let hasher = Hasher::with_limits(1, 1, MAX_WAIT).unwrap();
    let held = hold_a_thread(&hasher);
    let mut first = pin!(hasher.hash(password("correct horse")));
    assert!(poll_immediate(&mut first).await.is_none());
    assert_eq!(hasher.waiting(), 1);
    assert_eq!(hasher.verify_unknown(password("correct horse")).now_or_never(), Some(Err(HashError::Busy)));
    assert_eq!(hasher.waiting(), 1);
    drop(held);
    assert!(first.await.is_ok());
    assert_eq!(hasher.waiting(), 0);
}

#[tokio::test]
async fn a_wait_that_is_too_long_ends_as_busy() {
    let hasher = Hasher::with_limits(1, 64, Duration::from_millis(1)).unwrap();
    let _held = hold_a_thread(&hasher);
    assert_eq!(hasher.verify_unknown(password("correct horse")).await, Err(HashError::Busy));
    assert_eq!(hasher.waiting(), 0);
}

#[tokio::test]
async fn a_cancelled_caller_leaves_the_queue() {
    let hasher = Hasher::with_limits(1, 2, MAX_WAIT).unwrap();
    let held = hold_a_thread(&hasher);
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..10 {
        let done = done.clone();
        let work = move |_: &mut Memory| {
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        assert_eq!(hasher.run(work).now_or_never(), None);
        assert_eq!(hasher.waiting(), 0);
    }
    drop(held);
    assert_eq!(hasher.verify_unknown(password("correct horse")).await, Ok(()));
    assert_eq!(done.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_at_once_all_get_their_own_result() {
    let hasher = Hasher::new(2).unwrap();
    let phc = hasher.hash(password("number 0")).await.unwrap();
    let all = (0..12).map(|n| has_the_right_result(&hasher, n, phc.clone()));
    assert!(join_all(all).await.into_iter().all(|right| right));
}

fn has_the_right_result(hasher: &Hasher, n: usize, phc: String) -> impl Future<Output = bool> {
    let password = password(&format!("number {}", n % 4));
    async move { hasher.verify(password, phc).await == Ok(n.is_multiple_of(4)) }
}

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::super::answer::Granted;
use super::super::error::{TokenError, TokenProblem};
use super::super::refresher::{refresh_after, wait_after};
use super::super::tokens::Tokens;

const HOUR: Duration = Duration::from_secs(60 * 60);

#[test]
fn a_token_is_replaced_five_minutes_before_its_end_and_a_short_one_after_three_quarters() {
    for (lifetime, after) in [(3600, 3300), (1200, 900), (300, 225), (60, 45)] {
        assert_eq!(refresh_after(Duration::from_secs(lifetime)).as_secs(), after);
    }
}

#[test]
fn the_wait_doubles_with_each_failure_up_to_a_minute() {
    let waits: Vec<u64> = (1..9).map(|failures| wait_after(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    assert_eq!(wait_after(u32::MAX).as_secs(), 60);
}

/// Tokens `access-token-1`, `access-token-2`, …; requests whose number is in `fails` fail.
fn tokens(lifetime: Duration, fails: &'static [u64]) -> (Tokens, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&asked);
    let tokens = Tokens::fetched_by(move || {
        let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
        async move {
            if fails.contains(&number) {
                return Err(TokenError::new(TokenProblem::Failing, "answers 503"));
            }
            let access_token = format!("access-token-{number}").into();
            Ok(Granted { access_token, lifetime, refresh_token: None })
        }
    });
    (tokens, asked)
}

async fn current(tokens: &Tokens) -> String {
    tokens.current().await.unwrap().text.expose_secret().to_owned()
}

#[tokio::test]
async fn one_request_is_for_all_that_need_a_token() {
    let (tokens, asked) = tokens(HOUR, &[]);
    for token in futures_util::future::join_all((0..20).map(|_| current(&tokens))).await {
        assert_eq!(token, "access-token-1");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_token_is_replaced_without_anybody_asking() {
    let (tokens, asked) = tokens(Duration::from_millis(80), &[]);
    while asked.load(Ordering::Relaxed) < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_ne!(current(&tokens).await, "access-token-1");
}

#[tokio::test]
async fn a_failure_is_told_at_once_and_a_later_request_ends_it() {
    let (tokens, asked) = tokens(HOUR, &[1]);
    let error = tokens.current().await.unwrap_err();
    assert_eq!((error.problem, error.to_string().as_str()), (TokenProblem::Failing, "answers 503"));
    while tokens.current().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((current(&tokens).await.as_str(), asked.load(Ordering::Relaxed)), ("access-token-2", 2));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once_for_all_its_sessions_and_the_next_one_is_not() {
    let (tokens, asked) = tokens(HOUR, &[]);
    let refused = tokens.current().await.unwrap();
    let others = (0..20).map(|_| tokens.in_place_of(&refused));
    for other in futures_util::future::join_all(others).await {
        assert_eq!(other.unwrap().unwrap().text.expose_secret(), "access-token-2");
    }
    let second = tokens.current().await.unwrap();
    assert!(tokens.in_place_of(&second).await.unwrap().is_none(), "it is not the token");
    assert_eq!((current(&tokens).await.as_str(), asked.load(Ordering::Relaxed)), ("access-token-2", 2));
}

#[tokio::test]
async fn without_another_token_a_refusal_says_why() {
    let (tokens, _) = tokens(HOUR, &[2]);
    let refused = tokens.current().await.unwrap();
    assert_eq!(tokens.in_place_of(&refused).await.unwrap_err().problem, TokenProblem::Failing);
}

#[tokio::test]
async fn every_token_in_use_is_found_in_replies_also_in_base64() {
    let (tokens, _) = tokens(HOUR, &[]);
    let first = tokens.current().await.unwrap();
    tokens.in_place_of(&first).await.unwrap();
    let redactor = tokens.redactor();
    // "user=a@b.test\x01auth=Bearer access-token-1\x01\x01" in base64.
    let reply = "access-token-1 access-token-2 dXNlcj1hQGIudGVzdAFhdXRoPUJlYXJlciBhY2Nlc3MtdG9rZW4tMQEB";
    let told = redactor.redact(reply);
    assert!(told.split(' ').all(|word| word.starts_with("[redacted]")), "{told}");
}

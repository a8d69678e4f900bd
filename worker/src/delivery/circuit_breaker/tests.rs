//! When emails are admitted: by rate, and while the circuit is closed, open or half-open.

use bookly_shared::domain::SmtpReply;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::smtp::{Cause, SendError, Stage};
use crate::transport::Transport;

const AT_ONCE: Duration = Duration::from_millis(50);

fn away() -> SendError {
    SendError::broken(Stage::Connect, "away")
}

fn refused(stage: Stage, code: u16, text: &str) -> SendError {
    SendError { stage, cause: Cause::Refused(SmtpReply::new(code, text)) }
}

fn ambiguous() -> SendError {
    refused(Stage::RcptTo, 504, "5.5.2 need fully-qualified hostname")
}

/// Ambiguous refusals open it at once.
fn impatient() -> CircuitBreaker {
    CircuitBreaker { no_acceptance: Duration::ZERO, ..CircuitBreaker::new(None) }
}

async fn admitted(breaker: &CircuitBreaker) -> Option<Admission> {
    timeout(AT_ONCE, breaker.admit()).await.ok()
}

#[tokio::test]
async fn a_rate_admits_one_email_at_a_time() {
    let breaker = CircuitBreaker::new(Some(100));
    let began = Instant::now();
    for _ in 0..21 {
        breaker.admit().await;
    }
    // The first one does not wait.
    assert!(began.elapsed() >= Duration::from_millis(195), "{:?}", began.elapsed());
}

#[tokio::test]
async fn emails_that_waited_for_the_server_are_spaced_when_it_is_back() {
    let breaker = CircuitBreaker::new(Some(100));
    breaker.failed(&away(), "");
    let waiting: Vec<_> = (0..11)
        .map(|_| {
            let breaker = breaker.clone();
            tokio::spawn(async move { breaker.admit().await })
        })
        .collect();
    sleep(Duration::from_millis(300)).await;
    assert!(waiting.iter().all(|one| !one.is_finished()));
    let closed = Instant::now();
    breaker.set(Circuit::Closed);
    for one in waiting {
        one.await.unwrap();
    }
    // The first is admitted at once, the second at the next tick.
    assert!(closed.elapsed() >= Duration::from_millis(85), "{:?}", closed.elapsed());
}

#[tokio::test]
async fn without_a_rate_only_an_open_circuit_holds_emails_back() {
    let breaker = CircuitBreaker::new(None);
    assert!(matches!(breaker.admit().await, Admission::Any));
    breaker.failed(&away(), "");
    assert!(admitted(&breaker).await.is_none());
}

#[tokio::test]
async fn a_refused_sender_opens_the_circuit_at_once_and_a_refused_recipient_does_not() {
    for (error, opens) in [
        (refused(Stage::MailFrom, 550, "5.4.5 Daily user sending limit exceeded"), true),
        (refused(Stage::MailFrom, 553, "5.7.1 not owned by user"), true),
        (refused(Stage::FinalDot, 550, "5.7.60 SendAsDenied"), true),
        (refused(Stage::RcptTo, 550, "5.1.1 no such user"), false),
        (refused(Stage::RcptTo, 451, "4.7.1 greylisted"), false),
        (ambiguous(), false),
    ] {
        let breaker = CircuitBreaker::new(None);
        breaker.failed(&error, "");
        assert_eq!(admitted(&breaker).await.is_none(), opens, "{error}");
    }
}

#[tokio::test]
async fn ambiguous_refusals_and_lost_answers_open_the_circuit_only_while_no_email_is_accepted() {
    for error in [ambiguous(), SendError::broken(Stage::FinalDot, "closed")] {
        let breaker = CircuitBreaker { no_acceptance: AT_ONCE, ..CircuitBreaker::new(None) };
        breaker.failed(&error, "");
        sleep(AT_ONCE).await;
        breaker.accepted();
        breaker.failed(&error, "");
        assert!(admitted(&breaker).await.is_some(), "an email was accepted in between");
        sleep(AT_ONCE).await;
        breaker.failed(&error, "");
        assert!(admitted(&breaker).await.is_none(), "{error}");
    }
}

#[tokio::test]
async fn a_half_open_circuit_admits_one_email_at_a_time_and_an_acceptance_closes_it() {
    let breaker = impatient();
    breaker.half_open();
    let Some(Admission::Probe(probe)) = admitted(&breaker).await else { panic!("one is admitted") };
    assert!(admitted(&breaker).await.is_none(), "a second one while the first has no result");
    // A greylisted email decides nothing: the next one may follow.
    breaker.failed(&refused(Stage::RcptTo, 451, "4.7.1 greylisted"), "");
    drop(probe);
    let Some(Admission::Probe(_probe)) = admitted(&breaker).await else { panic!("the next is admitted") };
    breaker.accepted();
    assert!(matches!(admitted(&breaker).await, Some(Admission::Any)));
}

/// A connection probe meets every refusal up to MAIL FROM, so it shows without an email that such a one is over. It
/// does not meet a later one.
#[tokio::test]
async fn a_refusal_that_a_connection_probe_meets_ends_without_an_email_and_a_later_one_with_an_email() {
    let folder = tempfile::tempdir().unwrap();
    let transport = Transport::File(folder.path().to_owned());
    for (stage, needs_email) in [(Stage::MailFrom, false), (Stage::Auth, false), (Stage::RcptTo, true)] {
        let breaker = CircuitBreaker::new(None);
        breaker.failed(&refused(stage, 550, "5.4.5 Daily user sending limit exceeded"), "");
        let stop = CancellationToken::new();
        let admission = tokio::select! {
            admission = breaker.admission() => admission,
            () = breaker.probe(&transport, &stop) => panic!("probes end with the stop"),
        };
        assert_eq!(matches!(admission, Admission::Probe(_)), needs_email, "{stage}");
    }
}

#[tokio::test]
async fn a_refused_probe_opens_a_half_open_circuit_again() {
    let breaker = impatient();
    breaker.half_open();
    let _probe = admitted(&breaker).await;
    breaker.failed(&ambiguous(), "");
    assert!(matches!(breaker.state.borrow().circuit, Circuit::Open(OpenedBy::Transaction)));
    breaker.accepted();
    assert!(matches!(admitted(&breaker).await, Some(Admission::Any)), "one acceptance closes it");
}

/// The only server keeps its emails, but for lost answers: each may be a copy.
#[tokio::test]
async fn with_two_servers_one_that_accepts_nothing_for_a_minute_opens_its_circuit_however_it_fails() {
    let timed_out = SendError { stage: Stage::RcptTo, cause: Cause::TimedOut(AT_ONCE) };
    let defers = [refused(Stage::MailFrom, 451, "4.3.0 later"), refused(Stage::RcptTo, 452, "4.3.1 full")];
    let breaks = [Stage::Data, Stage::FinalDot].map(|stage| SendError::broken(stage, "closed"));
    for error in defers.into_iter().chain(breaks).chain([timed_out]) {
        let [first, second] = CircuitBreaker::of_two(None);
        let lost_answer = error.stage == Stage::FinalDot;
        for (breaker, opens) in [(first, true), (second, true), (CircuitBreaker::new(None), lost_answer)] {
            let breaker = CircuitBreaker { no_acceptance: AT_ONCE, ..breaker };
            breaker.failed(&error, "");
            sleep(AT_ONCE).await;
            breaker.accepted();
            breaker.failed(&error, "");
            assert!(breaker.is_closed(), "{error}: an email was accepted meanwhile");
            sleep(AT_ONCE).await;
            breaker.failed(&error, "");
            assert_eq!(breaker.is_open(), opens, "{error}");
        }
    }
}

#[tokio::test]
async fn with_two_servers_a_refusal_of_long_ago_is_forgotten() {
    for (forgotten_after, opens) in [(AT_ONCE, false), (FORGOTTEN_AFTER, true)] {
        let [first, _] = CircuitBreaker::of_two(None);
        let breaker = CircuitBreaker { no_acceptance: AT_ONCE, forgotten_after, ..first };
        breaker.failed(&ambiguous(), "");
        sleep(AT_ONCE).await;
        breaker.failed(&ambiguous(), "");
        assert_eq!(breaker.is_open(), opens, "{forgotten_after:?}");
    }
}

/// No email comes that could decide: the first one has them.
#[tokio::test]
async fn a_connection_probe_closes_the_circuit_of_the_second_server_once_the_first_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let transport = Transport::File(folder.path().to_owned());
    let [first, second] = CircuitBreaker::of_two(None);
    first.failed(&away(), "");
    second.failed(&refused(Stage::RcptTo, 550, "5.4.5 Daily user sending limit exceeded"), "");
    let stop = CancellationToken::new();
    let watched = async {
        second.not_open().await;
        assert!(!second.is_closed(), "only an email shows it, while emails go there");
        first.set(Circuit::Closed);
        let closed =
            second.state.subscribe().wait_for(|state| matches!(state.circuit, Circuit::Closed)).await.is_ok();
        assert!(closed);
    };
    tokio::select! {
        watched = timeout(Duration::from_secs(20), watched) => watched.unwrap(),
        () = second.probe(&transport, &stop) => panic!("probes end with the stop"),
    }
}

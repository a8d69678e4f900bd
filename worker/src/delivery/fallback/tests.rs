//! Which server gets an email, and to which one it is bound.

use bookly_shared::domain::MailServer::{Fallback as Second, First};
use bookly_shared::domain::SmtpReply;

use super::*;
use crate::smtp::Cause;

fn refused(stage: Stage, code: u16) -> SendError {
    SendError { stage, cause: Cause::Refused(SmtpReply::new(code, "no")) }
}

fn away() -> SendError {
    SendError::broken(Stage::Connect, "away")
}

fn claimed(server: MailServer) -> ClaimedFor {
    ClaimedFor { server, is_probe: false }
}

/// The circuits before both servers, open or closed.
fn servers(first_is_open: bool, second_is_open: bool) -> (CircuitBreaker, Fallback) {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = CircuitBreaker::of_two(None);
    for (circuit_breaker, is_open) in [(&first, first_is_open), (&second, second_is_open)] {
        if is_open {
            circuit_breaker.failed(&away(), "");
        }
    }
    (first, Fallback { transport: Transport::File(folder.path().to_owned()), circuit_breaker: second })
}

#[tokio::test]
async fn an_email_goes_to_the_server_for_which_it_was_claimed_unless_that_circuit_opened_since() {
    for (claimed_for, first_is_open, second_is_open, chosen) in [
        (First, false, false, Ok(First)),
        (First, true, false, Err(Released::CircuitOpened)),
        (Second, true, false, Ok(Second)),
        (Second, false, false, Ok(Second)),
        (Second, false, true, Err(Released::CircuitOpened)),
        (Second, true, true, Err(Released::CircuitOpened)),
    ] {
        let (first, fallback) = servers(first_is_open, second_is_open);
        assert_eq!(
            fallback.choose(claimed(claimed_for), None, &first),
            chosen,
            "{claimed_for} {first_is_open}"
        );
    }
}

#[tokio::test]
async fn a_bound_email_goes_to_its_server_or_waits_for_it() {
    for (claimed_for, bound_to, first_is_open, second_is_open, chosen) in [
        (Second, First, true, false, Err(Released::BoundServerAway)),
        (First, First, false, false, Ok(First)),
        (First, Second, false, false, Ok(Second)),
        (First, Second, false, true, Err(Released::BoundServerAway)),
        (Second, Second, true, false, Ok(Second)),
    ] {
        let (first, fallback) = servers(first_is_open, second_is_open);
        let claimed_for = claimed(claimed_for);
        assert_eq!(
            fallback.choose(claimed_for, Some(bound_to), &first),
            chosen,
            "{claimed_for:?} {bound_to}"
        );
    }
}

#[tokio::test]
async fn a_half_open_server_gets_a_bound_email_only_as_its_probe() {
    for (claimed_for, is_probe, chosen) in [
        (Second, true, Ok(Second)),
        (Second, false, Err(Released::BoundServerAway)),
        (First, true, Err(Released::BoundServerAway)),
        (First, false, Err(Released::BoundServerAway)),
    ] {
        let (first, fallback) = servers(false, true);
        fallback.circuit_breaker.half_open();
        let claimed_for = ClaimedFor { server: claimed_for, is_probe };
        assert_eq!(fallback.choose(claimed_for, Some(Second), &first), chosen, "{claimed_for:?}");
    }
}

#[test]
fn a_lost_answer_binds_an_email_until_the_server_answers() {
    let lost = SendError::broken(Stage::FinalDot, "closed");
    for (bound_to, error, after) in [
        (None, &lost, Some(Second)),
        (Some(Second), &lost, Some(Second)),
        (None, &away(), None),
        (Some(Second), &away(), Some(Second)),
        (Some(Second), &SendError::broken(Stage::Data, "closed"), Some(Second)),
        (Some(Second), &refused(Stage::Hello, 421), Some(Second)),
        (Some(Second), &refused(Stage::Auth, 535), Some(Second)),
        (Some(Second), &SendError::lease_lost(), Some(Second)),
        (Some(Second), &refused(Stage::RcptTo, 451), None),
        (Some(Second), &refused(Stage::FinalDot, 554), None),
        // Not about the email.
        (Some(Second), &refused(Stage::MailFrom, 421), Some(Second)),
        (Some(Second), &refused(Stage::MailFrom, 451), Some(Second)),
        (Some(Second), &refused(Stage::MailFrom, 550), Some(Second)),
        (Some(Second), &refused(Stage::RcptTo, 421), Some(Second)),
        (Some(Second), &refused(Stage::RcptTo, 535), Some(Second)),
        (Some(Second), &refused(Stage::FinalDot, 535), Some(Second)),
    ] {
        assert_eq!(bound_after(bound_to, Second, error), after, "{bound_to:?} {error}");
    }
}

#[test]
fn what_the_second_refuses_for_good_only_the_first_is_asked_for_and_soon() {
    let (for_good, later) = (refused(Stage::RcptTo, 550), refused(Stage::RcptTo, 451));
    assert_eq!(bound_after(None, Second, &for_good), Some(First));
    assert_eq!(bound_after(Some(Second), Second, &for_good), Some(First));
    assert_eq!(wait_after_fallback(Second, &for_good), Some(CLAIM_AGAIN_AFTER));
    assert_eq!(wait_after_fallback(Second, &later), Some(AFTER_FALLBACK));
    assert_eq!(wait_after_fallback(Second, &refused(Stage::RcptTo, 554)), Some(AFTER_FALLBACK));
    let lost = SendError::broken(Stage::FinalDot, "closed");
    for (server, error) in [(First, &later), (First, &for_good), (Second, &away()), (Second, &lost)] {
        assert_eq!(wait_after_fallback(server, error), None, "{server} {error}");
    }
}

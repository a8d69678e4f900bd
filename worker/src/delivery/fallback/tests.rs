//! Which server gets an email, and to which one it is bound.

use bookly_shared::domain::MailServer::{Fallback as Second, First};
use bookly_shared::domain::SmtpReply;

use super::*;
use crate::smtp::Cause;

fn away() -> SendError {
    SendError::broken(Stage::Connect, "away")
}

/// The circuits before both servers, open or closed.
fn servers(first_is_open: bool, second_is_open: bool) -> (CircuitBreaker, Fallback) {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = [(First, first_is_open), (Second, second_is_open)].map(|(server, is_open)| {
        let circuit_breaker = CircuitBreaker::before(server, None);
        if is_open {
            circuit_breaker.failed(&away(), "");
        }
        circuit_breaker
    });
    (first, Fallback { transport: Transport::File(folder.path().to_owned()), circuit_breaker: second })
}

#[tokio::test]
async fn an_email_goes_to_the_server_for_which_it_was_claimed_unless_that_circuit_opened_since() {
    for (claimed_for, first_is_open, second_is_open, chosen) in [
        (First, false, false, Ok(First)),
        (First, true, false, Err(Held::CircuitOpened)),
        (Second, true, false, Ok(Second)),
        (Second, false, false, Ok(Second)),
        (Second, false, true, Err(Held::CircuitOpened)),
        (Second, true, true, Err(Held::CircuitOpened)),
    ] {
        let (first, fallback) = servers(first_is_open, second_is_open);
        assert_eq!(fallback.choose(claimed_for, None, &first), chosen, "{claimed_for} {first_is_open}");
    }
}

#[tokio::test]
async fn a_bound_email_goes_to_its_server_or_waits_for_it() {
    for (claimed_for, bound_to, first_is_open, second_is_open, chosen) in [
        (Second, First, true, false, Err(Held::BoundServerAway)),
        (First, First, false, false, Ok(First)),
        (First, Second, false, false, Ok(Second)),
        (First, Second, false, true, Err(Held::BoundServerAway)),
        (Second, Second, true, false, Ok(Second)),
    ] {
        let (first, fallback) = servers(first_is_open, second_is_open);
        assert_eq!(fallback.choose(claimed_for, Some(bound_to), &first), chosen, "{claimed_for} {bound_to}");
    }
}

#[test]
fn a_lost_answer_binds_an_email_until_the_server_answers() {
    let refused = |stage, code| SendError { stage, cause: Cause::Refused(SmtpReply::new(code, "no")) };
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
    ] {
        assert_eq!(bound_after(bound_to, Second, error), after, "{bound_to:?} {error}");
    }
}

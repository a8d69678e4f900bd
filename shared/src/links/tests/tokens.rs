//! Tokens: purposes, lifetimes, the secret before a change, and what `Debug` shows.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use uuid::Uuid;

use super::super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn signer() -> LinkSigner {
    LinkSigner::new(&SecretString::from("a secret of at least 32 bytes, say"))
}

fn claims() -> LinkClaims {
    LinkClaims { email: "ann@example.org".into(), uid: Uuid::from_u128(7), version: Some(3), change: None }
}

#[test]
fn a_reset_token_is_not_valid_for_another_purpose() {
    let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
    assert_eq!(signer().verify(Purpose::PasswordReset, token.as_str(), at(5), HOUR), Ok(claims()));
    for purpose in [Purpose::EmailVerification, Purpose::EmailChange, Purpose::EmailChangeUndo] {
        let result = signer().verify(purpose, token.as_str(), at(5), HOUR);
        assert_eq!(result, Err(LinkTokenError::Invalid));
    }
}

#[test]
fn a_token_expires_after_its_lifetime_and_not_before() {
    let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
    let verify = |seconds| signer().verify(Purpose::PasswordReset, token.as_str(), at(seconds), HOUR);
    assert_eq!(verify(3600), Ok(claims()));
    assert_eq!(verify(3601), Err(LinkTokenError::Expired));
    assert_eq!(verify(-10), Ok(claims()));
    assert_eq!(verify(-11), Err(LinkTokenError::Invalid));
}

#[test]
fn tokens_of_the_previous_secret_are_accepted_and_none_is_signed_with_it() {
    let new = SecretString::from("the secret after the change, long enough");
    let old = signer().sign(Purpose::PasswordReset, &claims(), at(0));
    let previous = SecretString::from("a secret of at least 32 bytes, say");
    let changed = LinkSigner::new(&new).accepting(Some(&previous));
    assert_eq!(changed.verify(Purpose::PasswordReset, old.as_str(), at(5), HOUR), Ok(claims()));
    let signed = changed.sign(Purpose::PasswordReset, &claims(), at(0));
    let verify = |signer: &LinkSigner| signer.verify(Purpose::PasswordReset, signed.as_str(), at(5), HOUR);
    assert_eq!(verify(&LinkSigner::new(&new)), Ok(claims()));
    assert_eq!(verify(&signer()), Err(LinkTokenError::Invalid));
}

#[test]
fn an_expired_token_of_another_secret_is_invalid() {
    let other = LinkSigner::new(&SecretString::from("another secret of at least 32 bytes"));
    let token = other.sign(Purpose::PasswordReset, &claims(), at(0));
    let result = signer().verify(Purpose::PasswordReset, token.as_str(), at(99_999), HOUR);
    assert_eq!(result, Err(LinkTokenError::Invalid));
}

#[test]
fn debug_shows_no_secret_no_token_and_no_address() {
    let token = signer().sign(Purpose::PasswordReset, &claims(), at(0));
    let shown = format!("{:?} {:?} {:?}", signer(), token, claims());
    assert!(!shown.contains("a secret") && !shown.contains(token.as_str()) && !shown.contains("ann"));
}

#[test]
fn an_unsubscribe_token_does_not_expire_and_opens_nothing_else() {
    let token = signer().sign_unsubscribe("Ann+x@example.org", at(0));
    assert_eq!(signer().verify_unsubscribe(token.as_str()), Ok("Ann+x@example.org".to_owned()));
    for purpose in
        [Purpose::EmailVerification, Purpose::PasswordReset, Purpose::EmailChange, Purpose::EmailChangeUndo]
    {
        let opened = signer().verify(purpose, token.as_str(), at(1), HOUR);
        assert_eq!(opened, Err(LinkTokenError::Invalid), "{purpose:?}");
        let link = signer().sign(purpose, &claims(), at(0));
        assert_eq!(signer().verify_unsubscribe(link.as_str()), Err(LinkTokenError::Invalid), "{purpose:?}");
    }
}

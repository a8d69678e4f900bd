//! Link tokens against Python's: `e2e/data/link_tokens.json` is what itsdangerous 2.2 made of the cases in
//! `e2e/data/make_link_tokens.py`.

#![allow(clippy::unwrap_used, reason = "clippy takes the helpers of an integration test for library code")]

use std::sync::LazyLock;
use std::time::Duration;

use bookly_shared::links::{
    BadToken, LinkClaims, LinkSigner, LinkTokenError, MAX_TOKEN_BYTES, Purpose, dumps, loads,
};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);
const PURPOSES: [Purpose; 3] = [Purpose::EmailVerification, Purpose::PasswordReset, Purpose::EmailChange];

#[derive(Deserialize)]
struct Vectors {
    secret: String,
    now: i64,
    good: Vec<Good>,
    compressed: Vec<Good>,
    spellings: Spellings,
    expired: Vec<String>,
    bad: Vec<(String, String)>,
    contract: Contract,
}

#[derive(Deserialize)]
struct Good {
    salt: String,
    when: i64,
    claims: LinkClaims,
    token: String,
}

#[derive(Deserialize)]
struct Spellings {
    claims: LinkClaims,
    tokens: Vec<String>,
}

#[derive(Deserialize)]
struct Contract {
    secret: String,
    salt: String,
    when: u64,
    payload: String,
    token: String,
}

/// What passed between the service and a client in Python, see `e2e/data/original_client.py`.
#[derive(Deserialize)]
struct Played {
    secret: String,
    links_of_the_service: Vec<Good>,
    links_of_itsdangerous: Vec<Good>,
}

static PLAYED: LazyLock<Played> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../e2e/data/original_client.json")).unwrap());

static VECTORS: LazyLock<Vectors> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../e2e/data/link_tokens.json")).unwrap());

fn signer() -> LinkSigner {
    LinkSigner::new(&SecretString::from(VECTORS.secret.clone()))
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn purpose(salt: &str) -> Purpose {
    PURPOSES.into_iter().find(|purpose| purpose.salt() == salt).unwrap()
}

fn verify(token: &str) -> Result<LinkClaims, LinkTokenError> {
    signer().verify(Purpose::PasswordReset, token, at(VECTORS.now), HOUR)
}

#[test]
fn pythons_tokens_are_read_and_ours_are_the_same_to_the_byte() {
    assert!(VECTORS.good.len() > 100);
    for good in &VECTORS.good {
        let read = signer().verify(purpose(&good.salt), &good.token, at(good.when), HOUR);
        assert_eq!(read.as_ref(), Ok(&good.claims));
        assert_eq!(signer().sign(purpose(&good.salt), &good.claims, at(good.when)).as_str(), good.token);
    }
}

#[test]
fn pythons_compressed_tokens_are_read() {
    for good in &VECTORS.compressed {
        assert!(good.token.starts_with('.'));
        assert_eq!(
            signer().verify(purpose(&good.salt), &good.token, at(good.when), HOUR).unwrap(),
            good.claims
        );
    }
}

#[test]
fn what_python_read_of_the_services_tokens_is_what_they_say_and_the_other_way_round() {
    let signer = LinkSigner::new(&SecretString::from(PLAYED.secret.clone()));
    let (ours, theirs) = (&PLAYED.links_of_the_service, &PLAYED.links_of_itsdangerous);
    assert_eq!((ours.len(), theirs.len()), (2, 2));
    for good in ours.iter().chain(theirs) {
        let read = signer.verify(purpose(&good.salt), &good.token, at(good.when), HOUR);
        assert_eq!(read.as_ref(), Ok(&good.claims));
        assert_eq!(signer.sign(purpose(&good.salt), &good.claims, at(good.when)).as_str(), good.token);
    }
}

#[test]
fn every_spelling_of_the_last_character_that_python_takes_is_taken() {
    assert_eq!(VECTORS.spellings.tokens.len(), 4);
    for token in &VECTORS.spellings.tokens {
        assert_eq!(verify(token).as_ref(), Ok(&VECTORS.spellings.claims));
    }
}

#[test]
fn a_token_is_valid_for_no_other_purpose() {
    for good in &VECTORS.good {
        for other in PURPOSES.into_iter().filter(|purpose| purpose.salt() != good.salt) {
            let read = signer().verify(other, &good.token, at(good.when), HOUR);
            assert_eq!(read, Err(LinkTokenError::Invalid));
        }
    }
}

#[test]
fn an_old_token_is_expired_and_a_bad_one_invalid() {
    for token in &VECTORS.expired {
        assert_eq!(verify(token), Err(LinkTokenError::Expired));
    }
    for (why, token) in &VECTORS.bad {
        assert_eq!(verify(token), Err(LinkTokenError::Invalid), "{why}");
    }
}

#[test]
fn the_vector_of_the_contract_holds_both_ways() {
    let Contract { secret, salt, when, payload, token } = &VECTORS.contract;
    assert_eq!(
        token,
        "eyJlbWFpbCI6ImFAZXhhbXBsZS5vcmcifQ.ZVPxAA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc"
    );
    assert_eq!(&dumps(secret.as_bytes(), salt, payload.as_bytes(), *when), token);
    let signed = loads(secret.as_bytes(), salt, token).unwrap();
    assert_eq!((signed.payload, signed.timestamp), (payload.clone().into_bytes(), *when));
}

proptest! {
    #[test]
    fn no_text_makes_loads_panic_or_passes(token in "\\PC{0,200}", dotted in "\\.?[\\w-]{0,80}(\\.[\\w-]{0,44}){0,3}") {
        prop_assert!(loads(b"secret", "salt", &token) == Err(BadToken));
        prop_assert!(loads(b"secret", "salt", &dotted) == Err(BadToken));
    }

    #[test]
    fn what_is_signed_is_read_and_no_changed_character_passes(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        timestamp: u64,
        place: prop::sample::Index,
        replacement in "[\\x20-\\x7e]",
    ) {
        let token = dumps(b"secret", "salt", &payload, timestamp);
        let signed = loads(b"secret", "salt", &token);
        prop_assert!(signed.is_ok_and(|signed| signed.payload == payload && signed.timestamp == timestamp));

        // The last character has bits that are not read; all bits of the others are.
        let place = place.index(token.len() - 1);
        let forged = format!("{}{replacement}{}", &token[..place], &token[place + 1..]);
        prop_assert!(forged == token || loads(b"secret", "salt", &forged) == Err(BadToken));
    }

    /// Bytes put in, taken out, swapped; pieces of one token in another's place; another's compressed payload.
    #[test]
    fn no_mixture_of_good_tokens_passes(
        first in 0..VECTORS.good.len(),
        second in 0..VECTORS.good.len(),
        pieces in prop::array::uniform3(any::<bool>()),
        cut: prop::sample::Index,
        taken in 0..4_usize,
        put in prop::collection::vec(any::<char>(), 0..3),
        compressed: bool,
    ) {
        let (first, second) = (&VECTORS.good[first], &VECTORS.good[second]);
        let second = if compressed { VECTORS.compressed.first().unwrap_or(second) } else { second };
        let parts = |token: &str| token.rsplitn(3, '.').map(str::to_owned).collect::<Vec<_>>();
        let (a, b) = (parts(&first.token), parts(&second.token));
        let mixed: Vec<&str> = (0..3).rev().map(|i| if pieces[i] { &*a[i] } else { &*b[i] }).collect();
        let mut mixed: Vec<char> = mixed.join(".").chars().collect();
        // The last character has spellings; it is left alone.
        let start = cut.index(mixed.len() - 1);
        let end = (start + taken).min(mixed.len() - 1);
        mixed.splice(start..end, put);
        let mixed: String = mixed.into_iter().collect();
        for good in [first, second] {
            let read = signer().verify(purpose(&good.salt), &mixed, at(good.when), HOUR);
            let genuine = [first, second].iter().any(|one| one.token == mixed && one.salt == good.salt);
            prop_assert!(genuine || read == Err(LinkTokenError::Invalid), "{}", mixed);
        }
    }

    #[test]
    fn the_last_character_has_as_many_spellings_as_python_says_and_no_more(
        payload in prop::collection::vec(any::<u8>(), 0..60),
        timestamp: u64,
        last in "[ -~]",
    ) {
        const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let token = dumps(b"secret", "salt", &payload, timestamp);
        let value = |text: &str| ALPHABET.find(text).map(|index| index / 4);
        // 256 bits in 43 characters of 6: two bits are left over.
        let same = value(&last).is_some() && value(&last) == value(&token[token.len() - 1..]);
        let respelt = format!("{}{last}", &token[..token.len() - 1]);
        prop_assert_eq!(loads(b"secret", "salt", &respelt).is_ok(), same);
    }

    #[test]
    fn any_claims_come_back_as_they_were(email in "\\PC{0,100}", uid: u128, version: Option<i64>, now in 0i64..253_402_300_799) {
        let claims = LinkClaims { email, uid: Uuid::from_u128(uid), version, change: None };
        let token = signer().sign(Purpose::EmailChange, &claims, at(now));
        prop_assert!(token.as_str().len() <= MAX_TOKEN_BYTES);
        prop_assert_eq!(signer().verify(Purpose::EmailChange, token.as_str(), at(now), HOUR), Ok(claims));
    }
}

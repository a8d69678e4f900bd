//! Which tokens are accepted and refused, with PyJWT's tokens among both (`e2e/data/session_tokens.json`).

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "a secret of at least 32 bytes, say";

static VECTORS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../e2e/data/session_tokens.json")).unwrap());

/// Messages between the service and a client in Python, recorded by `e2e/data/original_client.py`.
static RECORDED: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../e2e/data/original_client.json")).unwrap());

fn tokens() -> SessionTokens {
    SessionTokens::new(&SecretString::from(SECRET), JwtAlgorithm::HS256)
}

fn vector_secret() -> SecretString {
    SecretString::from(VECTORS["secret"].as_str().unwrap())
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn ann() -> TokenUser {
    TokenUser { email: "ann@example.org".into(), user_uid: Uuid::from_u128(7), role: Role::User }
}

fn claims() -> Value {
    serde_json::to_value(Claims {
        user: ann(),
        exp: at(60),
        iat: at(0),
        jti: Uuid::from_u128(8),
        refresh: false,
        sid: Uuid::from_u128(9),
    })
    .unwrap()
}

/// A token with any content, signed with the right key.
fn signed(header: Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(claims));
    hmac_provider::install();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn hs256() -> Value {
    json!({"typ": "JWT", "alg": "HS256"})
}

#[test]
fn an_access_token_lives_an_hour() {
    let token = tokens().access(&ann(), Uuid::from_u128(9), at(0)).unwrap();
    let claims = tokens().read(&token, at(3599)).unwrap();
    assert_eq!((claims.user, claims.sid, claims.refresh), (ann(), Uuid::from_u128(9), false));
    assert_eq!((claims.iat, claims.exp), (at(0), at(3600)));
    assert_eq!(tokens().read(&token, at(3600)), Err(JwtError::Expired));
}

#[test]
fn a_refresh_token_lives_as_long_as_its_session() {
    let end = at(0) + REFRESH_LIFETIME;
    let token = tokens().refresh(&ann(), Uuid::from_u128(9), at(0), end).unwrap();
    assert!(tokens().read(&token, at(2 * 86_400 - 1)).unwrap().refresh);
    assert_eq!(tokens().read(&token, end), Err(JwtError::Expired));
}

#[test]
fn every_token_has_its_own_id() {
    let jti = || {
        let token = tokens().access(&ann(), Uuid::from_u128(9), at(0)).unwrap();
        tokens().read(&token, at(0)).unwrap().jti
    };
    assert_ne!(jti(), jti());
}

#[test]
fn a_token_has_the_claims_of_the_original() {
    let token = tokens().access(&ann(), Uuid::from_u128(9), at(0)).unwrap();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&payload).unwrap();
    assert!(claims["jti"].take().as_str().unwrap().parse::<Uuid>().is_ok());
    let user = json!({"email": "ann@example.org", "user_uid": Uuid::from_u128(7), "role": "user"});
    let (exp, iat, sid) = (1_700_003_600, 1_700_000_000, Uuid::from_u128(9));
    let expected = json!({"user": user, "exp": exp, "iat": iat, "jti": null, "refresh": false, "sid": sid});
    assert_eq!(claims, expected);
}

#[test]
fn pyjwts_tokens_are_accepted_with_the_configured_algorithm_only() {
    for (name, token) in VECTORS["good"].as_object().unwrap() {
        for algorithm in [JwtAlgorithm::HS256, JwtAlgorithm::HS384, JwtAlgorithm::HS512] {
            let read = SessionTokens::new(&vector_secret(), algorithm).read(token.as_str().unwrap(), at(0));
            if algorithm.as_str() == name {
                assert_eq!(serde_json::to_value(read.unwrap()).unwrap(), VECTORS["claims"]);
            } else {
                assert_eq!(read, Err(JwtError::Invalid), "{name} read as {algorithm}");
            }
        }
    }
}

#[test]
fn a_token_without_signature_or_of_another_key_is_refused() {
    let pyjwt = SessionTokens::new(&vector_secret(), JwtAlgorithm::HS256);
    for (why, token) in VECTORS["bad"].as_object().unwrap() {
        assert_eq!(pyjwt.read(token.as_str().unwrap(), at(0)), Err(JwtError::Invalid), "{why}");
    }
    let good = signed(hs256(), &claims());
    assert!(tokens().read(&good, at(0)).is_ok());
    let other =
        SessionTokens::new(&SecretString::from("another secret, 32 bytes of it too"), JwtAlgorithm::HS256);
    assert_eq!(other.read(&good, at(0)), Err(JwtError::Invalid));
    // An expired token of another key is invalid, not expired.
    assert_eq!(other.read(&good, at(99)), Err(JwtError::Invalid));
    for alg in ["none", "None", "HS384", "RS256", "ES256", "EdDSA", ""] {
        let token = signed(json!({"typ": "JWT", "alg": alg}), &claims());
        assert_eq!(tokens().read(&token, at(0)), Err(JwtError::Invalid), "{alg}");
    }
    assert_eq!(tokens().read(&signed(json!({"typ": "JWT"}), &claims()), at(0)), Err(JwtError::Invalid));
}

#[test]
fn tokens_of_the_previous_secret_are_accepted_and_none_is_signed_with_it() {
    let new = SecretString::from("the secret after the change, long enough");
    let changed = SessionTokens::new(&new, JwtAlgorithm::HS256).accepting(Some(&SecretString::from(SECRET)));
    let old = tokens().access(&ann(), Uuid::from_u128(9), at(0)).unwrap();
    assert_eq!(changed.read(&old, at(1)).unwrap().user, ann());
    assert_eq!(changed.read(&old, at(3600)), Err(JwtError::Expired));
    let signed = changed.access(&ann(), Uuid::from_u128(9), at(0)).unwrap();
    assert!(SessionTokens::new(&new, JwtAlgorithm::HS256).read(&signed, at(1)).is_ok());
    assert_eq!(tokens().read(&signed, at(1)), Err(JwtError::Invalid));
    let other = SecretString::from("another secret, 32 bytes of it too");
    let other = SessionTokens::new(&other, JwtAlgorithm::HS256).accepting(Some(&new));
    assert_eq!(other.read(&old, at(1)), Err(JwtError::Invalid));
}

#[test]
fn a_key_in_the_header_is_ignored() {
    let jwk = json!({"kty": "oct", "k": "AAAA", "alg": "HS256"});
    let mut header = json!({"alg": "HS256", "kid": "../../dev/null", "jku": "http://x", "x5u": "http://x"});
    header["jwk"] = jwk;
    assert!(tokens().read(&signed(header.clone(), &claims()), at(0)).is_ok());
    let forged = signed(header, &claims());
    let message = forged.rsplit_once('.').unwrap().0;
    let key = EncodingKey::from_secret(&[0, 0, 0]);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    assert_eq!(tokens().read(&format!("{message}.{signature}"), at(0)), Err(JwtError::Invalid));
}

#[test]
fn a_critical_extension_is_refused() {
    let header = json!({"alg": "HS256", "crit": ["exp"]});
    assert_eq!(tokens().read(&signed(header, &claims()), at(0)), Err(JwtError::Invalid));
}

#[test]
fn a_token_must_have_every_claim_well_formed() {
    for name in ["user", "exp", "iat", "jti", "refresh", "sid"] {
        let mut without = claims();
        without.as_object_mut().unwrap().remove(name);
        let mut null = claims();
        null[name] = Value::Null;
        for claims in [without, null] {
            assert_eq!(tokens().read(&signed(hs256(), &claims), at(0)), Err(JwtError::Invalid), "{claims}");
        }
    }
    for (name, value) in [
        ("exp", json!("1700000060")),
        ("exp", json!(1_700_000_060.5)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(u64::MAX)),
        ("iat", json!("now")),
        ("jti", json!("one")),
        ("refresh", json!("false")),
        ("user", json!({"email": "a@b.c", "user_uid": Uuid::nil(), "role": "root"})),
    ] {
        let mut changed = claims();
        changed[name] = value;
        assert_eq!(tokens().read(&signed(hs256(), &changed), at(0)), Err(JwtError::Invalid), "{changed}");
    }
}

#[test]
fn the_service_and_python_read_the_same_claims_from_each_others_tokens() {
    let secret = SecretString::from(RECORDED["secret"].as_str().unwrap());
    let tokens = SessionTokens::new(&secret, JwtAlgorithm::HS256);
    let recorded = RECORDED["sessions_of_the_service"].as_array().unwrap();
    assert!(recorded.len() > 4);
    for session in recorded.iter().chain([&RECORDED["session_of_pyjwt"]]) {
        let issued = DateTime::from_timestamp(session["claims"]["iat"].as_i64().unwrap(), 0).unwrap();
        let read = tokens.read(session["token"].as_str().unwrap(), issued).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), session["claims"]);
    }
}

#[test]
fn garbage_is_refused_without_a_panic() {
    let good = signed(hs256(), &claims());
    let huge = "x".repeat(100_000);
    for text in
        ["", ".", "..", "...", "a.b.c", "é.é.é", "\0.\0.\0", "eyJhbGciOiJIUzI1NiJ9..", "Bearer x.y.z", &huge]
    {
        assert_eq!(tokens().read(text, at(0)), Err(JwtError::Invalid), "{text:?}");
    }
    for end in 0..good.len() {
        assert_eq!(tokens().read(&good[..end], at(0)), Err(JwtError::Invalid));
    }
    // The last character is left out: its last bits are not part of the signature.
    for place in 0..good.len() - 1 {
        let with = if good.as_bytes()[place] == b'A' { "B" } else { "A" };
        let altered = format!("{}{with}{}", &good[..place], &good[place + 1..]);
        assert_eq!(tokens().read(&altered, at(0)), Err(JwtError::Invalid), "{place}");
    }
}

#[test]
fn debug_shows_no_secret_and_no_address() {
    let claims: Claims = serde_json::from_value(claims()).unwrap();
    let shown = format!("{:?} {:?}", tokens(), claims);
    assert!(!shown.contains("secret") && !shown.contains("ann@"), "{shown}");
}

/// Texts that a forger might send: any text, any three parts, parts that are JSON, valid tokens with changes.
fn forged() -> impl Strategy<Value = String> {
    let part = || prop::collection::vec(any::<u8>(), 0..80).prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    let json = || "[{\\[\"a-z0-9:,.}\\]]{0,40}".prop_map(|text| URL_SAFE_NO_PAD.encode(text));
    let header = prop::sample::select(vec![
        json!({"alg": "HS256"}),
        json!({"alg": "none"}),
        json!({"alg": "HS512"}),
        json!({"alg": "RS256"}),
        json!({"alg": "HS256", "crit": []}),
        json!({}),
    ]);
    let header = header.prop_map(|header| URL_SAFE_NO_PAD.encode(header.to_string()));
    let claims = Just(URL_SAFE_NO_PAD.encode(claims().to_string()));
    prop_oneof![
        any::<String>(),
        "[A-Za-z0-9_-]{0,60}(\\.[A-Za-z0-9_-]{0,60}){0,4}",
        (part(), part(), part()).prop_map(|(header, claims, tag)| format!("{header}.{claims}.{tag}")),
        (json(), json(), part()).prop_map(|(header, claims, tag)| format!("{header}.{claims}.{tag}")),
        (header, claims, part()).prop_map(|(header, claims, tag)| format!("{header}.{claims}.{tag}")),
    ]
}

proptest! {
    #[test]
    fn no_text_makes_read_panic_or_passes_for_a_token(text in forged()) {
        prop_assert_eq!(tokens().read(&text, at(0)), Err(JwtError::Invalid));
    }

    /// Some bits of the last character are not read; every other change, also of the length, is noticed.
    #[test]
    fn no_changed_character_passes(place: prop::sample::Index, replacement in "[ -~]|", by_length: bool) {
        let token = signed(hs256(), &claims());
        let place = place.index(token.len() - 1);
        let behind = if by_length { place } else { place + 1 };
        let changed = format!("{}{replacement}{}", &token[..place], &token[behind..]);
        let read = tokens().read(&changed, at(0));
        prop_assert!(changed == token || read == Err(JwtError::Invalid), "{}", changed);
    }
}

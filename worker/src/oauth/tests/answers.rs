use std::time::Duration;

use http::StatusCode;
use secrecy::ExposeSecret;

use super::super::answer::read;
use super::super::error::TokenProblem;

#[test]
fn a_token_lasts_as_long_as_the_server_says_within_a_minute_and_a_day() {
    for (expires_in, seconds) in [
        ("3599", 3599),
        ("\"3599\"", 3599),
        ("3599.5", 3599),
        ("0", 60),
        ("-1", 60),
        ("1e300", 86_400),
        ("null", 300),
        ("\"soon\"", 300),
        ("{}", 300),
    ] {
        let body =
            format!(r#"{{"access_token": "ya29", "token_type": "bearer", "expires_in": {expires_in}}}"#);
        let granted = read(StatusCode::OK, body.as_bytes()).unwrap();
        assert_eq!(granted.lifetime.as_secs(), seconds, "{expires_in}");
    }
    let granted = read(StatusCode::OK, br#"{"access_token": "ya29", "refresh_token": "1//new"}"#).unwrap();
    assert_eq!(granted.lifetime, Duration::from_secs(300), "without expires_in");
    assert_eq!(granted.access_token.expose_secret(), "ya29");
    assert_eq!(granted.refresh_token.unwrap().expose_secret(), "1//new");
}

#[test]
fn an_answer_without_a_token_says_what_is_wrong_and_shows_nothing_of_it() {
    use TokenProblem::{Client, Failing, Grant, NoTokenServer, Refused, Scope};
    let long = format!(r#"{{"access_token": "{}"}}"#, "x".repeat(9_000));
    for (status, body, problem, text) in [
        (200, "<html>secret</html>", NoTokenServer, "answers 200 without JSON"),
        (200, "[]", NoTokenServer, "without an access token"),
        (200, r#"{"access_token": ""}"#, NoTokenServer, "malformed"),
        (200, r#"{"access_token": "a\u0001secret"}"#, NoTokenServer, "malformed"),
        (200, &long, NoTokenServer, "too long"),
        (200, r#"{"access_token": "secret", "token_type": "mac"}"#, NoTokenServer, "not of the type Bearer"),
        (302, "", NoTokenServer, "answers 302 and leads elsewhere"),
        (404, "<html>secret</html>", NoTokenServer, "answers 404"),
        (
            400,
            r#"{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}"#,
            Grant,
            "answers 400 invalid_grant Token has been expired or revoked.",
        ),
        (401, r#"{"error": "invalid_client"}"#, Client, "answers 401 invalid_client"),
        (400, r#"{"error": "invalid_scope"}"#, Scope, "answers 400 invalid_scope"),
        (400, r#"{"error": "invalid_request"}"#, Refused, "answers 400 invalid_request"),
        (503, "secret", Failing, "answers 503"),
        (429, "{}", Failing, "answers 429"),
    ] {
        let (found, told) = read(StatusCode::from_u16(status).unwrap(), body.as_bytes()).unwrap_err();
        assert_eq!(found, problem, "{status} {body}");
        assert!(told.contains(text) && !told.contains("secret"), "{told}");
    }
}

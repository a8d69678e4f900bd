//! What a token server answers (RFC 6749 §5), and how wrong answers are treated.

use std::time::Duration;

use http::StatusCode;
use secrecy::SecretString;
use serde_json::Value;

use super::error::TokenProblem;

/// How long a token without a lifetime counts as valid.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(5 * 60);
/// A token that ends earlier is used for this long anyway: the mail server decides.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(60);
/// A token that lasts longer is replaced after this time.
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// The longest token, in bytes. With the user's name it must fit in a line of SASL, 12,288 bytes in base64 (RFC 4954 §4).
const LONGEST_TOKEN: usize = 8 * 1024;

/// A new access token.
#[derive(Debug, Clone)]
pub(super) struct Granted {
    pub(super) access_token: SecretString,
    /// Counted from the request.
    pub(super) lifetime: Duration,
    /// Takes the place of the one that was used (RFC 6749 §6), if it differs.
    pub(super) refresh_token: Option<SecretString>,
}

/// Reads an answer. The text of the error completes a sentence that begins with the token server's name, and can hold
/// what the server repeats.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Granted, (TokenProblem, String)> {
    let wrong =
        |what: &str| Err((TokenProblem::NoTokenServer, format!("answers {} {what}", status.as_u16())));
    let json = serde_json::from_slice::<Value>(body).ok();
    if status.is_redirection() {
        return wrong("and leads elsewhere, which is not followed");
    }
    if !status.is_success() {
        return Err(refusal(status, json.as_ref()));
    }
    let Some(json) = json else { return wrong("without JSON") };
    let Some(access_token) = json["access_token"].as_str() else { return wrong("without an access token") };
    if !is_token(access_token) {
        return wrong("with an access token that is malformed or too long");
    }
    if json["token_type"].as_str().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return wrong("with an access token that is not of the type Bearer");
    }
    let refresh_token = json["refresh_token"].as_str().filter(|token| !token.is_empty());
    Ok(Granted {
        access_token: access_token.into(),
        lifetime: lifetime(&json["expires_in"]),
        refresh_token: refresh_token.map(SecretString::from),
    })
}

/// RFC 6749 §5.2.
fn refusal(status: StatusCode, json: Option<&Value>) -> (TokenProblem, String) {
    let field = |name: &str| json.and_then(|json| json[name].as_str());
    let error = field("error").unwrap_or_default();
    let problem = match error {
        "invalid_grant" => TokenProblem::Grant,
        "invalid_client" | "unauthorized_client" => TokenProblem::Client,
        "invalid_scope" => TokenProblem::Scope,
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => TokenProblem::Failing,
        "" => TokenProblem::NoTokenServer,
        _ => TokenProblem::Refused,
    };
    let words = [error, field("error_description").unwrap_or_default()].join(" ");
    (problem, format!("answers {} {words}", status.as_u16()).trim_end().to_owned())
}

/// Some servers write the number as a text.
fn lifetime(expires_in: &Value) -> Duration {
    let seconds = expires_in.as_f64().or_else(|| expires_in.as_str()?.trim().parse().ok());
    let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds.clamp(0.0, 1e9)).ok());
    lifetime.unwrap_or(UNKNOWN_LIFETIME).clamp(SHORTEST_LIFETIME, LONGEST_LIFETIME)
}

/// Visible ASCII (RFC 6749 appendix A.12).
fn is_token(text: &str) -> bool {
    (1..=LONGEST_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

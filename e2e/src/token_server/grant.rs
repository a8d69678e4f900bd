//! The three grants: the settings for each, and the check of its request.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use bookly_shared::clock::Clock;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

/// Stands in every secret of this server, so that tests find them in logs and rows.
pub const TOKEN_MARK: &str = "OauthSecretThatNobodyShows";
/// What shows a secret of this server: the mark, and the base64 of `Secret` wherever it stands.
pub const TOKEN_MARKS: [&str; 4] = [TOKEN_MARK, "U2VjcmV0", "NlY3JldF", "TZWNyZXR"];
pub const CLIENT_ID: &str = "bookly-client";
/// The mailbox that the tokens are for.
pub const MAILBOX: &str = "bookly@bookly.test";
const SCOPE: &str = "https://mail.google.com/";

/// The client's secret.
pub fn client_secret() -> String {
    format!("client-{TOKEN_MARK}")
}

/// The refresh token after so many replacements.
pub fn refresh_token(rotations: usize) -> String {
    format!("1//refresh-{rotations}-{TOKEN_MARK}")
}

/// The key file of the service account, which was made for the tests and opens nothing.
pub fn service_account_file() -> String {
    format!("{}/data/service_account.json", env!("CARGO_MANIFEST_DIR"))
}

/// The settings of each grant at the token server with this URL: refresh token, service account, client credentials.
pub fn grants(url: &str) -> [Vec<(&'static str, String)>; 3] {
    let client =
        [("MAIL_OAUTH_CLIENT_ID", CLIENT_ID.to_owned()), ("MAIL_OAUTH_CLIENT_SECRET", client_secret())];
    let of = |mechanism: &str, own: &[(&'static str, String)]| {
        let common = [
            ("MAIL_AUTH", mechanism.to_owned()),
            ("MAIL_USERNAME", MAILBOX.to_owned()),
            ("MAIL_PASSWORD", String::new()),
            ("MAIL_OAUTH_TOKEN_URL", url.to_owned()),
        ];
        [&common[..], own].concat()
    };
    let refresh = [&client[..], &[("MAIL_OAUTH_REFRESH_TOKEN", refresh_token(0))]].concat();
    let account = [("MAIL_OAUTH_SERVICE_ACCOUNT_FILE", service_account_file())];
    let own = [&client[..], &[("MAIL_OAUTH_SCOPE", SCOPE.to_owned())]].concat();
    [of("xoauth2", &refresh), of("oauthbearer", &account), of("XOAUTH2", &own)]
}

/// Whether this is the request of one of the grants, after so many replacements of the refresh token.
pub(super) fn check(form: &BTreeMap<String, String>, rotations: usize, url: &str) -> anyhow::Result<()> {
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let is_client = field("client_id") == CLIENT_ID && field("client_secret") == client_secret();
    match field("grant_type") {
        "refresh_token" => {
            ensure!(is_client, "the client");
            let wanted = refresh_token(rotations);
            ensure!(field("refresh_token") == wanted, "the refresh token {}", field("refresh_token"));
        }
        "client_credentials" => {
            ensure!(is_client, "the client");
            ensure!(field("scope") == SCOPE, "the scope {}", field("scope"));
        }
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => check_assertion(field("assertion"), url)?,
        other => bail!("the grant {other}"),
    }
    Ok(())
}

fn check_assertion(assertion: &str, url: &str) -> anyhow::Result<()> {
    let file: Value = serde_json::from_str(&fs::read_to_string(Path::new(&service_account_file()))?)?;
    let pem = file["private_key"].as_str().context("the key")?;
    let der: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(der)?).ok().context("the key")?;
    let (signed, signature) = assertion.rsplit_once('.').context("a signature")?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature)?;
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public().as_ref().to_vec());
    key.verify(signed.as_bytes(), &signature).ok().context("the signature")?;
    let (_, claims) = signed.split_once('.').context("claims")?;
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims)?)?;
    let wanted = json!({"iss": file["client_email"], "sub": MAILBOX, "aud": url, "scope": SCOPE});
    for (name, value) in wanted.as_object().context("claims")? {
        ensure!(claims[name] == *value, "{name} is {}", claims[name]);
    }
    let (from, to) = (claims["iat"].as_i64().context("iat")?, claims["exp"].as_i64().context("exp")?);
    let now = Clock::local().now().timestamp();
    ensure!(from <= now && now < to && to - from <= 3600, "the time is {from} to {to}");
    Ok(())
}

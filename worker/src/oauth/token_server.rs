//! The request for an access token.

use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::{OAuthGrant, OAuthSettings};
use bookly_shared::http_client::HttpClient;
use bookly_shared::redactor::Redactor;
use bookly_shared::service_account::Assertion;
use bookly_shared::tls::Trust;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Uri};
use hyper::body::Bytes;
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use super::answer::{self, Granted};
use super::error::{TokenError, TokenProblem};

/// The token server, and what it gets for a token.
#[derive(Debug)]
pub(super) struct TokenServer {
    http: HttpClient,
    settings: OAuthSettings,
    /// The mailbox.
    username: String,
    clock: Clock,
    /// The one that the server gave in place of that of the settings.
    rotated: Mutex<Option<SecretString>>,
    /// Host and port, for errors.
    name: String,
}

/// The fields of a request's form. Those that are secret must not be in an error.
type Form = Vec<(&'static str, SecretString)>;

const SECRETS: [&str; 3] = ["client_secret", "refresh_token", "assertion"];

impl TokenServer {
    pub(super) fn new(
        settings: OAuthSettings,
        username: String,
        trust: &Trust,
        clock: Clock,
        time_limit: Duration,
    ) -> Result<TokenServer, rustls::Error> {
        let uri = settings.token_url.parse::<Uri>().ok();
        let name = uri.and_then(|uri| Some(uri.authority()?.to_string())).unwrap_or_default();
        let http = HttpClient::new(trust, time_limit)?;
        Ok(TokenServer { http, settings, username, clock, rotated: Mutex::default(), name })
    }

    /// Asks once.
    ///
    /// The client's id and secret are fields of the form: Google and Microsoft document no other way.
    pub(super) async fn fetch(&self) -> Result<Granted, TokenError> {
        let form = self.form()?;
        let asked = self.ask(&form).await;
        let secrets = form.iter().filter(|(name, _)| SECRETS.contains(name));
        let asked = asked.map_err(|error| {
            error.redacted(&Redactor::new(secrets.map(|(_, secret)| secret.expose_secret())))
        });
        Ok(self.keep_refresh_token(asked?, &form))
    }

    async fn ask(&self, form: &Form) -> Result<Granted, TokenError> {
        let pairs = form.iter().map(|(name, value)| (name, value.expose_secret()));
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = Request::post(&self.settings.token_url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json")
            .body(Bytes::from(body))
            .map_err(|error| TokenError::new(TokenProblem::Unreachable, &error.to_string()))?;
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| TokenError::unanswered(&self.name, &error))?;
        answer::read(answer.status(), answer.body())
            .map_err(|(problem, text)| TokenError::new(problem, &format!("{} {text}", self.name)))
    }

    fn form(&self) -> Result<Form, TokenError> {
        let mut form: Form = match &self.settings.grant {
            OAuthGrant::RefreshToken { client_id, client_secret, refresh_token } => {
                let rotated = self.rotated.lock().clone();
                let mut form = vec![
                    ("grant_type", "refresh_token".into()),
                    ("client_id", client_id.as_str().into()),
                    ("refresh_token", rotated.unwrap_or_else(|| refresh_token.clone())),
                ];
                form.extend(client_secret.clone().map(|secret| ("client_secret", secret)));
                form
            }
            OAuthGrant::ServiceAccount(account) => {
                let assertion = Assertion {
                    subject: &self.username,
                    audience: &self.settings.token_url,
                    scope: self.settings.scope.as_deref().unwrap_or_default(),
                };
                let signed = account.sign(assertion, self.clock.now());
                let signed =
                    signed.map_err(|error| TokenError::new(TokenProblem::Refused, &error.to_string()))?;
                // The scope is in the assertion.
                return Ok(vec![
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer".into()),
                    ("assertion", signed),
                ]);
            }
            OAuthGrant::ClientCredentials { client_id, client_secret } => vec![
                ("grant_type", "client_credentials".into()),
                ("client_id", client_id.as_str().into()),
                ("client_secret", client_secret.clone()),
            ],
        };
        form.extend(self.settings.scope.as_deref().map(|scope| ("scope", scope.into())));
        Ok(form)
    }

    /// A server may replace the refresh token with each use (RFC 6749 §6).
    fn keep_refresh_token(&self, granted: Granted, form: &Form) -> Granted {
        let used =
            form.iter().find(|(name, _)| *name == "refresh_token").map(|(_, used)| used.expose_secret());
        let is_new = |token: &SecretString| used.is_some_and(|used| used != token.expose_secret());
        let refresh_token = granted.refresh_token.filter(is_new);
        if refresh_token.is_some() {
            self.rotated.lock().clone_from(&refresh_token);
            warn!(
                "the token server replaced the refresh token; the new one is used until this process ends, and \
                 MAIL_OAUTH_REFRESH_TOKEN may not be valid at the next start"
            );
        }
        Granted { refresh_token, ..granted }
    }
}

//! The login: AUTH PLAIN and AUTH LOGIN with a password, AUTH XOAUTH2 and AUTH OAUTHBEARER with an access token.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::config::{OAuthMechanism, SmtpAuth, SmtpSettings};
use bookly_shared::domain::SmtpReply;
use bookly_shared::redactor::Redactor;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::SendError;
use super::failure::Stage;
use super::options::{SmtpConfigError, SmtpOptions};
use super::session::Session;
use crate::oauth::{AccessToken, Tokens};

/// The longest command, in bytes without its line end (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 510;

/// How sessions log in.
pub(super) enum Login {
    /// They do not.
    None,
    /// With a password.
    Password(PasswordLogin),
    /// With an access token.
    Token(TokenLogin),
}

/// A login that does not change.
pub(super) struct PasswordLogin {
    username: String,
    password: SecretString,
    redactor: Arc<Redactor>,
}

/// A login with the access token of the moment.
pub(super) struct TokenLogin {
    username: String,
    pub(super) mechanism: OAuthMechanism,
    pub(super) tokens: Tokens,
}

impl Login {
    /// With an access token the first one is asked for at once.
    pub(super) fn new(settings: &SmtpSettings, options: &SmtpOptions) -> Result<Login, SmtpConfigError> {
        let Some(credentials) = &settings.credentials else { return Ok(Login::None) };
        let username = credentials.username.clone();
        Ok(match &credentials.auth {
            SmtpAuth::Password(password) => {
                let redactor = redactor_of(&username, password.expose_secret());
                Login::Password(PasswordLogin { username, password: password.clone(), redactor })
            }
            SmtpAuth::OAuth(oauth) => {
                let (trust, clock) = (&options.trust, options.clock.clone());
                let tokens =
                    Tokens::start((**oauth).clone(), &username, trust, clock, options.timeouts.token)?;
                Login::Token(TokenLogin { username, mechanism: oauth.mechanism, tokens })
            }
        })
    }

    /// Whether the token server replaced the refresh token of the settings.
    pub(super) fn rotated(&self) -> bool {
        matches!(self, Login::Token(login) if login.tokens.rotated())
    }

    /// Finds the login in replies: some servers repeat what they were sent.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        match self {
            Login::None => Arc::default(),
            Login::Password(login) => Arc::clone(&login.redactor),
            Login::Token(login) => login.tokens.redactor(),
        }
    }
}

/// Finds the password as it is and as a login sends it.
fn redactor_of(user: &str, password: &str) -> Arc<Redactor> {
    Arc::new(Redactor::new([password, &BASE64_STANDARD.encode(format!("\0{user}\0{password}"))]))
}

impl TokenLogin {
    /// The SASL response at this mail server, in base64.
    pub(super) fn response(&self, host: &str, port: u16, token: &AccessToken) -> String {
        let username = &self.username;
        let token = token.text.expose_secret();
        BASE64_STANDARD.encode(match self.mechanism {
            OAuthMechanism::XOAuth2 => format!("user={username}\x01auth=Bearer {token}\x01\x01"),
            // RFC 7628 §3.1; in a name `=` and `,` are written as RFC 5801 §4 says.
            OAuthMechanism::OAuthBearer => {
                let name = username.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
            }
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    pub(super) async fn log_in_with_password(&mut self, login: &PasswordLogin) -> Result<(), SendError> {
        let (user, password) = (login.username.as_str(), login.password.expose_secret());
        let plain = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        let limit = self.timeouts.command;
        let mut reply = None;
        if self.extensions.auth_plain {
            // The second step is for servers that ignore the initial response.
            let steps = [format!("AUTH PLAIN {plain}"), plain];
            reply = Some(Stage::Auth.within(self.server, limit, self.authenticate(&steps)).await?);
        }
        // Some servers offer PLAIN and refuse the command.
        if self.extensions.auth_login && reply.as_ref().is_none_or(|reply| matches!(reply.code, 500..=504)) {
            // The prompts are not read: their texts differ from server to server, their order does not.
            let steps =
                ["AUTH LOGIN".to_owned(), BASE64_STANDARD.encode(user), BASE64_STANDARD.encode(password)];
            reply = Some(Stage::Auth.within(self.server, limit, self.authenticate(&steps)).await?);
        }
        let what = "a login is configured, but the server offers neither AUTH PLAIN nor AUTH LOGIN";
        logged_in(reply.ok_or_else(|| SendError::unsupported(Stage::Auth, what))?)
    }

    /// `response` is in base64.
    pub(super) async fn log_in_with_token(
        &mut self,
        mechanism: OAuthMechanism,
        response: &str,
    ) -> Result<(), SendError> {
        let (is_offered, name, missing) = match mechanism {
            OAuthMechanism::XOAuth2 => (
                self.extensions.auth_xoauth2,
                "XOAUTH2",
                "MAIL_AUTH is xoauth2, but the server does not offer AUTH XOAUTH2",
            ),
            OAuthMechanism::OAuthBearer => (
                self.extensions.auth_oauthbearer,
                "OAUTHBEARER",
                "MAIL_AUTH is oauthbearer, but the server does not offer AUTH OAUTHBEARER",
            ),
        };
        if !is_offered {
            return Err(SendError::unsupported(Stage::Auth, missing));
        }
        // What answers the server's reason for a refusal: it then refuses (RFC 7628 §3.2.3, and Google's for XOAUTH2).
        let dummy = if mechanism == OAuthMechanism::XOAuth2 { "" } else { "AQ==" };
        let limit = self.timeouts.command;
        let reply = Stage::Auth.within(self.server, limit, self.show_token(name, response, dummy)).await?;
        logged_in(reply)
    }

    /// Returns the last reply.
    async fn show_token(&mut self, name: &str, response: &str, dummy: &str) -> Result<SmtpReply, SendError> {
        let at_once = format!("AUTH {name} {response}");
        // The response of a longer command comes with a line of its own (RFC 4954 §4).
        let is_short = at_once.len() <= LONGEST_COMMAND;
        let command = if is_short { at_once } else { format!("AUTH {name}") };
        let mut reply = self.ask(Stage::Auth, &command).await?;
        // Some servers ignore a response that comes with the command: their prompt is empty.
        if reply.code == 334 && (!is_short || reply.text.trim().is_empty()) {
            reply = self.ask(Stage::Auth, response).await?;
        }
        if reply.code == 334 {
            reply = self.ask(Stage::Auth, dummy).await?;
        }
        Ok(reply)
    }

    /// Sends the steps of a login while the server asks for more (334). Returns the last reply.
    async fn authenticate(&mut self, steps: &[String]) -> Result<SmtpReply, SendError> {
        let mut reply = SmtpReply::new(334, "");
        for step in steps {
            reply = self.ask_for_lines(Stage::Auth, step).await?.reply();
            if reply.code != 334 {
                break;
            }
        }
        Ok(reply)
    }
}

/// 235 is the only good end of AUTH (RFC 4954 §4).
fn logged_in(reply: SmtpReply) -> Result<(), SendError> {
    if reply.code == 235 { Ok(()) } else { Err(SendError::from_reply(Stage::Auth, reply)) }
}

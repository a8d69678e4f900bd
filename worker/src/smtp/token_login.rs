//! The login with an access token in place of the password: AUTH XOAUTH2 and AUTH OAUTHBEARER.

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::config::{OAuthMechanism, OAuthSettings};
use bookly_shared::domain::SmtpReply;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::SendError;
use super::failure::Stage;
use super::options::{SmtpConfigError, SmtpOptions};
use super::session::{Session, logged_in};
use crate::oauth::{AccessToken, Tokens};

/// The longest command, in bytes without its line end (RFC 5321 §4.5.3.1.4).
const LONGEST_COMMAND: usize = 510;

/// A login with the access token of the moment.
pub(super) struct TokenLogin {
    username: String,
    pub(super) mechanism: OAuthMechanism,
    pub(super) tokens: Tokens,
}

impl TokenLogin {
    /// The first token is asked for at once.
    pub(super) fn new(
        username: &str,
        oauth: &OAuthSettings,
        options: &SmtpOptions,
    ) -> Result<TokenLogin, SmtpConfigError> {
        let (trust, clock) = (&options.trust, options.clock.clone());
        let tokens = Tokens::start(oauth.clone(), username, trust, clock, options.timeouts.token)?;
        Ok(TokenLogin { username: username.to_owned(), mechanism: oauth.mechanism, tokens })
    }

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
}

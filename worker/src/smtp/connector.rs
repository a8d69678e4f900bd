//! What connections to one mail server need: where it is, how they are encrypted and how they log in. Made once, from the
//! settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::config::{Security, SmtpAuth, SmtpSettings};
use bookly_shared::domain::MailServer;
use bookly_shared::redactor::Redactor;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use super::options::{SmtpConfigError, SmtpOptions, StageTimeouts};
use super::tls::Tls;
use super::token_login::TokenLogin;

/// One mail server. `connection.rs` opens its sessions.
pub(super) struct Connector {
    pub(super) server: MailServer,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) protection: Protection,
    pub(super) login: Login,
    pub(super) helo_name: String,
    pub(super) timeouts: StageTimeouts,
    /// The server offers PIPELINING and loses commands that come together.
    pub(super) pipelining_fails: AtomicBool,
}

/// [`Security`] with what it needs.
pub(super) enum Protection {
    Plain,
    StartTls(Tls),
    ImplicitTls(Tls),
}

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
    pub(super) username: String,
    pub(super) password: SecretString,
    pub(super) redactor: Arc<Redactor>,
}

impl Connector {
    pub(super) fn new(settings: SmtpSettings, options: &SmtpOptions) -> Result<Self, SmtpConfigError> {
        let protection = Protection::new(&settings, options)?;
        let login = Login::new(&settings, options)?;
        Ok(Self {
            server: options.server,
            host: settings.host,
            port: settings.port,
            protection,
            login,
            helo_name: settings.helo_name,
            timeouts: options.timeouts,
            pipelining_fails: AtomicBool::new(false),
        })
    }

    /// Whether the login used up the refresh token of the settings.
    pub(super) fn rotated_refresh_token(&self) -> bool {
        matches!(&self.login, Login::Token(login) if login.tokens.rotated())
    }

    /// Some firewalls drop commands that come together, so that no recipient gets a reply. From now on each recipient
    /// is a command of its own.
    pub(super) fn stop_pipelining(&self) {
        if !self.pipelining_fails.swap(true, Ordering::Relaxed) {
            warn!(
                host = self.host,
                "the mail server offers PIPELINING and loses recipients; PIPELINING is no longer used"
            );
        }
    }
}

impl Protection {
    fn new(settings: &SmtpSettings, options: &SmtpOptions) -> Result<Protection, SmtpConfigError> {
        Ok(match settings.security {
            Security::Plain => Protection::Plain,
            Security::StartTls => Protection::StartTls(Tls::new(settings, options)?),
            Security::ImplicitTls => Protection::ImplicitTls(Tls::new(settings, options)?),
        })
    }
}

impl Login {
    fn new(settings: &SmtpSettings, options: &SmtpOptions) -> Result<Login, SmtpConfigError> {
        let Some(credentials) = &settings.credentials else { return Ok(Login::None) };
        let username = credentials.username.clone();
        Ok(match &credentials.auth {
            SmtpAuth::Password(password) => {
                let redactor = redactor_of(&username, password.expose_secret());
                Login::Password(PasswordLogin { username, password: password.clone(), redactor })
            }
            SmtpAuth::OAuth(oauth) => Login::Token(TokenLogin::new(&username, oauth, options)?),
        })
    }
}

/// Finds the password as it is and as a login sends it.
fn redactor_of(user: &str, password: &str) -> Arc<Redactor> {
    Arc::new(Redactor::new([password, &BASE64_STANDARD.encode(format!("\0{user}\0{password}"))]))
}

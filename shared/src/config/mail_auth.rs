//! The login at the SMTP server: a password, or an access token of a token server (OAuth 2.0, RFC 6749).

use secrecy::SecretString;
use url::Url;

use super::source::{Source, read_text};
use super::table::{self, Setting};
use super::values;
use crate::service_account::ServiceAccount;

/// The login at the SMTP server. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct SmtpCredentials {
    /// The user's name.
    pub username: String,
    /// What proves that it is the user.
    pub auth: SmtpAuth,
}

/// What proves who logs in.
#[derive(Debug, Clone)]
pub enum SmtpAuth {
    /// The user's password.
    Password(SecretString),
    /// An access token.
    OAuth(Box<OAuthSettings>),
}

/// How access tokens are fetched and shown.
#[derive(Debug, Clone)]
pub struct OAuthSettings {
    /// How a token is shown to the SMTP server.
    pub mechanism: OAuthMechanism,
    /// The token server; https unless it is this machine.
    pub token_url: String,
    /// What the token server gets for a token.
    pub grant: OAuthGrant,
    /// What the token allows; `None` leaves it to the token server.
    pub scope: Option<String>,
}

/// The SASL mechanism of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthMechanism {
    /// Google's and Microsoft's (<https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>).
    XOAuth2,
    /// RFC 7628.
    OAuthBearer,
}

impl OAuthMechanism {
    /// Its value in `MAIL_AUTH`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::XOAuth2 => "xoauth2",
            Self::OAuthBearer => "oauthbearer",
        }
    }
}

/// What the token server gets for a token.
#[derive(Debug, Clone)]
pub enum OAuthGrant {
    /// A refresh token that a person's consent brought (RFC 6749 §6).
    RefreshToken {
        /// The application.
        client_id: String,
        /// The application's secret; public clients have none.
        client_secret: Option<SecretString>,
        /// The refresh token.
        refresh_token: SecretString,
    },
    /// An assertion that a service account's key signs (RFC 7523).
    ServiceAccount(ServiceAccount),
    /// The application's own login (RFC 6749 §4.4).
    ClientCredentials {
        /// The application.
        client_id: String,
        /// The application's secret.
        client_secret: SecretString,
    },
}

/// Google's scope for SMTP, IMAP and POP. Key files of service accounts are Google's.
const GOOGLE_SCOPE: &str = "https://mail.google.com/";

/// What `MAIL_AUTH` can be.
#[derive(Clone, Copy, PartialEq)]
enum Mechanism {
    Password,
    OAuth(OAuthMechanism),
}

/// `Some(None)`: `USE_CREDENTIALS` is false. Everything is read before the first `?`, so that every wrong value is found.
pub(super) fn read(source: &mut Source, by_smtp: bool) -> Option<Option<SmtpCredentials>> {
    let wanted = source.optional(&table::USE_CREDENTIALS, values::boolean);
    let mechanism = source.optional(&table::MAIL_AUTH, mechanism);
    let username = source.optional(&table::MAIL_USERNAME, values::text);
    let password = source.secret(&table::MAIL_PASSWORD, values::text);
    let variables = OAuthVariables::read(source);
    let (wanted, mechanism) = (wanted?, mechanism?);
    if !by_smtp {
        return Some(None);
    }
    match mechanism {
        Mechanism::Password => {
            let reason = "MAIL_AUTH is password: set MAIL_AUTH=xoauth2 or oauthbearer";
            source.warn_of_unused(&OF_TOKENS, reason);
            if !wanted {
                return Some(None);
            }
            let settings = [&table::USE_CREDENTIALS, &table::MAIL_USERNAME, &table::MAIL_PASSWORD];
            by_password(source, settings, username, password).map(Some)
        }
        Mechanism::OAuth(mechanism) => {
            let finding = format!("is set, and MAIL_AUTH is {}", mechanism.setting());
            if !wanted {
                let needed = "remove it, or remove MAIL_AUTH for a server that needs no login";
                source.refuse(&table::USE_CREDENTIALS, &finding.replace("is set", "is false"), needed);
            }
            if source.is_set(&table::MAIL_PASSWORD) {
                source.refuse(&table::MAIL_PASSWORD, &finding, "remove it, or set MAIL_AUTH=password");
            }
            source.require(&table::MAIL_USERNAME, "the mailbox that the access token is for is needed");
            let username = user_of_token(source, username);
            let settings = variables.settings(source, mechanism);
            Some(Some(SmtpCredentials { username: username?, auth: SmtpAuth::OAuth(Box::new(settings?)) }))
        }
    }
}

fn mechanism(text: &str) -> Result<Mechanism, String> {
    match text.to_ascii_lowercase().as_str() {
        "password" => Ok(Mechanism::Password),
        "xoauth2" => Ok(Mechanism::OAuth(OAuthMechanism::XOAuth2)),
        "oauthbearer" => Ok(Mechanism::OAuth(OAuthMechanism::OAuthBearer)),
        _ => Err("password, xoauth2 or oauthbearer is needed".into()),
    }
}

/// Control characters separate the fields of what the SMTP server gets (RFC 7628 §3.1).
fn user_of_token(source: &mut Source, username: Option<String>) -> Option<String> {
    let username = username?;
    if username.chars().any(char::is_control) {
        let needed = "the mailbox that the access token is for is needed";
        source.refuse(&table::MAIL_USERNAME, "has control characters", needed);
        return None;
    }
    Some(username)
}

/// What a login by password does not use.
static OF_TOKENS: [&Setting; 6] = [
    &table::MAIL_OAUTH_TOKEN_URL,
    &table::MAIL_OAUTH_CLIENT_ID,
    &table::MAIL_OAUTH_CLIENT_SECRET,
    &table::MAIL_OAUTH_REFRESH_TOKEN,
    &table::MAIL_OAUTH_SCOPE,
    &table::MAIL_OAUTH_SERVICE_ACCOUNT_FILE,
];

/// A login by password that is wanted. `settings`: whether it is, the name and the password.
pub(super) fn by_password(
    source: &mut Source,
    settings: [&Setting; 3],
    username: Option<String>,
    password: Option<SecretString>,
) -> Option<SmtpCredentials> {
    let [wanted, of_username, of_password] = settings;
    let needed =
        format!("{} is true, its default; set it to false for a server that needs no login", wanted.name());
    source.require(of_username, &needed);
    source.require(of_password, &needed);
    Some(SmtpCredentials { username: username?, auth: SmtpAuth::Password(password?) })
}

/// The settings of the token server, each for itself.
struct OAuthVariables {
    token_url: Option<String>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    refresh_token: Option<SecretString>,
    scope: Option<String>,
}

impl OAuthVariables {
    fn read(source: &mut Source) -> OAuthVariables {
        OAuthVariables {
            token_url: source.optional(&table::MAIL_OAUTH_TOKEN_URL, token_url),
            client_id: source.optional(&table::MAIL_OAUTH_CLIENT_ID, values::text),
            client_secret: source.secret(&table::MAIL_OAUTH_CLIENT_SECRET, values::text),
            refresh_token: source.secret(&table::MAIL_OAUTH_REFRESH_TOKEN, values::text),
            scope: source.optional(&table::MAIL_OAUTH_SCOPE, values::text),
        }
    }

    fn settings(self, source: &mut Source, mechanism: OAuthMechanism) -> Option<OAuthSettings> {
        if source.is_set(&table::MAIL_OAUTH_SERVICE_ACCOUNT_FILE) {
            return self.of_service_account(source, mechanism);
        }
        source.require(&table::MAIL_OAUTH_TOKEN_URL, "the URL where access tokens are fetched is needed");
        source.require(&table::MAIL_OAUTH_CLIENT_ID, "an access token needs a client, or a service account");
        if !source.is_set(&table::MAIL_OAUTH_REFRESH_TOKEN) {
            let needed = "a client without MAIL_OAUTH_REFRESH_TOKEN needs its secret";
            source.require(&table::MAIL_OAUTH_CLIENT_SECRET, needed);
        } else if self.refresh_token.is_none() {
            // Its file cannot be read, which is reported.
            return None;
        }
        let (client_id, client_secret) = (self.client_id?, self.client_secret);
        let grant = match self.refresh_token {
            Some(refresh_token) => OAuthGrant::RefreshToken { client_id, client_secret, refresh_token },
            None => OAuthGrant::ClientCredentials { client_id, client_secret: client_secret? },
        };
        Some(OAuthSettings { mechanism, token_url: self.token_url?, grant, scope: self.scope })
    }

    fn of_service_account(self, source: &mut Source, mechanism: OAuthMechanism) -> Option<OAuthSettings> {
        let of_client: [&Setting; 3] = [
            &table::MAIL_OAUTH_CLIENT_ID,
            &table::MAIL_OAUTH_CLIENT_SECRET,
            &table::MAIL_OAUTH_REFRESH_TOKEN,
        ];
        for setting in of_client.into_iter().filter(|setting| source.is_set(setting)).collect::<Vec<_>>() {
            let needed = "a service account needs no client: remove one of them";
            source.refuse(setting, "is set, and MAIL_OAUTH_SERVICE_ACCOUNT_FILE too", needed);
        }
        let account = source.optional(&table::MAIL_OAUTH_SERVICE_ACCOUNT_FILE, |path| {
            ServiceAccount::from_json(&read_text(path)?).map_err(|error| error.to_string())
        });
        let account = account?;
        let url_is_set = source.is_set(&table::MAIL_OAUTH_TOKEN_URL);
        let of_file = account.token_url().and_then(|url| token_url(url).ok());
        if !url_is_set && of_file.is_none() {
            let needed =
                "the key file names no https URL where access tokens are fetched: one is needed here";
            source.refuse(&table::MAIL_OAUTH_TOKEN_URL, "is not set", needed);
        }
        let token_url = if url_is_set { self.token_url? } else { of_file? };
        let scope = Some(self.scope.unwrap_or_else(|| GOOGLE_SCOPE.to_owned()));
        Some(OAuthSettings { mechanism, token_url, grant: OAuthGrant::ServiceAccount(account), scope })
    }
}

/// A login in the URL is refused, because errors show the URL.
fn token_url(text: &str) -> Result<String, String> {
    let is_good = |url: &Url| {
        values::is_by_tls_or_here(url)
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none()
    };
    let needed =
        "an https URL such as https://oauth2.googleapis.com/token is needed; http only for this machine";
    Ok(Url::parse(text).ok().filter(is_good).ok_or(needed)?.into())
}

//! The settings of an SMTP server. The first server and the fallback have the same ones, but for access tokens.

use std::net::IpAddr;

use super::mail_auth::{self, SmtpAuth, SmtpCredentials};
use super::source::Source;
use super::table::{self, Setting};
use super::values;

/// An SMTP server and how to connect to it.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// A host name or an IP address. With TLS the server's certificate must be for it.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// The encryption of the connection.
    pub security: Security,
    /// The login; `None` when `USE_CREDENTIALS` is false.
    pub credentials: Option<SmtpCredentials>,
    /// Whether the server's certificate must be valid.
    pub validate_certs: bool,
    /// The client's name in EHLO and HELO.
    pub helo_name: String,
}

impl SmtpSettings {
    /// A server without login whose certificate must be valid.
    pub fn new(host: impl Into<String>, port: u16, security: Security) -> SmtpSettings {
        let (host, helo_name) = (host.into(), "localhost".to_owned());
        SmtpSettings { host, port, security, credentials: None, validate_certs: true, helo_name }
    }
}

/// The encryption of a connection to the SMTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// No encryption.
    Plain,
    /// By STARTTLS (RFC 3207), required: a server that does not offer it gets neither login nor mail.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    ImplicitTls,
}

/// The settings of one server.
pub(super) struct ServerTable {
    host: &'static Setting,
    port: &'static Setting,
    starttls: &'static Setting,
    ssl_tls: &'static Setting,
    use_credentials: &'static Setting,
    validate_certs: &'static Setting,
    username: &'static Setting,
    password: &'static Setting,
}

pub(super) static FIRST: ServerTable = ServerTable {
    host: &table::MAIL_SERVER,
    port: &table::MAIL_PORT,
    starttls: &table::MAIL_STARTTLS,
    ssl_tls: &table::MAIL_SSL_TLS,
    use_credentials: &table::USE_CREDENTIALS,
    validate_certs: &table::VALIDATE_CERTS,
    username: &table::MAIL_USERNAME,
    password: &table::MAIL_PASSWORD,
};

pub(super) static FALLBACK: ServerTable = ServerTable {
    host: &table::MAIL_FALLBACK_SERVER,
    port: &table::MAIL_FALLBACK_PORT,
    starttls: &table::MAIL_FALLBACK_STARTTLS,
    ssl_tls: &table::MAIL_FALLBACK_SSL_TLS,
    use_credentials: &table::MAIL_FALLBACK_USE_CREDENTIALS,
    validate_certs: &table::MAIL_FALLBACK_VALIDATE_CERTS,
    username: &table::MAIL_FALLBACK_USERNAME,
    password: &table::MAIL_FALLBACK_PASSWORD,
};

impl ServerTable {
    pub(super) fn all(&self) -> [&'static Setting; 8] {
        [
            self.host,
            self.port,
            self.starttls,
            self.ssl_tls,
            self.use_credentials,
            self.validate_certs,
            self.username,
            self.password,
        ]
    }
}

/// `None` when no server is set, or one of its settings is wrong (reported).
pub(super) fn server(
    source: &mut Source,
    names: &ServerTable,
    helo_name: Option<String>,
    login: impl FnOnce(&mut Source) -> Option<Option<SmtpCredentials>>,
) -> Option<SmtpSettings> {
    let host = source.optional(names.host, values::host);
    let port = source.optional(names.port, values::port);
    let security = security(source, names);
    let credentials = login(source);
    let validate_certs = source.optional(names.validate_certs, values::boolean);
    Some(SmtpSettings {
        host: host?,
        port: port?,
        security: security?,
        credentials: credentials?,
        validate_certs: validate_certs?,
        helo_name: helo_name?,
    })
}

fn security(source: &mut Source, names: &ServerTable) -> Option<Security> {
    let implicit = source.optional(names.ssl_tls, values::boolean);
    let starttls_given = source.is_set(names.starttls);
    let starttls = source.optional(names.starttls, values::boolean);
    match (implicit?, starttls) {
        (true, Some(true)) => {
            let name = names.starttls.name();
            let needed = format!(
                "a connection has one kind of encryption: set one of them to false (port 465: {name})"
            );
            source.refuse(names.starttls, &format!("is true, and {} too", names.ssl_tls.name()), needed);
            None
        }
        (true, _) => Some(Security::ImplicitTls),
        (false, Some(true)) => Some(Security::StartTls),
        (false, Some(false)) => Some(Security::Plain),
        // Not set means true; a wrong value is already reported.
        (false, None) => (!starttls_given).then_some(Security::StartTls),
    }
}

/// The login at the fallback, which is always a password. `Some(None)`: none is wanted.
pub(super) fn password_login(
    source: &mut Source,
    names: &ServerTable,
    is_used: bool,
) -> Option<Option<SmtpCredentials>> {
    let wanted = source.optional(names.use_credentials, values::boolean);
    let username = source.optional(names.username, values::text);
    let password = source.secret(names.password, values::text);
    if !wanted? || !is_used {
        return Some(None);
    }
    let settings = [names.use_credentials, names.username, names.password];
    mail_auth::by_password(source, settings, username, password).map(Some)
}

/// Replaces the names of the first server's settings in a text by those of the fallback.
pub fn with_names_of_fallback(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, of_fallback) in FIRST.all().into_iter().zip(FALLBACK.all()) {
        text = text.replace(name.name(), of_fallback.name());
    }
    text
}

/// What an attacker on the network to the mail server can read, in words for the operator.
pub(super) fn risks(server: &SmtpSettings) -> Vec<&'static str> {
    let mut risks = Vec::new();
    if server.security == Security::Plain {
        risks.extend(server.credentials.as_ref().map(|credentials| match credentials.auth {
            SmtpAuth::Password(_) => {
                "MAIL_USERNAME and MAIL_PASSWORD are sent without encryption: set MAIL_STARTTLS=true, or MAIL_SSL_TLS=true \
                 with port 465, or USE_CREDENTIALS=false"
            }
            SmtpAuth::OAuth(_) => {
                "MAIL_USERNAME and access tokens are sent without encryption: set MAIL_STARTTLS=true, or MAIL_SSL_TLS=true \
                 with port 465"
            }
        }));
        if !is_near(&server.host) {
            risks.push(
                "emails and the links in them are sent without encryption to MAIL_SERVER, which is not on a private network: \
                 set MAIL_STARTTLS=true with port 587, or MAIL_SSL_TLS=true with port 465",
            );
        }
    }
    if server.security != Security::Plain && !server.validate_certs {
        risks.push(
            "VALIDATE_CERTS is false: an attacker on the network can read emails and the login at the mail server; \
             SSL_CERT_FILE adds the certificate of an authority of your own",
        );
    }
    risks
}

/// Whether a host is this machine or on a private network (RFC 1918, RFC 4193, link-local addresses). A name without a dot
/// is known there only, as the names of containers are.
fn is_near(host: &str) -> bool {
    match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => !host.trim_end_matches('.').contains('.'),
    }
}

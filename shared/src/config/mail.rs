//! The sender of emails and the transport: an SMTP server, or files.

use lettre::Address;
use secrecy::SecretString;

use super::mail_auth::{self, SmtpAuth, SmtpCredentials};
use super::source::Source;
use super::table::{self, Setting};
use super::{PublicUrl, helo, values};
use crate::domain::{EmailAddress, EmailAddressError, is_visible};

/// The settings about emails.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The sender's address, in ASCII.
    pub from: Address,
    /// The sender's display name, free of control characters (they make lettre's builder panic).
    pub from_name: String,
    /// The address that bounces are sent to, without the part that names an email; `None`: to `from`.
    pub bounce_address: Option<Address>,
    /// How emails are sent.
    pub transport: MailTransport,
    /// The second SMTP server, for times when the first one cannot be used.
    pub fallback: Option<SmtpSettings>,
}

impl MailSettings {
    /// The passwords for the mail servers, which no text from outside may show.
    pub fn passwords(&self) -> impl Iterator<Item = &SecretString> {
        let first = match &self.transport {
            MailTransport::Smtp(server) => Some(server),
            MailTransport::File => None,
        };
        let logins = first.into_iter().chain(&self.fallback).filter_map(|server| server.credentials.as_ref());
        logins.filter_map(|login| match &login.auth {
            SmtpAuth::Password(password) => Some(password),
            // The mail server knows access tokens alone, and these are found by their form.
            SmtpAuth::OAuth(_) => None,
        })
    }
}

/// How emails are sent.
#[derive(Debug, Clone)]
pub enum MailTransport {
    /// `.eml` files under `DATA_DIR/mail`, shown at `/inbox`.
    File,
    /// An SMTP server.
    Smtp(SmtpSettings),
}

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

/// The sender where emails are only written to files. Nothing can be delivered to this name (RFC 6761).
const LOCAL_SENDER: &str = "noreply@localhost.localdomain";

/// The sender's name where neither `MAIL_FROM_NAME` nor `APP_NAME` is set.
const DEFAULT_NAME: &str = "Bookly";

#[derive(Clone, Copy, PartialEq)]
enum TransportKind {
    File,
    Smtp,
}

pub(super) fn read(
    source: &mut Source,
    public_url: Option<&PublicUrl>,
    app_name: Option<&str>,
) -> Option<MailSettings> {
    let kind = transport_kind(source);
    if kind == Some(TransportKind::Smtp) {
        // Links in emails that leave this machine need the public host, which has no good default.
        source.require(&table::DOMAIN, "links in emails need the host where users reach the service");
    }
    // Everything is read before the first `?`, so that every wrong value is found.
    let from = from(source, kind);
    let from_name = if source.is_set(&table::MAIL_FROM_NAME) {
        source.optional(&table::MAIL_FROM_NAME, display_name)
    } else {
        Some(app_name.unwrap_or(DEFAULT_NAME).to_owned())
    };
    let bounce_address = source.optional(&table::MAIL_BOUNCE_ADDRESS, bounce_address);
    let helo_name = helo_name(source, helo::default(public_url, from.as_ref()));
    let by_smtp = kind == Some(TransportKind::Smtp);
    let first = server(source, &FIRST, helo_name.clone(), |source| mail_auth::read(source, by_smtp));
    let has_fallback = has_fallback(source, kind);
    let fallback =
        server(source, &FALLBACK, helo_name, |source| password_login(source, &FALLBACK, has_fallback));
    let transport = match kind? {
        TransportKind::File => MailTransport::File,
        TransportKind::Smtp => {
            let server = first?;
            risks(&server).into_iter().for_each(|risk| source.warn(risk));
            MailTransport::Smtp(server)
        }
    };
    let fallback = if has_fallback {
        let fallback = fallback?;
        if let MailTransport::Smtp(first) = &transport
            && first.host.eq_ignore_ascii_case(&fallback.host)
            && first.port == fallback.port
        {
            source.warn(
                "MAIL_FALLBACK_SERVER is the same server as MAIL_SERVER: when one cannot be used, neither can the other",
            );
        }
        risks(&fallback).into_iter().for_each(|risk| source.warn(with_names_of_fallback(risk)));
        Some(fallback)
    } else {
        warn_of_unused(source);
        None
    };
    Some(MailSettings { from: from?, from_name: from_name?, bounce_address, transport, fallback })
}

/// Whether a second server is set and can ever be used.
fn has_fallback(source: &mut Source, kind: Option<TransportKind>) -> bool {
    let is_set = source.is_set(&table::MAIL_FALLBACK_SERVER);
    if is_set && !source.is_set(&table::MAIL_SERVER) {
        let needed = "it is used while the server of MAIL_SERVER cannot be; set that, too";
        source.refuse(&table::MAIL_FALLBACK_SERVER, "is set, and MAIL_SERVER is not", needed);
    }
    is_set && kind == Some(TransportKind::Smtp)
}

/// Settings of a second server that is not used.
fn warn_of_unused(source: &mut Source) {
    let reason = if source.is_set(&table::MAIL_FALLBACK_SERVER) {
        "emails are written to files"
    } else {
        "MAIL_FALLBACK_SERVER is not set"
    };
    source.warn_of_unused(&FALLBACK.all(), reason);
}

/// A text about the first server's settings, about those of the fallback.
pub fn with_names_of_fallback(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, of_fallback) in FIRST.all().into_iter().zip(FALLBACK.all()) {
        text = text.replace(name.name(), of_fallback.name());
    }
    text
}

/// What an attacker on the network to the mail server can read, in words for the operator.
fn risks(server: &SmtpSettings) -> Vec<&'static str> {
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
    }
    if server.security != Security::Plain && !server.validate_certs {
        risks.push(
            "VALIDATE_CERTS is false: an attacker on the network can read emails and the login at the mail server; \
             SSL_CERT_FILE adds the certificate of an authority of your own",
        );
    }
    risks
}

fn transport_kind(source: &mut Source) -> Option<TransportKind> {
    if source.is_set(&table::MAIL_TRANSPORT) {
        let kind = source.optional(&table::MAIL_TRANSPORT, parse_kind);
        if kind == Some(TransportKind::Smtp) {
            source.require(&table::MAIL_SERVER, "MAIL_TRANSPORT is smtp, which needs the SMTP server's host");
        }
        return kind;
    }
    if source.is_set(&table::MAIL_SERVER) {
        return Some(TransportKind::Smtp);
    }
    if source.is_set(&table::DATABASE_URL) {
        let needed = "with DATABASE_URL the SMTP server's host is needed, or MAIL_TRANSPORT=file to write emails to files";
        source.require(&table::MAIL_SERVER, needed);
        return None;
    }
    Some(TransportKind::File)
}

fn parse_kind(text: &str) -> Result<TransportKind, String> {
    match text.to_ascii_lowercase().as_str() {
        "file" => Ok(TransportKind::File),
        "smtp" => Ok(TransportKind::Smtp),
        _ => Err("smtp or file is needed".into()),
    }
}

fn from(source: &mut Source, kind: Option<TransportKind>) -> Option<Address> {
    if kind == Some(TransportKind::Smtp) {
        source.require(&table::MAIL_FROM, "the address of the sender is needed");
    }
    if source.is_set(&table::MAIL_FROM) {
        source.optional(&table::MAIL_FROM, sender)
    } else {
        sender(LOCAL_SENDER).ok()
    }
}

/// The same parser as for recipients, so that an email can be built with it; only a domain without a dot is allowed here
/// too, for a mail server on the same network.
fn sender(text: &str) -> Result<Address, String> {
    let needed =
        |error: EmailAddressError| format!("an address such as noreply@example.org is needed: it {error}");
    match EmailAddress::parse(text) {
        Ok(address) => Ok(address.to_lettre()),
        Err(EmailAddressError::NoDot) => {
            let address = text.trim().parse().ok().filter(|address: &Address| {
                let address: &str = address.as_ref();
                address.is_ascii()
            });
            address.ok_or_else(|| needed(EmailAddressError::NoDot))
        }
        Err(error) => Err(needed(error)),
    }
}

/// The longest name before the `@` of `MAIL_BOUNCE_ADDRESS`: with `+`, the row's id and the signature a local part has 64
/// octets at most (RFC 5321, section 4.5.3.1.1).
pub const LONGEST_BOUNCE_NAME: usize = 20;

fn bounce_address(text: &str) -> Result<Address, String> {
    let address = sender(text)?;
    if address.user().len() > LONGEST_BOUNCE_NAME {
        let needed =
            format!("at most {LONGEST_BOUNCE_NAME} characters before the @ are needed: 44 are added to them");
        return Err(needed);
    }
    Ok(address)
}

fn display_name(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) || !is_visible(text) {
        return Err("a name that can be seen, without line breaks and control characters, is needed".into());
    }
    Ok(text.to_owned())
}

/// The settings of one server.
struct ServerTable {
    host: &'static Setting,
    port: &'static Setting,
    starttls: &'static Setting,
    ssl_tls: &'static Setting,
    use_credentials: &'static Setting,
    validate_certs: &'static Setting,
    username: &'static Setting,
    password: &'static Setting,
}

static FIRST: ServerTable = ServerTable {
    host: &table::MAIL_SERVER,
    port: &table::MAIL_PORT,
    starttls: &table::MAIL_STARTTLS,
    ssl_tls: &table::MAIL_SSL_TLS,
    use_credentials: &table::USE_CREDENTIALS,
    validate_certs: &table::VALIDATE_CERTS,
    username: &table::MAIL_USERNAME,
    password: &table::MAIL_PASSWORD,
};

static FALLBACK: ServerTable = ServerTable {
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
    fn all(&self) -> [&'static Setting; 8] {
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

fn helo_name(source: &mut Source, default: Option<String>) -> Option<String> {
    if source.is_set(&table::MAIL_HELO_NAME) {
        source.optional(&table::MAIL_HELO_NAME, helo::parse)
    } else {
        default
    }
}

/// `None` when no server is set, or one of its settings is wrong (reported).
fn server(
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
fn password_login(
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

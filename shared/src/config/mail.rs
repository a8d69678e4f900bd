//! Who mails come from and what takes them away: an SMTP server, or files.

use lettre::Address;
use secrecy::SecretString;

use super::source::Source;
use super::{table, values};

/// How mails leave.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The sender's address; `lettre::Address` accepts it.
    pub from: String,
    /// The sender's display name, free of control characters (they make lettre's builder panic).
    pub from_name: String,
    /// What takes mails away.
    pub transport: MailTransport,
}

/// What takes mails away.
#[derive(Debug, Clone)]
pub enum MailTransport {
    /// `.eml` files under `DATA_DIR/mail`, shown at `/inbox`.
    File,
    /// An SMTP server.
    Smtp(SmtpServer),
}

/// An SMTP server and how to speak to it.
#[derive(Debug, Clone)]
pub struct SmtpServer {
    /// A host name or an IP address.
    pub host: String,
    /// The port, never 0.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// What to log in with; `None` when `USE_CREDENTIALS` is false.
    pub credentials: Option<Credentials>,
    /// Whether the server's certificate must be valid.
    pub validate_certs: bool,
}

/// How a connection to the SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By `STARTTLS`, which must succeed (RFC 3207).
    StartTls,
    /// From the first byte (RFC 8314).
    ImplicitTls,
}

/// What to log in to the SMTP server with.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: SecretString,
}

/// Sender of mails that are only written to files; a name that can never be delivered to (RFC 6761).
const LOCAL_SENDER: &str = "bookly@localhost.localdomain";

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Smtp,
}

pub(super) fn read(source: &mut Source) -> Option<MailSettings> {
    let kind = kind(source);
    if kind == Some(Kind::Smtp) {
        // Links in mails that are really sent must lead back here, so their beginning cannot be guessed.
        source.require(&table::DOMAIN, "links in mails need the host where people reach the service");
    }
    // Everything is read before the first `?`, so that every wrong value is found.
    let from = from(source, kind);
    let from_name = source.optional(&table::MAIL_FROM_NAME, display_name);
    let server = server(source, kind);
    let transport = match kind? {
        Kind::File => MailTransport::File,
        Kind::Smtp => MailTransport::Smtp(server?),
    };
    Some(MailSettings { from: from?, from_name: from_name?, transport })
}

fn kind(source: &mut Source) -> Option<Kind> {
    if source.is_set(&table::MAIL_TRANSPORT) {
        let kind = source.optional(&table::MAIL_TRANSPORT, parse_kind);
        if kind == Some(Kind::Smtp) {
            source.require(&table::MAIL_SERVER, "MAIL_TRANSPORT is smtp, which needs the SMTP server's host");
        }
        return kind;
    }
    if source.is_set(&table::MAIL_SERVER) {
        return Some(Kind::Smtp);
    }
    if source.is_set(&table::DATABASE_URL) {
        let needed = "with DATABASE_URL the SMTP server's host is needed, or MAIL_TRANSPORT=file to write mails to files";
        source.require(&table::MAIL_SERVER, needed);
        return None;
    }
    Some(Kind::File)
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    match text.to_ascii_lowercase().as_str() {
        "file" => Ok(Kind::File),
        "smtp" => Ok(Kind::Smtp),
        _ => Err("smtp or file is needed".into()),
    }
}

fn from(source: &mut Source, kind: Option<Kind>) -> Option<String> {
    if kind == Some(Kind::Smtp) {
        source.require(&table::MAIL_FROM, "the address that mails come from is needed");
    }
    if source.is_set(&table::MAIL_FROM) {
        source.optional(&table::MAIL_FROM, address)
    } else {
        Some(LOCAL_SENDER.to_owned())
    }
}

fn address(text: &str) -> Result<String, String> {
    let address: Address = text.parse().map_err(|_| "an address such as bookly@example.org is needed")?;
    Ok(address.to_string())
}

fn display_name(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a name without line breaks and control characters is needed".into());
    }
    Ok(text.to_owned())
}

/// `None` when there is no server, or something of it is wrong (noted).
fn server(source: &mut Source, kind: Option<Kind>) -> Option<SmtpServer> {
    let host = source.optional(&table::MAIL_SERVER, values::host);
    let port = source.optional(&table::MAIL_PORT, values::port);
    let security = security(source);
    let credentials = credentials(source, kind);
    let validate_certs = source.optional(&table::VALIDATE_CERTS, values::boolean);
    Some(SmtpServer {
        host: host?,
        port: port?,
        security: security?,
        credentials: credentials?,
        validate_certs: validate_certs?,
    })
}

fn security(source: &mut Source) -> Option<Security> {
    let implicit = source.optional(&table::MAIL_SSL_TLS, values::boolean);
    let starttls_given = source.is_set(&table::MAIL_STARTTLS);
    let starttls = source.optional(&table::MAIL_STARTTLS, values::boolean);
    match (implicit?, starttls) {
        (true, Some(true)) => {
            let needed =
                "a connection is encrypted in one way: set one of them to false (port 465: MAIL_STARTTLS)";
            source.refuse(&table::MAIL_STARTTLS, "is true, and MAIL_SSL_TLS too", needed);
            None
        }
        (true, _) => Some(Security::ImplicitTls),
        (false, Some(true)) => Some(Security::StartTls),
        (false, Some(false)) => Some(Security::Plain),
        // Not set means true; set and wrong is noted already.
        (false, None) => (!starttls_given).then_some(Security::StartTls),
    }
}

/// `Some(None)`: none are wanted.
fn credentials(source: &mut Source, kind: Option<Kind>) -> Option<Option<Credentials>> {
    let wanted = source.optional(&table::USE_CREDENTIALS, values::boolean);
    let username = source.optional(&table::MAIL_USERNAME, |text| Ok(text.to_owned()));
    let password = source.secret(&table::MAIL_PASSWORD, |text| Ok(text.to_owned()));
    if !wanted? {
        return Some(None);
    }
    if kind == Some(Kind::Smtp) {
        let needed = "USE_CREDENTIALS is true, its default; set it to false for a server that wants no login";
        source.require(&table::MAIL_USERNAME, needed);
        source.require(&table::MAIL_PASSWORD, needed);
    }
    Some(Some(Credentials { username: username?, password: password? }))
}

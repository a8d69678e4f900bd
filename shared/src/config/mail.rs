//! The sender of emails and the transport: an SMTP server, or files.

use lettre::Address;
use secrecy::SecretString;

use super::mail_auth::{self, SmtpAuth};
use super::mail_server::{
    FALLBACK, FIRST, SmtpSettings, password_login, risks, server, with_names_of_fallback,
};
use super::source::Source;
use super::{PublicUrl, helo, table};
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
    /// The fallback: the second SMTP server, for times when the first one cannot be used.
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
            // Access tokens are not settings. They are found by their form.
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
    let own_name = || Some(app_name.unwrap_or(DEFAULT_NAME).to_owned());
    let from_name = source.optional_or(&table::MAIL_FROM_NAME, display_name, own_name);
    let bounce_address = source.optional(&table::MAIL_BOUNCE_ADDRESS, bounce_address);
    let own_host = || helo::default(public_url, from.as_ref());
    let helo_name = source.optional_or(&table::MAIL_HELO_NAME, helo::parse, own_host);
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

/// Whether a fallback is set and can ever be used.
fn has_fallback(source: &mut Source, kind: Option<TransportKind>) -> bool {
    let is_set = source.is_set(&table::MAIL_FALLBACK_SERVER);
    if is_set && !source.is_set(&table::MAIL_SERVER) {
        let needed = "it is used while the server of MAIL_SERVER cannot be; set that, too";
        source.refuse(&table::MAIL_FALLBACK_SERVER, "is set, and MAIL_SERVER is not", needed);
    }
    is_set && kind == Some(TransportKind::Smtp)
}

/// Settings of a fallback that is not used.
fn warn_of_unused(source: &mut Source) {
    let reason = if source.is_set(&table::MAIL_FALLBACK_SERVER) {
        "emails are written to files"
    } else {
        "MAIL_FALLBACK_SERVER is not set"
    };
    source.warn_of_unused(&FALLBACK.all(), reason);
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
    source.optional_or(&table::MAIL_FROM, sender, || sender(LOCAL_SENDER).ok())
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

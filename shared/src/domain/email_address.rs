//! An e-mail address that can be mailed, compared and shown.

use std::fmt;
use std::net::IpAddr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::text::{is_control, is_invisible};

/// The longest address, in bytes of UTF-8 (RFC 5321 §4.5.3.1.3 less the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;
/// The longest part before the `@`, in bytes of UTF-8 (RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_PART_BYTES: usize = 64;

/// An address that a mail can be sent to.
///
/// One policy for every address of the service, typed by whomever: `local@domain`, at most
/// [`MAX_ADDRESS_BYTES`], where
///
/// - the local part is a dot-atom of ASCII (RFC 5321 §4.1.2), at most [`MAX_LOCAL_PART_BYTES`], kept as typed: no
///   quoted strings, no comments, no folding white space, no obsolete forms (RFC 5322 §4.4), and no letters beyond
///   ASCII, which need SMTPUTF8 on the whole way (RFC 6531);
/// - the domain is a host name with a dot, kept in lower-case ASCII: a name in other scripts goes through UTS #46
///   to punycode. No IP addresses, no top-level domain of digits alone, no dot at the end;
/// - whether anybody receives mail there is not asked: the mail itself finds out.
///
/// Blanks around it are dropped. Nothing else is: control, invisible and direction-changing characters are
/// refused wherever they stand. What is refused of what the RFCs allow is refused because it is in nobody's use and
/// read differently by different software: `shared/tests/addresses.rs` lists all of it, with the reasons.
///
/// Two spellings of one mailbox (`Ann@Example.org`, `ann@example.org`) are different values; compare
/// [`canonical`](Self::canonical) for "the same account". Since two mailboxes of an unusual server can share
/// a canonical form, mail goes to the address that an account stores, never to the spelling that a caller
/// looked the account up by.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    address: lettre::Address,
    canonical: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum EmailAddressError {
    /// Nothing but blanks.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`MAX_ADDRESS_BYTES`].
    #[error("must have at most 254 bytes")]
    TooLong,
    /// No `@`, or nothing on one side of it.
    #[error("must look like name@example.org")]
    MissingParts,
    /// Longer than [`MAX_LOCAL_PART_BYTES`].
    #[error("must have at most 64 bytes before the @")]
    LocalPartTooLong,
    /// White space, control, invisible or direction-changing characters.
    #[error("must not contain spaces, control characters or invisible characters")]
    ForbiddenCharacter,
    /// `"john doe"@example.org`: legal, in nobody's use, and a trap for everything that splits at the `@`.
    #[error("must not have quotation marks before the @")]
    Quoted,
    /// `zoë@example.org`: deliverable only where every server on the way speaks SMTPUTF8 (RFC 6531).
    #[error(
        "must have only plain letters, digits and punctuation before the @: mail to others is seldom delivered"
    )]
    NotAsciiLocalPart,
    /// Dots in the wrong place, or a character that needs quotation marks.
    #[error("has characters before the @ that an address cannot have there")]
    InvalidLocalPart,
    /// `user@[192.0.2.1]` or `user@192.0.2.1`.
    #[error("must have a domain name after the @, not an IP address")]
    IpLiteral,
    /// `user@localhost`.
    #[error("must have a domain with a dot, like example.org")]
    NoDot,
    /// Not a host name that can stand in the DNS.
    #[error("must have a valid domain name after the @")]
    InvalidDomain,
}

impl EmailAddress {
    /// Reads an address, without the blanks around it. A line break or tab there is refused like anywhere else.
    ///
    /// # Errors
    /// Whatever makes it an address that this service would not mail: see [`EmailAddressError`].
    pub fn parse(text: &str) -> Result<EmailAddress, EmailAddressError> {
        if text.chars().any(is_control) {
            return Err(EmailAddressError::ForbiddenCharacter);
        }
        let text = text.trim();
        if text.is_empty() {
            return Err(EmailAddressError::Empty);
        }
        if text.len() > MAX_ADDRESS_BYTES {
            return Err(EmailAddressError::TooLong);
        }
        if text.chars().any(is_forbidden) {
            return Err(EmailAddressError::ForbiddenCharacter);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(EmailAddressError::MissingParts)?;
        check_local_part(local)?;
        let domain = ascii_domain(domain)?;
        if local.len() + 1 + domain.len() > MAX_ADDRESS_BYTES {
            return Err(EmailAddressError::TooLong);
        }
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        let address =
            lettre::Address::new(local, &domain).map_err(|_| EmailAddressError::InvalidLocalPart)?;
        Ok(EmailAddress { address, canonical })
    }

    /// What is mailed: the local part as typed, the domain in lower-case ASCII (punycode).
    pub fn as_str(&self) -> &str {
        self.address.as_ref()
    }

    /// What makes an account unique: the address in lower case. `ann+books@` stays an address of its own.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// For logs and notices: `a***e@example.org`.
    pub fn masked(&self) -> String {
        let local: Vec<char> = self.address.user().chars().collect();
        let first = local.first().copied().unwrap_or('*');
        // With three characters or fewer, the last one would leave next to nothing hidden.
        let last = local.last().filter(|_| local.len() > 3).map(char::to_string).unwrap_or_default();
        format!("{first}***{last}@{}", self.address.domain())
    }

    /// The same address for the mail builder.
    pub fn to_lettre(&self) -> lettre::Address {
        self.address.clone()
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_whitespace() || is_control(c) || is_invisible(c)
}

fn check_local_part(local: &str) -> Result<(), EmailAddressError> {
    if local.is_empty() {
        return Err(EmailAddressError::MissingParts);
    }
    if local.len() > MAX_LOCAL_PART_BYTES {
        return Err(EmailAddressError::LocalPartTooLong);
    }
    if local.contains('"') {
        return Err(EmailAddressError::Quoted);
    }
    if !local.is_ascii() {
        return Err(EmailAddressError::NotAsciiLocalPart);
    }
    // lettre's own check is not public; it comes with an address around the local part.
    lettre::Address::new(local, "example.org").map_err(|_| EmailAddressError::InvalidLocalPart)?;
    Ok(())
}

fn ascii_domain(domain: &str) -> Result<String, EmailAddressError> {
    if domain.is_empty() {
        return Err(EmailAddressError::MissingParts);
    }
    if domain.starts_with('[') || domain.parse::<IpAddr>().is_ok() {
        return Err(EmailAddressError::IpLiteral);
    }
    let ascii = Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Verify)
        .map_err(|_| EmailAddressError::InvalidDomain)?;
    let (_, top) = ascii.rsplit_once('.').ok_or(EmailAddressError::NoDot)?;
    // Whatever ends in a number is read as an IPv4 address by somebody (WHATWG URL, "ends in a number").
    if top.bytes().all(|b| b.is_ascii_digit()) {
        return Err(EmailAddressError::IpLiteral);
    }
    Ok(ascii.into_owned())
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmailAddress({})", self.masked())
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = EmailAddressError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        EmailAddress::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(email: EmailAddress) -> String {
        email.as_str().to_owned()
    }
}

impl std::str::FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        EmailAddress::parse(text)
    }
}

#[cfg(test)]
mod tests;

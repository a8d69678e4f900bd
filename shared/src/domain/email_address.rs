//! An e-mail address that can be mailed, compared and shown.

use std::fmt;
use std::net::IpAddr;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use serde::{Deserialize, Serialize};
use strum::{EnumCount, VariantArray};
use thiserror::Error;

use super::text::{is_control, is_invisible};

/// The longest address, in bytes of UTF-8 (RFC 5321 §4.5.3.1.3 less the angle brackets).
pub const MAX_ADDRESS_BYTES: usize = 254;
/// The longest part before the `@`, in bytes of UTF-8 (RFC 5321 §4.5.3.1.1).
pub const MAX_LOCAL_PART_BYTES: usize = 64;

/// An address that a mail can be sent to.
///
/// One policy holds for every address of the service: `local@domain`, at most
/// [`MAX_ADDRESS_BYTES`], where
///
/// - the local part is a dot-atom of ASCII (RFC 5321 §4.1.2), at most [`MAX_LOCAL_PART_BYTES`], kept as typed: no
///   quoted strings, no comments, no folding white space, no obsolete forms (RFC 5322 §4.4), and no letters beyond
///   ASCII, which need SMTPUTF8 on the whole way (RFC 6531);
/// - the domain is a host name with a dot, kept in lower-case ASCII: a name in other scripts goes through UTS #46
///   to punycode. No IP addresses, no top-level domain of digits alone, no dot at the end;
/// - whether the mailbox exists is not checked: the email itself shows it.
///
/// Spaces around it are dropped. Control, invisible and direction-changing characters are refused everywhere. Some forms
/// that the RFCs allow are refused, because they are not in use and programs read them differently:
/// `shared/tests/addresses.rs` lists them with the reasons.
///
/// Two spellings of one mailbox (`Ann@Example.org`, `ann@example.org`) are different values with the same
/// [`canonical`](Self::canonical) form. Two mailboxes of an unusual server can share a canonical form, so emails go to
/// the address that an account stores, never to the spelling of a request.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    address: lettre::Address,
    canonical: String,
}

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error, EnumCount, VariantArray)]
pub enum EmailAddressError {
    /// Only spaces.
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
    /// `"john doe"@example.org`: legal, not in use, and read wrongly by programs that split at the first `@`.
    #[error("must not have quotation marks before the @")]
    Quoted,
    /// `zoë@example.org`: every server on the way needs SMTPUTF8 (RFC 6531).
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
    /// Not a host name of the DNS.
    #[error("must have a valid domain name after the @")]
    InvalidDomain,
}

impl EmailAddressError {
    /// All of them.
    pub const ALL: [Self; Self::COUNT] = super::variants::all(Self::VARIANTS);
}

impl EmailAddress {
    /// Reads an address, without the spaces around it. Line breaks and tabs are refused there, too.
    ///
    /// # Errors
    /// [`EmailAddressError`] for an address that the policy refuses.
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

    /// The address for emails: the local part as typed, the domain in lower-case ASCII (punycode).
    pub fn as_str(&self) -> &str {
        self.address.as_ref()
    }

    /// The address in lower case, which is unique among accounts. `ann+books@` is an address of its own.
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// The canonical form without the `+` and what follows it: many servers deliver all of these to one mailbox.
    pub fn base_mailbox(&self) -> String {
        match self.canonical.rsplit_once('@') {
            Some((local, domain)) => match local.split_once('+') {
                Some((base, _)) if !base.is_empty() => format!("{base}@{domain}"),
                _ => self.canonical.clone(),
            },
            None => self.canonical.clone(),
        }
    }

    /// For logs and notices: `a***e@example.org`.
    pub fn masked(&self) -> String {
        let local: Vec<char> = self.address.user().chars().collect();
        let first = local.first().copied().unwrap_or('*');
        // With three characters or fewer, the last one would hide almost nothing.
        let last = local.last().filter(|_| local.len() > 3).map(char::to_string).unwrap_or_default();
        format!("{first}***{last}@{}", self.address.domain())
    }

    /// The address for the message builder.
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
    // lettre's check of a local part is not public, so it gets a whole address.
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
    // Browsers read a host that ends in a number as an IPv4 address (WHATWG URL, "ends in a number").
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

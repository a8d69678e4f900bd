//! Where the links in emails lead, and where people go on after the built-in pages. Only the operator sets them: no
//! request can send a token to another place.

use url::{Position, Url};

use super::source::Source;
use super::table::{self, Setting};
use super::{PublicUrl, values};
use crate::links::LinkTemplate;

/// Where a token stands in a template.
const PLACEHOLDER: &str = "{token}";
/// The longest URL of a setting, in bytes: with its token it stays below what browsers and mail clients open.
const LONGEST: usize = 500;
/// The path of the built-in pages.
const AUTH: &str = "/api/v1/auth";
/// What stands before the token that unsubscribes.
pub const UNSUBSCRIBE: &str = "/api/v1/unsubscribe/";

/// The URLs of a frontend. What is not set leads to the built-in pages.
#[derive(Debug, Clone, Default)]
pub struct LinkSettings {
    verify: Option<LinkTemplate>,
    password_reset: Option<LinkTemplate>,
    email_change: Option<LinkTemplate>,
    email_change_undo: Option<LinkTemplate>,
    password_reset_request: Option<String>,
    /// Where the built-in page leads after an account is verified.
    pub after_verify: Option<String>,
    /// Where the built-in page leads after a password is reset.
    pub after_reset: Option<String>,
}

/// The links of every kind of email.
#[derive(Debug, Clone)]
pub struct LinkTemplates {
    /// Proves the address of an account.
    pub verify: LinkTemplate,
    /// Leads to the form for a new password.
    pub password_reset: LinkTemplate,
    /// Proves a new address.
    pub email_change: LinkTemplate,
    /// Restores the address before a change.
    pub email_change_undo: LinkTemplate,
    /// Where people ask for a link to a new password; has no token.
    pub password_reset_request: String,
    /// Ends the `welcome` emails to an address. `None` where people do not come by https: mail programs follow no other link
    /// (RFC 8058 §3.1).
    pub unsubscribe: Option<LinkTemplate>,
}

/// A URL of a setting, for what the operator should know about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPlace {
    /// The setting's name.
    pub setting: &'static str,
    /// Scheme, host and port: as a browser names the page's origin.
    pub origin: String,
    /// Whether only this machine reaches it.
    pub is_this_machine: bool,
    /// Whether a page stands there that calls the API.
    pub calls_api: bool,
}

impl LinkSettings {
    /// The links of every kind, with the built-in pages of `public_url` where nothing else is set.
    pub fn templates(&self, public_url: &PublicUrl) -> LinkTemplates {
        let own =
            |path: &str| LinkTemplate { before: format!("{public_url}{AUTH}/{path}/"), after: String::new() };
        let link = |set: &Option<LinkTemplate>, path: &str| set.clone().unwrap_or_else(|| own(path));
        LinkTemplates {
            verify: link(&self.verify, "verify"),
            password_reset: link(&self.password_reset, "password-reset-confirm"),
            email_change: link(&self.email_change, "email-change-confirm"),
            email_change_undo: link(&self.email_change_undo, "email-change-undo"),
            password_reset_request: self
                .password_reset_request
                .clone()
                .unwrap_or_else(|| format!("{public_url}{AUTH}/password-reset-request")),
            unsubscribe: public_url
                .is_https()
                .then(|| LinkTemplate { before: format!("{public_url}{UNSUBSCRIBE}"), after: String::new() }),
        }
    }
}

impl LinkSettings {
    /// Where the URLs lead that are set.
    pub fn places(&self) -> Vec<LinkPlace> {
        let filled = |template: &Option<LinkTemplate>| {
            template.as_ref().map(|link| link.with_token("x").as_str().to_owned())
        };
        let (request, after) = (&self.password_reset_request, [&self.after_verify, &self.after_reset]);
        [
            (&table::VERIFY_URL, filled(&self.verify), true),
            (&table::PASSWORD_RESET_URL, filled(&self.password_reset), true),
            (&table::EMAIL_CHANGE_URL, filled(&self.email_change), true),
            (&table::EMAIL_CHANGE_UNDO_URL, filled(&self.email_change_undo), true),
            (&table::PASSWORD_RESET_REQUEST_URL, request.clone(), true),
            (&table::AFTER_VERIFY_URL, after[0].clone(), false),
            (&table::AFTER_RESET_URL, after[1].clone(), false),
        ]
        .into_iter()
        .filter_map(|(setting, url, calls_api)| {
            let url = Url::parse(&url?).ok()?;
            let is_this_machine = url.host().is_some_and(values::is_this_machine);
            let origin = url.origin().ascii_serialization();
            Some(LinkPlace { setting: setting.name(), origin, is_this_machine, calls_api })
        })
        .collect()
    }
}

impl LinkTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// What would be right, in words.
    pub fn parse(text: &str) -> Result<LinkTemplate, String> {
        let (before, after) = text.split_once(PLACEHOLDER).ok_or("a URL with {token} in it is needed")?;
        if after.contains(PLACEHOLDER) {
            return Err("a URL with {token} in it once is needed".into());
        }
        let filled = |token: &str| parse_url(&format!("{before}{token}{after}"));
        let (one, other) = (filled("a")?, filled("b")?);
        if one[..Position::BeforePath] != other[..Position::BeforePath] {
            return Err("{token} must be in the path, the query or the fragment of the URL".into());
        }
        Ok(LinkTemplate { before: before.to_owned(), after: after.to_owned() })
    }
}

pub(super) fn read(source: &mut Source) -> LinkSettings {
    let mut template = |setting: &Setting| source.optional(setting, LinkTemplate::parse);
    let verify = template(&table::VERIFY_URL);
    let password_reset = template(&table::PASSWORD_RESET_URL);
    let email_change = template(&table::EMAIL_CHANGE_URL);
    let email_change_undo = template(&table::EMAIL_CHANGE_UNDO_URL);
    let mut page = |setting: &Setting| source.optional(setting, plain_url);
    LinkSettings {
        verify,
        password_reset,
        email_change,
        email_change_undo,
        password_reset_request: page(&table::PASSWORD_RESET_REQUEST_URL),
        after_verify: page(&table::AFTER_VERIFY_URL),
        after_reset: page(&table::AFTER_RESET_URL),
    }
}

/// Reads a URL without a placeholder.
pub(super) fn plain_url(text: &str) -> Result<String, String> {
    parse_url(text).map(|_| text.to_owned())
}

/// An absolute URL as it stands in emails: text mails show it as it is, so nothing in it may end it early.
fn parse_url(text: &str) -> Result<Url, String> {
    const NEEDED: &str =
        "an absolute URL with https:// is needed, or with http:// on this machine, without user and password";
    if text.contains(['{', '}']) {
        return Err("{token} is the only placeholder, and only links have it".into());
    }
    if text.len() > LONGEST || !text.bytes().all(may_stand_in_a_url) {
        return Err(format!(
            "a URL of at most {LONGEST} ASCII characters is needed, all others percent-encoded, without quotation marks"
        ));
    }
    let is_safe = |url: &Url| {
        values::is_by_tls_or_here(url)
            && values::has_plain_host(url)
            && url.username().is_empty()
            && url.password().is_none()
    };
    // `https:host` and `https:\host` are read too, but not by every program.
    let is_absolute = text.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']));
    Url::parse(text).ok().filter(|url| is_absolute && is_safe(url)).ok_or_else(|| NEEDED.into())
}

/// The characters of a URL (RFC 3986 §2), without the quotation mark `'`.
fn may_stand_in_a_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests;

//! The text of an SPF record (RFC 7208, section 4.5 and 4.6).

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::verdict::Verdict;

/// A record that is well formed.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// In their order.
    pub(super) directives: Vec<(Verdict, Mechanism)>,
    pub(super) redirect: Option<Target>,
}

/// What a sending address is compared with.
#[derive(Debug, PartialEq)]
pub(super) enum Mechanism {
    All,
    Ip(IpNet),
    A {
        target: Option<Target>,
        prefixes: Prefixes,
    },
    Mx {
        target: Option<Target>,
        prefixes: Prefixes,
    },
    Include(Target),
    Exists(Target),
    /// Its result depends on the reverse name of an address; it should not be used (section 5.5).
    Ptr,
}

/// A domain, or a text with macros (section 7), whose value depends on the email.
#[derive(Debug, PartialEq)]
pub(super) enum Target {
    Name(String),
    Macro,
}

/// How many bits of an address count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Prefixes {
    pub(super) v4: u8,
    pub(super) v6: u8,
}

const VERSION: &str = "v=spf1";

/// Whether a TXT record is one of SPF.
pub(super) fn is_spf(text: &str) -> bool {
    let (version, rest) = text.split_at_checked(VERSION.len()).unwrap_or_default();
    version.eq_ignore_ascii_case(VERSION) && (rest.is_empty() || rest.starts_with(' '))
}

/// Reads a record.
///
/// # Errors
/// The term that is not allowed.
pub(super) fn parse(text: &str) -> Result<Record, &str> {
    let mut record = Record::default();
    let mut has_explanation = false;
    for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
        let end = term.find(['=', ':', '/']).unwrap_or(term.len());
        let (name, rest) = term.split_at(end);
        if let Some(value) = rest.strip_prefix('=') {
            match name.to_ascii_lowercase().as_str() {
                "redirect" if record.redirect.is_none() => record.redirect = Some(target(value).ok_or(term)?),
                "exp" if !has_explanation => has_explanation = target(value).map(|_| true).ok_or(term)?,
                "redirect" | "exp" => return Err(term),
                // Unknown modifiers are ignored (section 6).
                other if other.starts_with(|c: char| c.is_ascii_alphabetic()) => {}
                _ => return Err(term),
            }
        } else {
            record.directives.push(directive(name, rest).ok_or(term)?);
        }
    }
    Ok(record)
}

fn directive(name: &str, rest: &str) -> Option<(Verdict, Mechanism)> {
    let (verdict, name) = match name.split_at_checked(1)? {
        ("+", name) => (Verdict::Pass, name),
        ("-", name) => (Verdict::Fail, name),
        ("~", name) => (Verdict::SoftFail, name),
        ("?", name) => (Verdict::Neutral, name),
        _ => (Verdict::Pass, name),
    };
    let value = rest.strip_prefix(':');
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" => rest.is_empty().then_some(Mechanism::All)?,
        "include" => Mechanism::Include(target(value?)?),
        "exists" => Mechanism::Exists(target(value?)?),
        "ptr" => match value {
            Some(value) => target(value).map(|_| Mechanism::Ptr)?,
            None => rest.is_empty().then_some(Mechanism::Ptr)?,
        },
        "ip4" => Mechanism::Ip(v4(value?)?.into()),
        "ip6" => Mechanism::Ip(v6(value?)?.into()),
        "a" => hosts(rest).map(|(target, prefixes)| Mechanism::A { target, prefixes })?,
        "mx" => hosts(rest).map(|(target, prefixes)| Mechanism::Mx { target, prefixes })?,
        _ => return None,
    };
    Some((verdict, mechanism))
}

fn v4(text: &str) -> Option<Ipv4Net> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "32"));
    Ipv4Net::new(address.parse::<Ipv4Addr>().ok()?, number(prefix)?).ok()
}

fn v6(text: &str) -> Option<Ipv6Net> {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "128"));
    Ipv6Net::new(address.parse::<Ipv6Addr>().ok()?, number(prefix)?).ok()
}

fn number(text: &str) -> Option<u8> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// `[":" domain] ["/" v4] ["//" v6]`. A slash in a macro stands before its closing brace.
fn hosts(text: &str) -> Option<(Option<Target>, Prefixes)> {
    let is_prefix = |tail: &str| !tail.contains('}');
    let (text, v6) = match text.rsplit_once("//") {
        Some((head, tail)) if is_prefix(tail) => (head, number(tail).filter(|bits| *bits <= 128)?),
        _ => (text, 128),
    };
    let (text, v4) = match text.rsplit_once('/') {
        Some((head, tail)) if is_prefix(tail) => (head, number(tail).filter(|bits| *bits <= 32)?),
        _ => (text, 32),
    };
    let target = match text.strip_prefix(':') {
        Some(name) => Some(target(name)?),
        None => text.is_empty().then_some(None)?,
    };
    Some((target, Prefixes { v4, v6 }))
}

/// A `domain-spec` (section 7.1): visible ASCII with a dot, or macros.
fn target(text: &str) -> Option<Target> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    if text.contains('%') {
        return has_valid_macros(text).then_some(Target::Macro);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let (_, top) = name.rsplit_once('.')?;
    let is_top = !top.is_empty() && !top.bytes().all(|byte| byte.is_ascii_digit());
    is_top.then(|| Target::Name(name.to_ascii_lowercase()))
}

/// `%{` letter, digits, `r`, delimiters `}`; or `%%`, `%_`, `%-`.
fn has_valid_macros(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(['%', '_', '-']) {
            rest = after;
            continue;
        }
        let Some((body, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else {
            return false;
        };
        let body = body.to_ascii_lowercase();
        let Some(body) = body.strip_prefix(['s', 'l', 'o', 'd', 'i', 'p', 'v', 'h']) else { return false };
        let body = body.trim_start_matches(|c: char| c.is_ascii_digit());
        if !body.strip_prefix('r').unwrap_or(body).chars().all(|c| ".-+,/_=".contains(c)) {
            return false;
        }
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_versions_are_spf() {
        for (text, expected) in [
            ("v=spf1", true),
            ("V=SPF1 -all", true),
            ("v=spf10 -all", false),
            ("v=spf1;-all", false),
            (" v=spf1 -all", false),
            ("é", false),
        ] {
            assert_eq!(is_spf(text), expected, "{text}");
        }
    }

    #[test]
    fn a_term_that_is_not_allowed_is_named() {
        for (text, wrong) in [
            ("v=spf1", None),
            ("v=spf1  a  MX ptr -ALL ", None),
            ("v=spf1 a/24 a//64 a/24//64 mx:example.org/24//64", None),
            ("v=spf1 ip4:192.0.2.1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ip6:::1", None),
            ("v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} a:%{d/}/24 -all", None),
            ("v=spf1 redirect=_spf.example.org. unknown=x exp=why.example.org", None),
            ("v=spf1 ip4:192.0.2 -all", Some("ip4:192.0.2")),
            ("v=spf1 ip4:192.0.2.0/33", Some("ip4:192.0.2.0/33")),
            ("v=spf1 ip4:192.0.2.0/+8", Some("ip4:192.0.2.0/+8")),
            ("v=spf1 ip6:192.0.2.1", Some("ip6:192.0.2.1")),
            ("v=spf1 a/33", Some("a/33")),
            ("v=spf1 a//129", Some("a//129")),
            ("v=spf1 a:", Some("a:")),
            ("v=spf1 axe", Some("axe")),
            ("v=spf1 include", Some("include")),
            ("v=spf1 include:localhost", Some("include:localhost")),
            ("v=spf1 include:192.0.2.1", Some("include:192.0.2.1")),
            ("v=spf1 exists:%{q}.example.org", Some("exists:%{q}.example.org")),
            ("v=spf1 exists:%d.example.org", Some("exists:%d.example.org")),
            ("v=spf1 -all:x", Some("-all:x")),
            ("v=spf1 - all", Some("-")),
            ("v=spf1 redirect=a.example redirect=b.example", Some("redirect=b.example")),
            ("v=spf1 =x", Some("=x")),
            ("v=spf1 a, -all", Some("a,")),
        ] {
            assert_eq!(parse(text).err(), wrong, "{text}");
        }
    }
}

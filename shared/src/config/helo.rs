//! `MAIL_HELO_NAME`: the name that this client gives to mail servers (RFC 5321 §4.1.1.1).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};
use lettre::Address;
use url::{Host, Url};

use super::PublicUrl;

/// Reads a host name, or an address in brackets (RFC 5321 §4.1.3).
pub(super) fn parse(text: &str) -> Result<String, String> {
    const NEEDED: &str =
        "the name of this machine in the DNS is needed, or its address in brackets: [192.0.2.1]";
    if let Some(literal) = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let is_literal = match literal.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => literal.parse::<Ipv4Addr>().is_ok(),
        };
        return if is_literal { Ok(text.to_owned()) } else { Err(NEEDED.to_owned()) };
    }
    if text.parse::<IpAddr>().is_ok() {
        return Err(NEEDED.to_owned());
    }
    let name = Uts46::new().to_ascii(
        text.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    Ok(name.map_err(|_| NEEDED)?.into_owned())
}

/// The machine's name if it has a dot, else the host of `DOMAIN` if it has one, else the domain of `MAIL_FROM`: many
/// servers refuse a name without a dot (504 5.5.2).
pub(super) fn default(public_url: Option<&PublicUrl>, from: Option<&Address>) -> Option<String> {
    let machine = hostname::get().ok().and_then(|name| name.into_string().ok());
    choose(machine.as_deref(), public_url, from)
}

fn choose(machine: Option<&str>, public_url: Option<&PublicUrl>, from: Option<&Address>) -> Option<String> {
    let full_name = |name: &str| parse(name).ok().filter(|name| name.contains('.') && !name.starts_with('['));
    let domain = || {
        let url = Url::parse(public_url?.as_str()).ok()?;
        match url.host()? {
            Host::Domain(domain) => full_name(domain),
            Host::Ipv4(_) | Host::Ipv6(_) => None,
        }
    };
    machine.and_then(full_name).or_else(domain).or_else(|| from.map(|from| from.domain().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_an_address_in_brackets_is_taken() {
        for (text, name) in [
            ("mail.example.org", Some("mail.example.org")),
            ("MAIL.Example.org", Some("mail.example.org")),
            ("bücher.example", Some("xn--bcher-kva.example")),
            ("localhost", Some("localhost")),
            ("[192.0.2.1]", Some("[192.0.2.1]")),
            ("[IPv6:2001:db8::1]", Some("[IPv6:2001:db8::1]")),
            ("192.0.2.1", None),
            ("2001:db8::1", None),
            ("[mail.example.org]", None),
            ("mail example.org", None),
            ("mail.example.org\r\nRSET", None),
            ("mail_1.example.org", None),
            ("", None),
        ] {
            assert_eq!(parse(text).ok().as_deref(), name, "{text:?}");
        }
    }

    #[test]
    fn the_first_name_with_a_dot_is_the_default() {
        let from: Address = "bookly@sender.example".parse().unwrap();
        for (machine, domain, name) in [
            (Some("web1.example.net"), "books.example.org", "web1.example.net"),
            (Some("web1"), "books.example.org", "books.example.org"),
            (Some("web1"), "https://books.example.org:8443", "books.example.org"),
            (Some("web_1.example.net"), "books.example.org", "books.example.org"),
            (None, "localhost:8000", "sender.example"),
            (Some("web1"), "192.0.2.1", "sender.example"),
            (Some("192.0.2.1"), "[2001:db8::1]", "sender.example"),
        ] {
            let url = PublicUrl::parse(domain).unwrap();
            assert_eq!(
                choose(machine, Some(&url), Some(&from)).as_deref(),
                Some(name),
                "{machine:?} {domain}"
            );
        }
    }
}

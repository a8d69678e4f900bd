//! Who may read metrics: programs on this machine, and those that know the token.

use std::net::IpAddr;

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

use crate::config::Settings;
use crate::http_server::{bearer_token, is_loopback_host, sole_host};

/// Headers that a proxy adds. A proxy on this machine may have clients anywhere.
const FORWARDING: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Whether a client may read the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It may.
    Granted,
    /// 401: the client needs `METRICS_TOKEN`.
    NeedsToken,
    /// 404: `METRICS_TOKEN` is not set, so other machines find nothing here.
    Hidden,
}

/// Decides by the peer, the headers, `DOMAIN` and `METRICS_TOKEN`.
pub fn access(peer: IpAddr, headers: &HeaderMap, settings: &Settings) -> Access {
    if is_from_this_machine(peer, headers, settings) {
        return Access::Granted;
    }
    match &settings.metrics_token {
        None => Access::Hidden,
        Some(token) if shows(headers, token) => Access::Granted,
        Some(_) => Access::NeedsToken,
    }
}

/// Whether a request certainly comes from this machine. Where `DOMAIN` is another name there is a proxy, and a proxy on
/// this machine that adds no header looks like a local client: nothing is certain there. A loopback `Host` keeps out
/// pages of other sites whose names resolve to this machine (DNS rebinding).
pub fn is_from_this_machine(peer: IpAddr, headers: &HeaderMap, settings: &Settings) -> bool {
    settings.public_url.is_this_machine()
        && peer.to_canonical().is_loopback()
        && sole_host(headers).is_some_and(is_loopback_host)
        && !FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// In constant time, so that the token cannot be guessed byte by byte.
fn shows(headers: &HeaderMap, token: &SecretString) -> bool {
    bearer_token(headers).is_some_and(|given| given.as_bytes().ct_eq(token.expose_secret().as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn settings(domain: &str, token: Option<&str>) -> Settings {
        let folder = tempfile::tempdir().unwrap();
        let mut vars = vec![("DATA_DIR", folder.path().to_str().unwrap()), ("DOMAIN", domain)];
        vars.extend(token.map(|token| ("METRICS_TOKEN", token)));
        Settings::from_vars(vars.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())))
            .unwrap()
    }

    fn asked_at(domain: &str, peer: &str, headers: &[(&'static str, &str)], token: Option<&str>) -> Access {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), value.parse::<http::HeaderValue>().unwrap())
        });
        access(peer.parse().unwrap(), &headers.collect(), &settings(domain, token))
    }

    fn asked(peer: &str, headers: &[(&'static str, &str)], token: Option<&str>) -> Access {
        let headers = [&[("host", "localhost:8000")], headers].concat();
        asked_at("localhost:8000", peer, &headers, token)
    }

    #[test]
    fn clients_on_this_machine_need_no_token() {
        for peer in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(asked(peer, &[], None), Access::Granted, "{peer}");
            assert_eq!(asked(peer, &[], Some(TOKEN)), Access::Granted, "{peer}");
        }
    }

    #[test]
    fn where_domain_is_not_this_machine_every_client_needs_the_token() {
        for domain in ["bookly.example.org", "http://bookly.lan:8000", "192.0.2.1"] {
            let host = [("host", "localhost:8000")];
            assert_eq!(asked_at(domain, "127.0.0.1", &host, None), Access::Hidden, "{domain}");
            assert_eq!(asked_at(domain, "127.0.0.1", &host, Some(TOKEN)), Access::NeedsToken, "{domain}");
            let shown = [("host", "localhost:8000"), ("authorization", "Bearer 0123456789abcdef")];
            assert_eq!(asked_at(domain, "127.0.0.1", &shown, Some(TOKEN)), Access::Granted, "{domain}");
        }
    }

    #[test]
    fn a_client_of_this_machine_names_it_in_host() {
        for host in ["rebound.example.com", "127.0.0.1.nip.io", "192.0.2.1", ""] {
            let host = [("host", host)];
            assert_eq!(asked_at("localhost", "127.0.0.1", &host, None), Access::Hidden, "{host:?}");
        }
        assert_eq!(asked_at("localhost", "127.0.0.1", &[], None), Access::Hidden, "no Host");
        assert_eq!(asked_at("127.0.0.1", "::1", &[("host", "[::1]:9100")], None), Access::Granted);
    }

    #[test]
    fn a_proxy_on_this_machine_does_not_make_its_clients_local() {
        for name in FORWARDING {
            assert_eq!(asked("127.0.0.1", &[(name, "127.0.0.1")], None), Access::Hidden, "{name}");
            assert_eq!(asked("::1", &[(name, "::1")], Some(TOKEN)), Access::NeedsToken, "{name}");
        }
    }

    #[test]
    fn other_machines_need_the_whole_bearer_token() {
        let from_elsewhere = |value: &str| asked("192.0.2.1", &[("authorization", value)], Some(TOKEN));
        assert_eq!(from_elsewhere("Bearer 0123456789abcdef"), Access::Granted);
        assert_eq!(from_elsewhere("bearer 0123456789abcdef"), Access::Granted);
        for wrong in [
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdeff",
            "Bearer",
            "Bearer ",
            "Basic 0123456789abcdef",
            TOKEN,
        ] {
            assert_eq!(from_elsewhere(wrong), Access::NeedsToken, "{wrong}");
        }
        assert_eq!(asked("192.0.2.1", &[], Some(TOKEN)), Access::NeedsToken);
        let forwarded = [("x-forwarded-for", "192.0.2.1"), ("authorization", "Bearer 0123456789abcdef")];
        assert_eq!(asked("127.0.0.1", &forwarded, Some(TOKEN)), Access::Granted);
    }

    #[test]
    fn without_a_token_other_machines_get_404() {
        assert_eq!(asked("192.0.2.1", &[], None), Access::Hidden);
        assert_eq!(asked("192.0.2.1", &[("authorization", "Bearer ")], None), Access::Hidden);
        assert_eq!(asked("0.0.0.0", &[], None), Access::Hidden);
    }
}

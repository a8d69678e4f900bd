//! Access to metrics: for clients on this machine, and for others with the token.

use std::net::IpAddr;

use http::{HeaderMap, header};
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Headers that proxies add. A proxy may be on this machine while its clients are not.
const FORWARDING: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Whether a client may read the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It may.
    Granted,
    /// 401: a token is needed.
    NeedsToken,
    /// 404: no `METRICS_TOKEN` is set, so other machines cannot read them.
    Hidden,
}

/// Decides by the address of the client, the headers and `METRICS_TOKEN`.
pub fn access(peer: IpAddr, headers: &HeaderMap, token: Option<&SecretString>) -> Access {
    if peer.to_canonical().is_loopback() && !is_forwarded(headers) {
        return Access::Granted;
    }
    match token {
        None => Access::Hidden,
        Some(token) if shows(headers, token) => Access::Granted,
        Some(_) => Access::NeedsToken,
    }
}

/// Whether a proxy forwarded the request.
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDING.iter().any(|name| headers.contains_key(*name))
}

/// In constant time, so that the token cannot be guessed byte by byte.
fn shows(headers: &HeaderMap, token: &SecretString) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let Some((scheme, given)) = value.and_then(|value| value.split_once(' ')) else { return false };
    let is_right: bool = given.trim().as_bytes().ct_eq(token.expose_secret().as_bytes()).into();
    // The scheme's name has no case (RFC 9110 §11.1).
    scheme.eq_ignore_ascii_case("bearer") && is_right
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(peer: &str, headers: &[(&'static str, &str)], token: Option<&str>) -> Access {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), value.parse::<http::HeaderValue>().unwrap())
        });
        access(peer.parse().unwrap(), &headers.collect(), token.map(SecretString::from).as_ref())
    }

    #[test]
    fn clients_on_this_machine_need_no_token() {
        for peer in ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(asked(peer, &[], None), Access::Granted, "{peer}");
            assert_eq!(asked(peer, &[], Some("t0ken")), Access::Granted, "{peer}");
        }
    }

    #[test]
    fn a_proxy_on_this_machine_does_not_make_its_clients_local() {
        for name in FORWARDING {
            assert_eq!(asked("127.0.0.1", &[(name, "127.0.0.1")], None), Access::Hidden, "{name}");
            assert_eq!(asked("::1", &[(name, "::1")], Some("t0ken")), Access::NeedsToken, "{name}");
        }
    }

    #[test]
    fn other_machines_need_the_whole_bearer_token() {
        let from_elsewhere = |value: &str| asked("192.0.2.1", &[("authorization", value)], Some("t0ken"));
        assert_eq!(from_elsewhere("Bearer t0ken"), Access::Granted);
        assert_eq!(from_elsewhere("bearer t0ken"), Access::Granted);
        for wrong in ["Bearer t0ke", "Bearer t0kenn", "Bearer", "Bearer ", "Basic t0ken", "t0ken"] {
            assert_eq!(from_elsewhere(wrong), Access::NeedsToken, "{wrong}");
        }
        assert_eq!(asked("192.0.2.1", &[], Some("t0ken")), Access::NeedsToken);
        let forwarded = [("x-forwarded-for", "192.0.2.1"), ("authorization", "Bearer t0ken")];
        assert_eq!(asked("127.0.0.1", &forwarded, Some("t0ken")), Access::Granted);
    }

    #[test]
    fn without_a_token_other_machines_get_404() {
        assert_eq!(asked("192.0.2.1", &[], None), Access::Hidden);
        assert_eq!(asked("192.0.2.1", &[("authorization", "Bearer ")], None), Access::Hidden);
        assert_eq!(asked("0.0.0.0", &[], None), Access::Hidden);
    }
}

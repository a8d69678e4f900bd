//! What a request says about the name under which it reached the server.

use std::net::IpAddr;

use http::{HeaderMap, header};

/// The `Host` header; `None` when there is more than one (RFC 9112 §3.2): a proxy may have read another one than this
/// server would.
pub fn sole_host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    }
}

/// Whether a `Host` header names this machine: `localhost`, `127.0.0.1`, `[::1]`, with any port.
pub fn is_loopback_host(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host();
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_hosts_none_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(sole_host(&headers), None);
        headers.append(header::HOST, "localhost".parse().unwrap());
        assert_eq!(sole_host(&headers), Some("localhost"));
        headers.append(header::HOST, "evil.example".parse().unwrap());
        assert_eq!(sole_host(&headers), None);
    }

    #[test]
    fn a_loopback_host_is_told_from_names_that_begin_like_one() {
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8000"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in ["", "localhost.example.org", "127.0.0.1.nip.io", "192.0.2.1", "[::2]", "user@"] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }
}

//! The address of a connection's peer, and of the client behind trusted proxies.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use bookly_shared::http_server::client_network;
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The peer of the connection. IPv4-mapped IPv6 addresses are stored as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The client's address: the peer's, or the one that the first proxy of `TRUSTED_PROXIES` saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl Peer {
    /// The peer of a request. 0.0.0.0, which is never trusted, when the server did not store it.
    pub(crate) fn of(extensions: &Extensions) -> Peer {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        Peer(peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip().to_canonical()))
    }
}

impl ClientIp {
    /// The client's network.
    pub(crate) fn network(self) -> IpAddr {
        client_network(self.0)
    }

    /// Reads `X-Forwarded-For` from the right while the hops are trusted: a client can write anything to the left of
    /// its own address.
    pub(crate) fn behind(Peer(peer): Peer, headers: &HeaderMap, trusted: &[IpNet]) -> ClientIp {
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        let mut client = peer;
        for hop in hops(headers).into_iter().rev() {
            if !is_trusted(&client) {
                break;
            }
            let Some(address) = hop else { break };
            client = address;
        }
        ClientIp(client)
    }
}

fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(FORWARDED_FOR).iter();
    values
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|hop| parse_hop(hop.trim()))
        .collect()
}

/// Some proxies add the port to the address.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let address = hop.parse().ok().or_else(|| hop.parse().ok().map(|hop: SocketAddr| hop.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(hops: &[&str]) -> HeaderMap {
        let name = HeaderName::from_static(FORWARDED_FOR);
        hops.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_client_is_the_first_hop_that_is_not_trusted() {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        for (peer, forwarded, client) in [
            ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.2.3.4, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", vec!["1.2.3.4", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", vec!["1.2.3.4, junk"], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.7:4711"], "198.51.100.7"),
            ("fd00::1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
            ("10.0.0.1", vec!["::ffff:198.51.100.7"], "198.51.100.7"),
        ] {
            let peer = Peer(peer.parse().unwrap());
            let found = ClientIp::behind(peer, &headers(&forwarded), &trusted);
            assert_eq!(found, ClientIp(client.parse().unwrap()), "{forwarded:?}");
        }
    }
}

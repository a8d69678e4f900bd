//! The API's server: the router as a service of [`http_server`].

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use bookly_shared::http_server;
use hyper::body::Incoming;
use hyper::service::service_fn;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// The largest body of a request, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// How long clients may take, and how many connections they may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For a whole request with its body, and the service's work on it.
    pub request: Duration,
    /// For the connections.
    pub http: http_server::Limits,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { request: Duration::from_secs(30), http: http_server::Limits::default() }
    }
}

/// Addresses without a limit per client: this machine, and the proxies, behind which there are many clients.
pub fn exempt(trusted_proxies: &[IpNet]) -> Vec<IpNet> {
    let v4 = Ipv4Net::new_assert(Ipv4Addr::LOCALHOST, 8);
    let v6 = Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128);
    [v4.into(), v6.into()].into_iter().chain(trusted_proxies.iter().copied()).collect()
}

/// Serves until `shutdown`, then finishes the requests under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    exempt: &[IpNet],
    shutdown: CancellationToken,
) {
    let service_for = |peer: SocketAddr| {
        let router = router.clone();
        service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        })
    };
    http_server::serve(listener, service_for, limits.http, exempt, shutdown).await;
}

#[cfg(test)]
mod tests;

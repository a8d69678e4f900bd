//! An HTTP/1 server with limits of time and number, and a stop that finishes the requests under way.
//!
//! The API and the worker's metrics share it: it takes any service of hyper. `axum::serve` has none of these limits.

mod bearer;
mod connection;
mod host;
mod limits;
mod places;
mod stream;

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::Service;
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use bearer::bearer_token;
pub use host::{is_loopback_host, sole_host};
pub use limits::Limits;
use places::Places;
pub use places::client_network;

/// After a failed accept, for want of descriptors say, an immediate retry only costs processor time.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `shutdown`, then finishes the requests under way, within [`Limits::finish`]. `service_for` makes the
/// service of one connection from its peer. Clients in `exempt` have no limit per client.
pub async fn serve<S, B>(
    listener: TcpListener,
    service_for: impl Fn(SocketAddr) -> S,
    limits: Limits,
    exempt: &[IpNet],
    shutdown: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let places = Places::new(limits, exempt);
    let connections = TaskTracker::new();
    let accept_next = async || (places.free().await, listener.accept().await);
    while let Some((free, accepted)) = shutdown.run_until_cancelled(accept_next()).await {
        match accepted {
            Ok((stream, peer)) => {
                if let Some(place) = places.take(free, peer.ip()) {
                    let service = service_for(peer);
                    connections.spawn(connection::serve(stream, place, service, limits, shutdown.clone()));
                }
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    connections.close();
    tracing::info!(connections = connections.len(), "stopping: no new requests, finishing those under way");
    if timeout(limits.finish, connections.wait()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

async fn pause_after(error: &io::Error) {
    // The client gave up before its connection was accepted: nothing is wrong here.
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    sleep(ACCEPT_PAUSE).await;
}

//! The server: axum over hyper with limits of time and number, which `axum::serve` does not have, and a stop
//! that finishes what was begun.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// How long clients may take, and how many there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the headers; also how long a connection may idle between two requests.
    pub headers: Duration,
    /// For the whole request with its body, and our work on it.
    pub request: Duration,
    /// For the requests that are under way when the service stops.
    pub drain: Duration,
    /// Connections at a time. Beyond it they wait unaccepted, in the kernel's queue.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            headers: Duration::from_secs(10),
            request: Duration::from_secs(30),
            drain: Duration::from_secs(30),
            // Below the 1,024 descriptors that many systems give a process, with room for the database's.
            connections: 900,
        }
    }
}

/// After accepting failed, for want of descriptors say, trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Ours are small; hyper's default of about 400 KiB a connection is not.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Serves until `shutdown`, then finishes what was begun, within [`Limits::drain`].
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, shutdown: CancellationToken) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = GracefulShutdown::new();
    let accept_next = async || {
        // Never closed, so this is always a slot.
        let slot = slots.clone().acquire_owned().await.ok();
        (slot, listener.accept().await)
    };
    while let Some((slot, accepted)) = shutdown.run_until_cancelled(accept_next()).await {
        match accepted {
            Ok((stream, peer)) => {
                let served = serve_connection(stream, peer, router.clone(), limits, connections.watcher());
                tokio::spawn(async move {
                    served.await;
                    drop(slot);
                });
            }
            Err(error) => pause_after(&error).await,
        }
    }
    drop(listener);
    tracing::info!(connections = connections.count(), "stopping: no new requests, finishing those under way");
    if tokio::time::timeout(limits.drain, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    watcher: Watcher,
) {
    // Answers are one small write each: waiting for more to send (Nagle) only delays them.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        // The client's doing: it went away, sent no HTTP, or took too long.
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn pause_after(error: &io::Error) {
    // The client gave up before it was accepted: nothing is wrong here.
    if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        return;
    }
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

#[cfg(test)]
mod tests;

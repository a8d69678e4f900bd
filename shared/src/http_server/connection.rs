//! One connection: its requests, and the reasons to end it.

use std::error::Error;
use std::pin::pin;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::limits::Limits;
use super::places::Place;
use super::stream::TimedStream;

/// hyper's default is about 400 KiB for each connection, more than any request to this service needs.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Serves requests until the client or a limit ends the connection, or `stop` and the request under way.
pub(super) async fn serve<S, B>(
    stream: TcpStream,
    place: Place,
    service: S,
    limits: Limits,
    stop: CancellationToken,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // An answer is one small write: to wait for more data (Nagle) only delays it.
    let _ = stream.set_nodelay(true);
    let activity = place.activity();
    let stream = TimedStream::new(stream, &limits, activity.clone());
    let service = service_fn(move |request| {
        let handling = activity.handling();
        let answer = service.call(request);
        async move {
            let _handling = handling;
            answer.await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.given_away() => {
            // A request may have come since it was chosen. This task handles it, so nothing changes meanwhile.
            if place.activity().idle_since().is_some() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
        () = sleep(limits.connection) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // The client caused the error: it went away, sent no HTTP, or took too long.
        tracing::debug!(%error, "a connection ended early");
    }
}

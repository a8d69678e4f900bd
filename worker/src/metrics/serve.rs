//! `GET /metrics` of a worker process: one path, answered by hyper alone.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bookly_shared::config::Settings;
use bookly_shared::metrics::{Access, CONTENT_TYPE, Exporter, Sampler, access};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Scrapers come one at a time; more than this is somebody else.
const CONNECTIONS: usize = 16;
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// Nobody keeps a connection, and its slot, for longer.
const CONNECTION_LIMIT: Duration = Duration::from_secs(120);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Shows the metrics of this process.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    listener: TcpListener,
    door: Arc<Door>,
}

#[derive(Debug)]
struct Door {
    exporter: Exporter,
    sampler: Sampler,
    token: Option<SecretString>,
}

impl MetricsServer {
    /// Listens where `METRICS_LISTEN` says; `None` when it says nothing.
    ///
    /// # Errors
    /// When the address is taken, or not this machine's.
    pub(crate) async fn bind(
        settings: &Settings,
        exporter: Exporter,
        sampler: Sampler,
    ) -> anyhow::Result<Option<MetricsServer>> {
        let Some(listen) = settings.metrics_listen else { return Ok(None) };
        let unusable = || format!("METRICS_LISTEN: {listen} cannot be listened on");
        let listener = TcpListener::bind(listen).await.with_context(unusable)?;
        tracing::info!(addr = %listener.local_addr().with_context(unusable)?, "metrics are at /metrics");
        let door = Arc::new(Door { exporter, sampler, token: settings.metrics_token.clone() });
        Ok(Some(MetricsServer { listener, door }))
    }

    /// Serves for as long as it is polled.
    pub(crate) async fn serve(self) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        // Never closed, so that the loop goes on.
        while let Ok(slot) = slots.clone().acquire_owned().await {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let door = self.door.clone();
                    tokio::spawn(async move {
                        let _ = tokio::time::timeout(CONNECTION_LIMIT, talk(stream, peer, door)).await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "a scraper's connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn talk(stream: TcpStream, peer: SocketAddr, door: Arc<Door>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(door.answer(&request, peer.ip()).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a scraper's connection ended early");
    }
}

impl Door {
    async fn answer<B>(&self, request: &Request<B>, peer: IpAddr) -> Response<String> {
        match look(request, peer, self.token.as_ref()) {
            StatusCode::OK => {
                self.sampler.sample().await;
                shown(self.exporter.render())
            }
            refused => refusal(refused),
        }
    }
}

/// The same answers as the API's `/metrics` gives.
fn look<B>(request: &Request<B>, peer: IpAddr, token: Option<&SecretString>) -> StatusCode {
    if request.uri().path() != "/metrics" {
        return StatusCode::NOT_FOUND;
    }
    match access(peer, request.headers(), token) {
        Access::Hidden => StatusCode::NOT_FOUND,
        Access::NeedsToken => StatusCode::UNAUTHORIZED,
        Access::Granted if [Method::GET, Method::HEAD].contains(request.method()) => StatusCode::OK,
        Access::Granted => StatusCode::METHOD_NOT_ALLOWED,
    }
}

fn shown(text: String) -> Response<String> {
    let mut response = Response::new(text);
    set(response.headers_mut(), header::CONTENT_TYPE, CONTENT_TYPE);
    set(response.headers_mut(), header::CACHE_CONTROL, "no-store");
    response
}

fn refusal(status: StatusCode) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = status;
    match status {
        StatusCode::UNAUTHORIZED => set(response.headers_mut(), header::WWW_AUTHENTICATE, "Bearer"),
        StatusCode::METHOD_NOT_ALLOWED => set(response.headers_mut(), header::ALLOW, "GET,HEAD"),
        _ => {}
    }
    response
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use bookly_shared::clock::Clock;
    use bookly_shared::db::Db;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    fn asked(method: Method, path: &str, peer: &str, token: Option<&str>) -> u16 {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        look(&request, peer.parse().unwrap(), token.map(SecretString::from).as_ref()).as_u16()
    }

    #[test]
    fn only_metrics_are_there_and_only_for_those_who_may_read_them() {
        assert_eq!(asked(Method::GET, "/metrics", "127.0.0.1", None), 200);
        assert_eq!(asked(Method::HEAD, "/metrics?x=1", "::1", None), 200);
        assert_eq!(asked(Method::POST, "/metrics", "127.0.0.1", None), 405);
        assert_eq!(asked(Method::GET, "/", "127.0.0.1", None), 404);
        assert_eq!(asked(Method::GET, "/metrics", "192.0.2.1", None), 404);
        assert_eq!(asked(Method::GET, "/metrics", "192.0.2.1", Some("t0ken")), 401);
    }

    #[tokio::test]
    async fn a_scraper_of_this_machine_gets_how_things_stand() {
        let dir = tempfile::tempdir().unwrap();
        let vars = [("DATA_DIR", dir.path().to_str().unwrap()), ("METRICS_LISTEN", "127.0.0.1:0")];
        let settings = Settings::from_vars(vars.map(|(name, value)| (name.into(), value.into()))).unwrap();
        let (recorder, exporter) = Exporter::detached().unwrap();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let db = Db::sqlite(dir.path()).await.unwrap();
        let sampler = Sampler { db, clock: Clock::local(), queue: None };
        let server = MetricsServer::bind(&settings, exporter, sampler).await.unwrap().unwrap();
        let address = server.listener.local_addr().unwrap();
        tokio::spawn(server.serve());
        let mut scraper = TcpStream::connect(address).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n";
        scraper.write_all(request).await.unwrap();
        let mut answer = String::new();
        scraper.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("\nbookly_emails_open{state=\"queued\"} 0\n"), "{answer}");
    }

    #[test]
    fn who_needs_a_token_is_told_so() {
        let told = refusal(StatusCode::UNAUTHORIZED);
        assert_eq!(told.headers().get("www-authenticate").unwrap(), "Bearer");
    }
}

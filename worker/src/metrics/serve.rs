//! `GET /metrics` of a worker process.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use bookly_shared::config::Settings;
use bookly_shared::http_server::{self, Limits};
use bookly_shared::metrics::{Access, CONTENT_TYPE, Exporter, Sampler, access};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Few scrapers come at a time, and none keeps its connection for longer than two minutes.
fn limits() -> Limits {
    Limits { connections: 16, connection: Duration::from_secs(120), ..Limits::default() }
}

/// Shows the metrics of this process.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    listener: TcpListener,
    page: Arc<MetricsPage>,
}

#[derive(Debug)]
struct MetricsPage {
    exporter: Exporter,
    sampler: Sampler,
    settings: Settings,
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
        let page = Arc::new(MetricsPage { exporter, sampler, settings: settings.clone() });
        Ok(Some(MetricsServer { listener, page }))
    }

    /// Serves until `shutdown`.
    pub(crate) async fn serve(self, shutdown: CancellationToken) {
        let service_for = |peer: SocketAddr| {
            let page = self.page.clone();
            service_fn(move |request: Request<Incoming>| {
                let page = page.clone();
                async move { Ok::<_, Infallible>(page.answer(&request, peer.ip()).await) }
            })
        };
        http_server::serve(self.listener, service_for, limits(), &[], shutdown).await;
    }
}

impl MetricsPage {
    async fn answer<B>(&self, request: &Request<B>, peer: IpAddr) -> Response<String> {
        match look(request, peer, &self.settings) {
            StatusCode::OK => {
                self.sampler.sample().await;
                shown(self.exporter.render())
            }
            refused => refusal(refused),
        }
    }
}

/// The same answers as the API's `/metrics` gives.
fn look<B>(request: &Request<B>, peer: IpAddr, settings: &Settings) -> StatusCode {
    if request.uri().path() != "/metrics" {
        return StatusCode::NOT_FOUND;
    }
    match access(peer, request.headers(), settings) {
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
    use tokio::net::TcpStream;

    use super::*;

    fn settings(vars: &[(&str, &str)]) -> Settings {
        Settings::from_vars(vars.iter().map(|(name, value)| ((*name).into(), (*value).into()))).unwrap()
    }

    fn asked(method: Method, path: &str, peer: &str, token: Option<&str>) -> u16 {
        let dir = tempfile::tempdir().unwrap();
        let mut vars = vec![("DATA_DIR", dir.path().to_str().unwrap())];
        vars.extend(token.map(|token| ("METRICS_TOKEN", token)));
        let request =
            Request::builder().method(method).uri(path).header("host", "localhost").body(()).unwrap();
        look(&request, peer.parse().unwrap(), &settings(&vars)).as_u16()
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
        let settings =
            settings(&[("DATA_DIR", dir.path().to_str().unwrap()), ("METRICS_LISTEN", "127.0.0.1:0")]);
        let (recorder, exporter) = Exporter::detached().unwrap();
        let _guard = metrics::set_default_local_recorder(&recorder);
        let db = Db::sqlite(dir.path()).await.unwrap();
        let sampler = Sampler { db, clock: Clock::local(), queue: None };
        let server = MetricsServer::bind(&settings, exporter, sampler).await.unwrap().unwrap();
        let address = server.listener.local_addr().unwrap();
        tokio::spawn(server.serve(CancellationToken::new()));
        let mut scraper = TcpStream::connect(address).await.unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
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

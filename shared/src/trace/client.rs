//! The HTTP client of the trace exporter. It logs when the collector cannot be used.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::ExporterBuildError;
use tokio::runtime::Handle;

use crate::tls::Trust;

/// The time limit of one request with its answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The longest answer, in bytes; it says only how many spans were refused.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How often the warning is repeated while the collector is away.
const WARN_EVERY: Duration = Duration::from_secs(300);

type HttpsClient = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Why traces cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The TLS library refuses its configuration.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The endpoint, or another of OpenTelemetry's variables, is wrong.
    #[error("traces cannot be exported: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// There is no tokio runtime, which the HTTP client needs.
    #[error("traces cannot be exported: {0}")]
    Runtime(#[from] tokio::runtime::TryCurrentError),
}

/// Sends on the service's tokio runtime: the thread of the exporter has none.
#[derive(Clone, Debug)]
pub(super) struct CollectorClient {
    http: HttpsClient,
    runtime: Handle,
    status: Arc<CollectorStatus>,
}

impl CollectorClient {
    pub(super) fn new(endpoint: &str, trust: &Trust) -> Result<CollectorClient, TraceError> {
        let config = trust.client_config()?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        let status = CollectorStatus { endpoint: endpoint.to_owned(), warned_at: Mutex::default() };
        Ok(CollectorClient { http, runtime: Handle::try_current()?, status: Arc::new(status) })
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sending = send(self.http.clone(), request);
        // The timer needs the runtime too, so it is made there.
        let sent = self.runtime.spawn(async move { tokio::time::timeout(TIME_LIMIT, sending).await });
        let answer = match sent.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("no answer in time".into()),
            // The runtime ends, because the process does.
            Err(error) => return Err(error.into()),
        };
        match &answer {
            Ok(answer) if answer.status().is_success() => self.status.succeeded(),
            Ok(answer) => self.status.failed(&format!("it answers {}", answer.status())),
            Err(error) => self.status.failed(&with_causes(&**error)),
        }
        answer
    }
}

async fn send(http: HttpsClient, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = http.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// An error with its causes: hyper's outermost error says only that something failed.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether the collector accepts spans; logged when it changes, and every [`WARN_EVERY`] in between.
#[derive(Debug)]
struct CollectorStatus {
    endpoint: String,
    /// When the last warning was logged; `None` while the collector works.
    warned_at: Mutex<Option<Instant>>,
}

impl CollectorStatus {
    fn failed(&self, reason: &str) {
        let mut warned_at = self.warned_at.lock().unwrap_or_else(PoisonError::into_inner);
        if warned_at.is_some_and(|warned| warned.elapsed() < WARN_EVERY) {
            return;
        }
        *warned_at = Some(Instant::now());
        let endpoint = &self.endpoint;
        tracing::warn!(
            endpoint,
            reason,
            "traces cannot be exported and are dropped; nothing else is affected"
        );
    }

    fn succeeded(&self) {
        if self.warned_at.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!(endpoint = self.endpoint, "traces are exported again");
        }
    }
}

//! The HTTP client of the trace exporter. It logs when the collector cannot be used.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient as OtlpClient, HttpError, Request, Response};
use opentelemetry_otlp::ExporterBuildError;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::http_client::HttpClient;
use crate::tls::Trust;

/// The time limit of one request with its answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How often the warning is repeated while the collector is away.
const WARN_EVERY: Duration = Duration::from_secs(300);

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
    http: HttpClient,
    runtime: Handle,
    status: Arc<CollectorStatus>,
}

impl CollectorClient {
    pub(super) fn new(endpoint: &str, trust: &Trust) -> Result<CollectorClient, TraceError> {
        let http = HttpClient::new(trust, TIME_LIMIT)?;
        let status = CollectorStatus { endpoint: endpoint.to_owned(), warned_at: Mutex::default() };
        Ok(CollectorClient { http, runtime: Handle::try_current()?, status: Arc::new(status) })
    }
}

#[async_trait]
impl OtlpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        // A join error means that the runtime ends, because the process does.
        let answer = self.runtime.spawn(async move { http.send(request).await }).await?;
        match &answer {
            Ok(answer) if answer.status().is_success() => self.status.succeeded(),
            Ok(answer) => self.status.failed(&format!("it answers {}", answer.status())),
            Err(error) => self.status.failed(&error.to_string()),
        }
        Ok(answer?)
    }
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
        let mut warned_at = self.warned_at.lock();
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
        if self.warned_at.lock().take().is_some() {
            tracing::info!(endpoint = self.endpoint, "traces are exported again");
        }
    }
}

//! The HTTP client that carries spans to the collector, and says when it cannot.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio::runtime::Handle;

use super::TraceError;
use crate::tls;

/// For one request with its answer.
const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Of an answer, in bytes; it says no more than how many spans were refused.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How often a lasting trouble is warned of.
const WARN_EVERY: Duration = Duration::from_secs(300);

type Http = hyper_util::client::legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Sends on the service's runtime, for an exporter whose thread has none.
#[derive(Clone, Debug)]
pub(super) struct Client {
    http: Http,
    runtime: Handle,
    trouble: Arc<Trouble>,
}

impl Client {
    pub(super) fn new(endpoint: &str) -> Result<Client, TraceError> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(tls::roots(None)?)
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector);
        let trouble = Trouble { endpoint: endpoint.to_owned(), since: Mutex::default() };
        Ok(Client { http, runtime: Handle::try_current()?, trouble: Arc::new(trouble) })
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sending = send(self.http.clone(), request);
        // The timer too needs the runtime: it is made there.
        let sent = self.runtime.spawn(async move { tokio::time::timeout(TIME_LIMIT, sending).await });
        let answer = match sent.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("no answer in time".into()),
            // The runtime ends, and with it the process.
            Err(error) => return Err(error.into()),
        };
        match &answer {
            Ok(answer) if answer.status().is_success() => self.trouble.is_over(),
            Ok(answer) => self.trouble.is_seen(&format!("it answers {}", answer.status())),
            Err(error) => self.trouble.is_seen(&whole(&**error)),
        }
        answer
    }
}

async fn send(http: Http, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let (parts, body) = http.request(request.map(Full::new)).await?.into_parts();
    let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, body))
}

/// An error with its causes: the outermost of hyper says only that something failed.
fn whole(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Whether the collector takes our spans; told at the change, and seldom in between.
#[derive(Debug)]
struct Trouble {
    endpoint: String,
    /// When it was last warned of.
    since: Mutex<Option<Instant>>,
}

impl Trouble {
    fn is_seen(&self, reason: &str) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|warned| warned.elapsed() < WARN_EVERY) {
            return;
        }
        *since = Some(Instant::now());
        let endpoint = &self.endpoint;
        tracing::warn!(
            endpoint,
            reason,
            "traces cannot be exported and are dropped; nothing else is affected"
        );
    }

    fn is_over(&self) {
        if self.since.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!(endpoint = self.endpoint, "traces are exported again");
        }
    }
}

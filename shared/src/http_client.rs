//! A small HTTP client: the service's trust for TLS, no redirects, no proxy, and limits for the answer's time and length.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::tls::Trust;

/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Sends requests. Clones share their connections.
#[derive(Clone)]
pub struct HttpClient {
    http: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    time_limit: Duration,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    /// The whole answer was not there in time.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The answer is too long.
    #[error("an answer of more than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
    /// There is no connection, or what came over it is not HTTP. hyper's outermost error says only that something failed.
    #[error("{}", with_causes(.0.as_ref()))]
    Failed(Box<dyn Error + Send + Sync>),
}

impl HttpClient {
    /// A client that trusts these servers. `time_limit` is for a request with its whole answer.
    ///
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub fn new(trust: &Trust, time_limit: Duration) -> Result<HttpClient, rustls::Error> {
        let config = trust.client_config()?;
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
        Ok(HttpClient { http: Client::builder(TokioExecutor::new()).build(connector), time_limit })
    }

    /// Sends a request and reads its whole answer, whatever its status.
    ///
    /// # Errors
    /// See [`HttpClientError`].
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpClientError> {
        let exchange = async {
            let answer = self.http.request(request.map(Full::new)).await;
            let (parts, body) = answer.map_err(|error| HttpClientError::Failed(error.into()))?.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    HttpClientError::TooLong
                } else {
                    HttpClientError::Failed(error)
                }
            })?;
            Ok(Response::from_parts(parts, body.to_bytes()))
        };
        let limit = self.time_limit;
        tokio::time::timeout(limit, exchange).await.unwrap_or(Err(HttpClientError::TimedOut(limit)))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

fn with_causes(error: &(dyn Error + 'static)) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

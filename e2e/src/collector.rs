//! A collector of traces: receives OTLP over HTTP, binary protobuf, and stores it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode as SpanStatus};
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running collector. Dropping it stops it.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    received: Arc<Received>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Received {
    spans: Mutex<Vec<ReceivedSpan>>,
    odd: Mutex<Vec<String>>,
    /// The number of requests.
    requests: watch::Sender<usize>,
    answers: bool,
}

/// A received span; ids are hexadecimal.
#[derive(Debug, Clone)]
pub struct ReceivedSpan {
    /// The resource's `service.name`.
    pub service: String,
    pub trace_id: String,
    pub span_id: String,
    /// Empty for the first span of a trace.
    pub parent_id: String,
    pub name: String,
    pub failed: bool,
    /// Its attributes, as text.
    pub attributes: BTreeMap<String, String>,
    /// Begin and end, in ns since 1970.
    pub times: (u64, u64),
    /// Everything in the span but the ids, as text.
    pub text: String,
}

impl Collector {
    /// Starts a collector that accepts everything.
    pub async fn start() -> anyhow::Result<Collector> {
        Collector::answering(true).await
    }

    /// Starts a collector that never answers.
    pub async fn silent() -> anyhow::Result<Collector> {
        Collector::answering(false).await
    }

    async fn answering(answers: bool) -> anyhow::Result<Collector> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let received = Arc::new(Received { answers, ..Received::default() });
        let task = tokio::spawn(serve(listener, Arc::clone(&received)));
        Ok(Collector { port, received, task })
    }

    /// The value for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The spans received so far.
    pub fn spans(&self) -> Vec<ReceivedSpan> {
        self.received.spans.lock().clone()
    }

    /// Requests that are not OTLP, with the reason.
    pub fn odd_requests(&self) -> Vec<String> {
        self.received.odd.lock().clone()
    }

    /// Waits for a request, answered or not.
    pub async fn asked(&self, within: Duration) -> anyhow::Result<()> {
        let mut requests = self.received.requests.subscribe();
        let asked = tokio::time::timeout(within, requests.wait_for(|count| *count > 0)).await;
        asked.map_err(|_| anyhow!("no request within {within:?}"))??;
        Ok(())
    }

    /// Waits for a span of a trace whose name has this prefix.
    pub async fn span(&self, within: Duration, trace_id: &str, name: &str) -> anyhow::Result<ReceivedSpan> {
        let mut requests = self.received.requests.subscribe();
        let search = async {
            loop {
                requests.borrow_and_update();
                let wanted = |span: &ReceivedSpan| span.trace_id == trace_id && span.name.starts_with(name);
                if let Some(span) = self.spans().into_iter().find(wanted) {
                    return anyhow::Ok(span);
                }
                requests.changed().await?;
            }
        };
        let found = tokio::time::timeout(within, search).await;
        found.map_err(|_| anyhow!("no span {name:?} of {trace_id}; there are {:#?}", self.spans()))?
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, received: Arc<Received>) {
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        tokio::spawn(async move {
            let service = service_fn(move |request| take(request, Arc::clone(&received)));
            // Some tests end the client.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn take(
    request: Request<Incoming>,
    received: Arc<Received>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let taken = read(request).await;
    let mut answer = Response::new(Full::default());
    match taken {
        Ok(spans) => received.spans.lock().extend(spans),
        Err(error) => {
            received.odd.lock().push(format!("{error:#}"));
            *answer.status_mut() = StatusCode::BAD_REQUEST;
        }
    }
    received.requests.send_modify(|count| *count += 1);
    if !received.answers {
        std::future::pending::<()>().await;
    }
    Ok(answer)
}

async fn read(request: Request<Incoming>) -> anyhow::Result<Vec<ReceivedSpan>> {
    let (head, body) = request.into_parts();
    let content_type = head.headers.get("content-type").and_then(|value| value.to_str().ok());
    anyhow::ensure!(head.method == Method::POST && head.uri.path() == "/v1/traces", "{head:?}");
    anyhow::ensure!(content_type == Some("application/x-protobuf"), "{head:?}");
    let export = ExportTraceServiceRequest::decode(body.collect().await?.to_bytes())?;
    let mut received = Vec::new();
    for resource in export.resource_spans {
        let attributes = resource.resource.map(|resource| as_text(resource.attributes)).unwrap_or_default();
        let service = attributes.get("service.name").cloned().unwrap_or_default();
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        received.extend(spans.map(|span| received_span(&service, span)));
    }
    Ok(received)
}

fn received_span(service: &str, mut span: Span) -> ReceivedSpan {
    let trace_id = hex(&std::mem::take(&mut span.trace_id));
    let span_id = hex(&std::mem::take(&mut span.span_id));
    let parent_id = hex(&std::mem::take(&mut span.parent_span_id));
    ReceivedSpan {
        service: service.to_owned(),
        trace_id,
        span_id,
        parent_id,
        text: format!("{span:?}"),
        name: span.name,
        failed: span.status.is_some_and(|status| status.code() == SpanStatus::Error),
        attributes: as_text(span.attributes),
        times: (span.start_time_unix_nano, span.end_time_unix_nano),
    }
}

fn as_text(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|attribute| (attribute.key, text(attribute.value))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

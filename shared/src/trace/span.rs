//! Spans: begin, end, attributes and outcome of one step.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};

use super::SpanPlace;
use super::client::TraceError;
use super::export;
use crate::clock::Clock;
use crate::config::TraceSettings;

/// How long exporting the last spans may take when the process ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Exports finished spans in batches, on a separate thread, so that no request waits for it. Spans beyond its buffer are
/// dropped. Cheap to clone; a tracer that is off does nothing.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<SpanSink>>);

struct SpanSink {
    processor: BatchSpanProcessor,
    clock: Clock,
    scope: InstrumentationScope,
}

impl Tracer {
    /// A tracer that exports nothing.
    pub fn off() -> Tracer {
        Tracer(None)
    }

    /// Exports to the collector of the settings; off without one. `process` is the service's name where
    /// `OTEL_SERVICE_NAME` is not set. Does not connect yet.
    ///
    /// # Errors
    /// When the settings cannot work.
    pub fn start(
        settings: Option<&TraceSettings>,
        process: &'static str,
        clock: Clock,
    ) -> Result<Tracer, TraceError> {
        let Some(settings) = settings else { return Ok(Tracer::off()) };
        let processor = export::processor(settings, process)?;
        let scope = InstrumentationScope::builder("bookly").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Tracer(Some(Arc::new(SpanSink { processor, clock, scope }))))
    }

    /// Begins a span; it ends when it is dropped. A span of a trace that is not recorded is not exported.
    pub fn span(&self, kind: SpanKind, name: impl Into<Cow<'static, str>>, place: &SpanPlace) -> Span {
        let parts = self.0.as_ref().filter(|_| place.context.is_sampled());
        Span(parts.map(|parts| OpenSpan {
            data: parts.begin(kind, name.into(), place),
            begun: Instant::now(),
            parts: parts.clone(),
        }))
    }

    /// Exports the last spans, for two seconds at most. Spans that end later are lost.
    pub async fn finish(&self) {
        let Some(parts) = self.0.clone() else { return };
        let flushed = tokio::task::spawn_blocking(move || parts.processor.shutdown_with_timeout(FLUSH_LIMIT));
        if !matches!(flushed.await, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be exported");
        }
    }
}

impl SpanSink {
    fn begin(&self, kind: SpanKind, name: Cow<'static, str>, place: &SpanPlace) -> SpanData {
        let (trace_id, span_id) = (place.context.trace_id(), place.context.span_id());
        let begun_at = SystemTime::from(self.clock.now());
        SpanData {
            span_context: SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, TraceState::NONE),
            parent_span_id: place.parent.unwrap_or(SpanId::INVALID),
            parent_span_is_remote: place.parent_is_remote,
            span_kind: kind,
            name,
            start_time: begun_at,
            end_time: begun_at,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }
}

/// A span that has begun. It ends when it is dropped, also when its task is cancelled.
#[derive(Debug)]
#[must_use = "a span that is dropped has ended"]
pub struct Span(Option<OpenSpan>);

struct OpenSpan {
    parts: Arc<SpanSink>,
    data: SpanData,
    begun: Instant,
}

impl Span {
    /// Adds an attribute. It leaves this service: never an address, a token, a link or text of a client or server.
    pub fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        if let Some(open) = &mut self.0 {
            open.data.attributes.push(KeyValue::new(name, value));
        }
    }

    /// Marks it as failed.
    pub fn fail(&mut self) {
        if let Some(open) = &mut self.0 {
            open.data.status = Status::error("");
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let Some(OpenSpan { parts, mut data, begun }) = self.0.take() else { return };
        // The begin is by the installation's clock, the duration by the monotonic one.
        data.end_time = data.start_time + begun.elapsed();
        parts.processor.on_end(data);
    }
}

impl fmt::Debug for SpanSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanSink").finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSpan").field("name", &self.data.name).finish_non_exhaustive()
    }
}

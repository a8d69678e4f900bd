//! Spans: what began and ended, for whom, and how it went.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId as OtelTraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue, Value};
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor};

use super::SpanPlace;
use super::export::{self, TraceError};
use crate::clock::Clock;
use crate::config::TraceSettings;

/// How long the last spans may take to leave when the process ends.
const FLUSH_LIMIT: Duration = Duration::from_secs(2);

/// Takes finished spans and exports them, in batches and on a thread of its own: nobody waits for it. What it cannot
/// hold is dropped. Cheap to clone; one that is off does nothing.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Parts>>);

struct Parts {
    processor: BatchSpanProcessor,
    clock: Clock,
    scope: InstrumentationScope,
}

/// What a span is to the others of its trace (OpenTelemetry's span kinds).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A request that is answered.
    Server,
    /// A mail that was queued and is delivered.
    Consumer,
    /// A call to another service.
    Client,
}

impl Tracer {
    /// A tracer that exports nothing.
    pub fn off() -> Tracer {
        Tracer(None)
    }

    /// Exports where the settings say so; off without them. `process` names the service when `OTEL_SERVICE_NAME` does
    /// not. Connects to nothing yet.
    ///
    /// # Errors
    /// When the settings can never work.
    pub fn start(
        settings: Option<&TraceSettings>,
        process: &'static str,
        clock: Clock,
    ) -> Result<Tracer, TraceError> {
        let Some(settings) = settings else { return Ok(Tracer::off()) };
        let processor = export::processor(settings, process)?;
        let scope = InstrumentationScope::builder("bookly").with_version(env!("CARGO_PKG_VERSION")).build();
        Ok(Tracer(Some(Arc::new(Parts { processor, clock, scope }))))
    }

    /// Begins a span; it ends when it is dropped. Traces that are not recorded are none of ours either.
    pub fn span(&self, kind: Kind, name: impl Into<Cow<'static, str>>, place: &SpanPlace) -> Span {
        let parts = self.0.as_ref().filter(|_| place.context.is_sampled());
        Span(parts.map(|parts| Open {
            data: parts.begin(kind, name.into(), place),
            begun: Instant::now(),
            parts: parts.clone(),
        }))
    }

    /// Exports what is left, for two seconds at most. Spans that end later are lost.
    pub async fn finish(&self) {
        let Some(parts) = self.0.clone() else { return };
        let flushed = tokio::task::spawn_blocking(move || parts.processor.shutdown_with_timeout(FLUSH_LIMIT));
        if !matches!(flushed.await, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be exported");
        }
    }
}

impl Parts {
    fn begin(&self, kind: Kind, name: Cow<'static, str>, place: &SpanPlace) -> SpanData {
        let (trace_id, span_id) = (place.context.trace_id().get(), place.context.span_id());
        let begun_at = SystemTime::from(self.clock.now());
        SpanData {
            span_context: SpanContext::new(
                OtelTraceId::from(trace_id),
                SpanId::from(span_id),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: place.parent.map_or(SpanId::INVALID, |id| SpanId::from(id.get())),
            parent_span_is_remote: place.parent_is_remote,
            span_kind: match kind {
                Kind::Server => SpanKind::Server,
                Kind::Consumer => SpanKind::Consumer,
                Kind::Client => SpanKind::Client,
            },
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

/// A span under way; it ends when it is dropped, so also when its work is broken off.
#[derive(Debug)]
#[must_use = "a span that is dropped has ended"]
pub struct Span(Option<Open>);

struct Open {
    parts: Arc<Parts>,
    data: SpanData,
    begun: Instant,
}

impl Span {
    /// Adds an attribute. It leaves this service: never an address, a token, a link or words of others.
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
        let Some(Open { parts, mut data, begun }) = self.0.take() else { return };
        // Begun by the installation's clock, measured by the monotonic one.
        data.end_time = data.start_time + begun.elapsed();
        parts.processor.on_end(data);
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").field("name", &self.data.name).finish_non_exhaustive()
    }
}

//! `traceparent` of the W3C's Trace Context, level 1 (<https://www.w3.org/TR/trace-context-1/>, section 3.2), read by
//! OpenTelemetry's propagator.
//!
//! `tracestate` is not carried: it is for vendors that take part in a trace, and no part of this service reads it.

use std::collections::HashMap;
use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanId, TraceContextExt, TraceFlags, TraceId};
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// The length of version 00, and of the part that later versions share with it, in bytes.
const LENGTH: usize = 55;
/// Where the four fields are separated.
const HYPHENS: [usize; 3] = [2, 35, 52];

/// A span that another process or a row can refer to. As text it is a `traceparent` of version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: SpanId,
    sampled: bool,
}

impl TraceContext {
    /// Reads a `traceparent`. `None` for what section 3.2 calls invalid: other lengths, upper-case digits, ids that are
    /// all zero, version ff. Of later versions the first four fields are used. Flags of other levels are dropped.
    pub fn parse(text: &str) -> Option<TraceContext> {
        if !is_well_formed(text) {
            return None;
        }
        let header = HashMap::from([("traceparent".to_owned(), text.to_owned())]);
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &header);
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| TraceContext {
            trace_id: span.trace_id(),
            span_id: span.span_id(),
            sampled: span.is_sampled(),
        })
    }

    /// The first span of a new trace, which is recorded.
    fn begin() -> TraceContext {
        let trace_id = TraceId::from(rand::random::<NonZeroU128>().get());
        TraceContext { trace_id, span_id: new_span_id(), sampled: true }
    }

    /// Another span of the same trace.
    fn beside(self) -> TraceContext {
        TraceContext { span_id: new_span_id(), ..self }
    }

    /// What all spans of the trace have in common; 32 hexadecimal digits as text.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    pub(super) fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// Whether the trace is recorded. The process that began the trace decides.
    pub(super) fn is_sampled(&self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        write!(f, "00-{}-{}-{flags:02x}", self.trace_id, self.span_id)
    }
}

/// Whether lengths, hyphens and digits are those of section 3.2. The propagator also reads `+` as a digit, shorter ids
/// and surrounding blanks.
fn is_well_formed(text: &str) -> bool {
    let Some((known, more)) = text.as_bytes().split_at_checked(LENGTH) else { return false };
    let is_right = |(at, byte): (usize, &u8)| match HYPHENS.contains(&at) {
        true => *byte == b'-',
        false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let is_version_0 = known.starts_with(b"00");
    known.iter().enumerate().all(is_right) && (more.is_empty() || (!is_version_0 && more.starts_with(b"-")))
}

fn new_span_id() -> SpanId {
    SpanId::from(rand::random::<NonZeroU64>().get())
}

/// A span of this process, and the span that it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanPlace {
    /// The span itself, for the process that continues the trace.
    pub context: TraceContext,
    pub(super) parent: Option<SpanId>,
    pub(super) parent_is_remote: bool,
}

impl SpanPlace {
    /// A span that continues a trace of another process, or begins a trace where there is none.
    pub fn after(caller: Option<TraceContext>) -> SpanPlace {
        SpanPlace {
            context: caller.map_or_else(TraceContext::begin, TraceContext::beside),
            parent: caller.map(|caller| caller.span_id),
            parent_is_remote: caller.is_some(),
        }
    }

    /// A span within this one.
    pub fn within(&self) -> SpanPlace {
        let parent = Some(self.context.span_id);
        SpanPlace { context: self.context.beside(), parent, parent_is_remote: false }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of section 3.2.2.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn read(text: &str) -> Option<String> {
        TraceContext::parse(text).map(|context| context.to_string())
    }

    #[test]
    fn the_specifications_example_is_read() {
        let context = TraceContext::parse(EXAMPLE).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!((context.span_id(), context.is_sampled()), (SpanId::from(0x00f0_67aa_0ba9_02b7), true));
        assert_eq!(context.to_string(), EXAMPLE);
        assert!(!TraceContext::parse(&EXAMPLE.replace("-01", "-00")).unwrap().is_sampled());
    }

    #[test]
    fn an_invalid_traceparent_is_ignored() {
        for odd in [
            "",
            "00",
            &EXAMPLE[..54],
            &format!("{EXAMPLE}-"),
            &format!("{EXAMPLE}0"),
            &format!(" {EXAMPLE}"),
            &EXAMPLE.to_uppercase(),
            &EXAMPLE.replace("-01", "-0g"),
            &EXAMPLE.replace("-01", "_01"),
            &EXAMPLE.replace("00-4", "ff-4"),
            &EXAMPLE.replace("00-4", "0A-4"),
            &EXAMPLE.replace("-00f0", "_00f0"),
            &EXAMPLE.replace("4bf92f3577b34da6a3ce929d0e0e4736", "00000000000000000000000000000000"),
            &EXAMPLE.replace("00f067aa0ba902b7", "0000000000000000"),
            &EXAMPLE.replace("4bf9", "4b+9"),
            &EXAMPLE.replace("4bf92f", "4bä2f"),
        ] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }

    #[test]
    fn of_later_versions_the_first_four_fields_count() {
        let later = EXAMPLE.replace("00-4", "01-4");
        assert_eq!(read(&later).as_deref(), Some(EXAMPLE));
        assert_eq!(read(&format!("{later}-what.the-future-brings")).as_deref(), Some(EXAMPLE));
        assert_eq!(read(&format!("{later}0")), None);
    }

    #[test]
    fn flags_of_other_levels_are_dropped() {
        assert_eq!(read(&EXAMPLE.replace("-01", "-ff")).as_deref(), Some(EXAMPLE));
        assert_eq!(read(&EXAMPLE.replace("-01", "-02")), Some(EXAMPLE.replace("-01", "-00")));
    }

    #[test]
    fn a_span_continues_a_trace_or_begins_one() {
        let caller = TraceContext::parse(EXAMPLE).unwrap();
        let place = SpanPlace::after(Some(caller));
        assert_eq!(place.context.trace_id(), caller.trace_id());
        assert_ne!(place.context.span_id(), caller.span_id());
        assert_eq!((place.parent, place.parent_is_remote), (Some(caller.span_id), true));
        let within = place.within();
        assert_eq!((within.parent, within.parent_is_remote), (Some(place.context.span_id), false));
        assert_eq!(within.context.trace_id(), caller.trace_id());
        let (one, other) = (SpanPlace::after(None), SpanPlace::after(None));
        assert_eq!(one.parent, None);
        assert!(one.context.is_sampled());
        assert_ne!(one.context.trace_id(), other.context.trace_id());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,80}") {
            let _ = TraceContext::parse(&text);
        }

        #[test]
        fn an_accepted_text_is_written_unchanged(text in "0[01]-[0-9a-g]{32}-[0-9a-f]{16}-0[0-2](-[ -~]{0,4})?") {
            if let Some(context) = TraceContext::parse(&text) {
                let written = context.to_string();
                prop_assert_eq!(&written[2..53], &text[2..53]);
                prop_assert_eq!(TraceContext::parse(&written), Some(context));
            }
        }

        #[test]
        fn every_written_text_can_be_read(trace_id: NonZeroU128, span_id: NonZeroU64, sampled: bool) {
            let (trace_id, span_id) = (TraceId::from(trace_id.get()), SpanId::from(span_id.get()));
            let context = TraceContext { trace_id, span_id, sampled };
            prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        }
    }
}

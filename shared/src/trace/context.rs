//! `traceparent`, as the W3C's Trace Context, level 1, has it (<https://www.w3.org/TR/trace-context-1/>, section 3.2).
//!
//! `tracestate` is not carried: it is for vendors who take part in a trace, and nothing here reads or adds any.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

/// The length of version 00, and of the part that later versions share with it, in bytes.
const LENGTH: usize = 55;
/// The flag that says that the trace is recorded; the only one of version 00.
const SAMPLED: u8 = 0x01;

/// What all spans of a trace have in common; 32 hexadecimal digits as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(NonZeroU128);

impl TraceId {
    pub(super) fn get(self) -> u128 {
        self.0.get()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// One span of a trace, as others may refer to it. As text it is a `traceparent` of version 00.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: TraceId,
    span_id: NonZeroU64,
    sampled: bool,
}

impl TraceContext {
    /// Reads a `traceparent`. `None` for what section 3.2 calls invalid: other lengths, upper-case digits, ids that are
    /// all zero, version ff. Of later versions the first four fields count. Flags of other levels are dropped.
    pub fn parse(text: &str) -> Option<TraceContext> {
        let (known, more) = text.as_bytes().split_at_checked(LENGTH)?;
        let [v0, v1, b'-', ids @ .., b'-', f0, f1] = known else { return None };
        let version = number(&[*v0, *v1])?;
        if version == 0xff || (version == 0 && !more.is_empty()) || more.first().is_some_and(|b| *b != b'-') {
            return None;
        }
        let (trace_id, b'-', span_id) = (ids.get(..32)?, *ids.get(32)?, ids.get(33..)?) else { return None };
        let flags = u8::try_from(number(&[*f0, *f1])?).ok()?;
        Some(TraceContext {
            trace_id: TraceId(NonZeroU128::new(number(trace_id)?)?),
            span_id: NonZeroU64::new(u64::try_from(number(span_id)?).ok()?)?,
            sampled: flags & SAMPLED != 0,
        })
    }

    /// The first span of a new trace, which is recorded.
    fn begin() -> TraceContext {
        TraceContext { trace_id: TraceId(rand::random()), span_id: rand::random(), sampled: true }
    }

    /// Another span of the same trace.
    fn beside(self) -> TraceContext {
        TraceContext { span_id: rand::random(), ..self }
    }

    /// Its trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    pub(super) fn span_id(&self) -> u64 {
        self.span_id.get()
    }

    /// Whether the trace is recorded. Who began it decides.
    pub(super) fn is_sampled(&self) -> bool {
        self.sampled
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

/// Lower-case hexadecimal digits, 32 at most.
fn number(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number: u128, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(value))
    })
}

/// A span of this process: itself, and the span that it is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanPlace {
    /// Itself: what is handed on to whoever continues the trace.
    pub context: TraceContext,
    pub(super) parent: Option<NonZeroU64>,
    pub(super) parent_is_remote: bool,
}

impl SpanPlace {
    /// A span that continues what another process began, or begins a trace where there is nothing to continue.
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
        assert_eq!((context.span_id(), context.is_sampled()), (0x00f0_67aa_0ba9_02b7, true));
        assert_eq!(context.to_string(), EXAMPLE);
        assert!(!TraceContext::parse(&EXAMPLE.replace("-01", "-00")).unwrap().is_sampled());
    }

    #[test]
    fn what_is_invalid_is_not_continued() {
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
    fn a_span_is_part_of_what_it_continues_or_begins_a_trace() {
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
        fn nothing_that_is_read_panics(text in ".{0,80}") {
            let _ = TraceContext::parse(&text);
        }

        #[test]
        fn what_is_accepted_comes_back_as_it_was(text in "0[01]-[0-9a-g]{32}-[0-9a-f]{16}-0[0-2](-[ -~]{0,4})?") {
            if let Some(context) = TraceContext::parse(&text) {
                let written = context.to_string();
                prop_assert_eq!(&written[2..53], &text[2..53]);
                prop_assert_eq!(TraceContext::parse(&written), Some(context));
            }
        }

        #[test]
        fn what_is_written_is_read(trace_id: NonZeroU128, span_id: NonZeroU64, sampled: bool) {
            let context = TraceContext { trace_id: TraceId(trace_id), span_id, sampled };
            prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        }
    }
}

//! Traces: one request, its mail, and each attempt to send it, told as one story by one id.
//!
//! A request's place in its trace comes in as W3C `traceparent`, stands in its log lines and in the mail's row, and
//! goes on in the worker. That works without any collector; where one is set, finished spans are exported to it.
//!
//! Spans are made here and not from the log's spans: those follow `RUST_LOG`, and carry what is for a log only.
//! What is exported is named attribute by attribute, and none of them holds an address, a link or a path.

mod client;
mod context;
mod export;
mod span;

pub use context::{SpanPlace, TraceContext, TraceId};
pub use export::TraceError;
pub use span::{Kind, Span, Tracer};

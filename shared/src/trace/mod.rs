//! Traces: one request, its email, and each attempt to send it, under one id.
//!
//! A request's place in its trace comes in as W3C `traceparent`. It is in the request's log lines and in the row of the
//! email, and the worker continues it. This works without a collector; with one, finished spans are exported to it.
//!
//! These spans are not the log's spans: those depend on `RUST_LOG`, and have fields that are for the log only. Every
//! exported attribute is named in the code, and none of them is an address, a link or a path.

mod client;
mod context;
mod export;
mod span;

pub use client::TraceError;
pub use context::{SpanPlace, TraceContext};
pub use opentelemetry::trace::SpanKind;
pub use span::{Span, Tracer};

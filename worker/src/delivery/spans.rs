//! The spans of a delivery: the attempt, and the sending within it.
//!
//! Spans are exported: they hold no address, no link, and no text of the mail server, which quotes addresses.

use bookly_shared::db::emails::attempts::AttemptOutcome;
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::trace::{Span, SpanKind, SpanPlace, TraceContext, Tracer};

use crate::smtp::SendError;
use crate::transport::{Delivered, Transport};

/// The place of a delivery in its request's trace; an email without a trace starts one.
pub(crate) fn place_of(email: &ClaimedEmail) -> SpanPlace {
    SpanPlace::after(email.traceparent.as_deref().and_then(TraceContext::parse))
}

/// One attempt at an email, from the claim to the completed row.
pub(crate) fn delivery(tracer: &Tracer, email: &ClaimedEmail, place: &SpanPlace) -> Span {
    let mut span = tracer.span(SpanKind::Consumer, format!("deliver {}", email.kind), place);
    span.set("bookly.email.id", email.id.to_string());
    span.set("bookly.email.kind", email.kind.as_str());
    span.set("bookly.email.attempt", i64::from(email.attempts));
    span
}

/// Records the outcome of the attempt. An email that was to be sent and was not is a failure.
pub(crate) fn ended(span: &mut Span, outcome: AttemptOutcome) {
    span.set("bookly.email.outcome", outcome.as_str());
    if !matches!(outcome, AttemptOutcome::Sent | AttemptOutcome::Cancelled) {
        span.fail();
    }
}

/// The transfer of an email, with the connection and its TLS where none was open.
pub(crate) fn sending(tracer: &Tracer, transport: &Transport, place: &SpanPlace) -> Span {
    let name = match transport {
        Transport::Smtp(_) => "SMTP send",
        Transport::File(_) => "file store",
    };
    tracer.span(SpanKind::Client, name, &place.within())
}

/// Records the code of the mail server's reply.
pub(crate) fn answered(span: &mut Span, sent: &Result<Delivered, SendError>) {
    let code = match sent {
        Ok(delivered) => delivered.smtp_code(),
        Err(error) => error.code(),
    };
    if let Some(code) = code {
        span.set("smtp.response.code", i64::from(code));
    }
    if sent.is_err() {
        span.fail();
    }
}

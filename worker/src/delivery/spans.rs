//! The spans of a delivery: the attempt, and the sending within it.
//!
//! What they carry leaves this service: no address, no link, and none of the mail server's texts, which quote addresses.

use bookly_shared::db::emails::attempts::AttemptOutcome;
use bookly_shared::db::emails::claim::ClaimedEmail;
use bookly_shared::trace::{Span, SpanKind, SpanPlace, TraceContext, Tracer};

use crate::smtp::SendError;
use crate::transport::{Delivered, Transport};

/// Where a mail's delivery stands in its request's trace; a mail without one begins a trace of its own.
pub(crate) fn place_of(mail: &ClaimedEmail) -> SpanPlace {
    SpanPlace::after(mail.traceparent.as_deref().and_then(TraceContext::parse))
}

/// One attempt at a mail, from the claim to the closed row.
pub(crate) fn delivery(tracer: &Tracer, mail: &ClaimedEmail, place: &SpanPlace) -> Span {
    let mut span = tracer.span(SpanKind::Consumer, format!("deliver {}", mail.kind), place);
    span.set("bookly.mail.id", mail.id.to_string());
    span.set("bookly.mail.kind", mail.kind.as_str());
    span.set("bookly.mail.attempt", i64::from(mail.attempts));
    span
}

/// What became of the attempt. Failed is what was meant to be sent and was not.
pub(crate) fn ended(span: &mut Span, ending: AttemptOutcome) {
    span.set("bookly.mail.outcome", ending.as_str());
    if !matches!(ending, AttemptOutcome::Sent | AttemptOutcome::Cancelled) {
        span.fail();
    }
}

/// The mail's transfer, a connection and its TLS included where none was open.
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

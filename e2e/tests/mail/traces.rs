//! Traces: one id from the caller's span to the mail server's 250, and the collector that gets the spans.

use std::collections::BTreeSet;

use bookly_e2e::collector::{Collector, ReceivedSpan};
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::ports;
use bookly_e2e::prelude::*;
use bookly_e2e::stack::{self, secret_in};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLERS_SPAN_ID: &str = "00f067aa0ba902b7";
const SIGN_UP: &str = "/api/v1/auth/signup";

/// The trace ids that the log lines with this message name, in all processes of the stack; waits for so many lines.
async fn traces_in_logs(
    stack: &Stack,
    message: &str,
    route_or_kind: &str,
    count: usize,
) -> Result<Vec<String>> {
    let wanted = |line: &Value| {
        let span = &line["span"];
        line["message"] == message && (span["route"] == route_or_kind || span["kind"] == route_or_kind)
    };
    until(&format!("{count} lines {message:?}"), LIMIT, async || {
        let lines = stack.logs().into_iter().flat_map(|(_, log)| log.events()).filter(wanted);
        let traces = lines.map(|line| line["span"]["trace_id"].as_str().unwrap_or("none").to_owned());
        let traces: Vec<_> = traces.collect();
        Ok((traces.len() == count).then_some(traces))
    })
    .await
}

/// Signs up with these `traceparent` headers and waits for the mail and for the worker's line about it.
async fn sign_up(stack: &Stack, traceparents: &[&str]) -> Result<Person> {
    let person = Person::new();
    let mut request = stack.api().post("/auth/signup").json(&person);
    for traceparent in traceparents {
        request = request.header("traceparent", *traceparent);
    }
    request.expect(201).await?;
    stack.mail(&person.email, "Verify your email").await?;
    stack.settled().await?;
    Ok(person)
}

both! {
    async fn a_callers_trace_goes_on_in_the_row_and_in_the_workers_log(stack: &Stack) {
        let person = sign_up(stack, &[CALLER]).await?;
        let row = stack.sql().of_mail(&person.email, "traceparent").await?;
        ensure!(row.len() == CALLER.len() && row.starts_with(&CALLER[..36]) && row.ends_with("-01"), "{row}");
        ensure!(!row.contains(CALLERS_SPAN_ID), "the mail belongs to the API's span, not to the caller's: {row}");
        assert_eq!(traces_in_logs(stack, "answered", SIGN_UP, 1).await?, [TRACE_ID]);
        assert_eq!(traces_in_logs(stack, "email sent", "verify_email", 1).await?, [TRACE_ID]);
    }

    async fn without_a_valid_traceparent_a_request_begins_a_trace_that_its_mail_shares(stack: &Stack) {
        let (upper, zero) = (CALLER.to_uppercase(), CALLER.replace(TRACE_ID, &"0".repeat(32)));
        let wordy = format!("{CALLER}-eyJhbGciOi.a-token-in-the-wrong-header");
        let headers: [&[&str]; 5] = [&[], &[&upper], &[&zero], &[&wordy], &[CALLER, CALLER]];
        for sent in headers {
            let person = sign_up(stack, sent).await?;
            let row = stack.sql().of_mail(&person.email, "traceparent").await?;
            ensure!(!row.contains(&TRACE_ID[..8]) && row.len() == CALLER.len(), "{sent:?}: {row}");
        }
        let count = headers.len();
        let requests = BTreeSet::from_iter(traces_in_logs(stack, "answered", SIGN_UP, count).await?);
        let mails = BTreeSet::from_iter(traces_in_logs(stack, "email sent", "verify_email", count).await?);
        ensure!(requests.len() == count && requests == mails, "{requests:?} {mails:?}");
    }
}

/// Batches leave ten times a second, so that the test does not wait long for them.
fn exporting_to(endpoint: &str, kind: Kind) -> StackOptions {
    StackOptions::new(kind)
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .with("OTEL_BSP_SCHEDULE_DELAY", "100")
}

fn is_told_nothing_secret(collector: &Collector) {
    assert_eq!(collector.odd_requests(), Vec::<String>::new());
    for span in collector.spans() {
        assert_eq!(secret_in(&span.text), None, "{}", span.text);
        assert!(!span.text.contains("people.test"), "{}", span.text);
    }
}

async fn a_collector_sees_the_request_the_delivery_and_the_sending_as_one_trace(kind: Kind) -> Result<()> {
    let collector = Collector::start().await?;
    stack::run(exporting_to(&collector.endpoint(), kind), async |stack| {
        let person = sign_up(stack, &[CALLER]).await?;
        let span = async |name: &str| collector.span(LIMIT, TRACE_ID, name).await;
        let request: ReceivedSpan = span("POST /api/v1/auth/signup").await?;
        assert_eq!(request.parent_id, CALLERS_SPAN_ID);
        assert_eq!(request.attributes["http.route"], SIGN_UP);
        assert_eq!(request.attributes["http.response.status_code"], "201");
        let row = stack.sql().of_mail(&person.email, "traceparent").await?;
        ensure!(row.contains(&request.span_id), "the row names the request's span: {row}");

        let delivery = span("deliver verify_email").await?;
        assert_eq!(delivery.parent_id, request.span_id);
        // SQLite keeps ids as bytes.
        if kind == Kind::Full {
            assert_eq!(
                delivery.attributes["bookly.email.id"],
                stack.sql().of_mail(&person.email, "id").await?
            );
        }
        assert_eq!(delivery.attributes["bookly.email.kind"], "verify_email");
        assert_eq!(delivery.attributes["bookly.email.attempt"], "1");
        assert_eq!(delivery.attributes["bookly.email.outcome"], "sent");

        let (process, sending) = match kind {
            Kind::Embedded => ("bookly-api", span("file store").await?),
            Kind::Full => ("bookly-worker", span("SMTP send").await?),
        };
        assert_eq!((request.service.as_str(), delivery.service.as_str()), ("bookly-api", process));
        assert_eq!(sending.parent_id, delivery.span_id);
        if kind == Kind::Full {
            assert_eq!(sending.attributes["smtp.response.code"], "250");
        }
        let within = delivery.times.0 <= sending.times.0 && sending.times.1 <= delivery.times.1;
        ensure!(within, "{:?} is not within {:?}", sending.times, delivery.times);
        ensure!(!request.failed && !delivery.failed && !sending.failed, "nothing failed");

        // A link's path holds its token, and its page the address.
        let link = stack.link(&person.email, "Verify your email").await?;
        stack.api().post(&link).header("traceparent", CALLER).expect(200).await?;
        let press = span("POST /api/v1/auth/verify/{token}").await?;
        assert_eq!(press.attributes["http.route"], "/api/v1/auth/verify/{token}");
        is_told_nothing_secret(&collector);
        Ok(())
    })
    .await
}

async fn nothing_waits_for_a_collector_that_does_not_answer(kind: Kind) -> Result<()> {
    let collector = Collector::silent().await?;
    stack::run(exporting_to(&collector.endpoint(), kind), async |stack| {
        sign_up(stack, &[]).await?;
        collector.asked(LIMIT).await?;
        // From here on every process waits for the answer; none of these does.
        for _ in 0..5 {
            sign_up(stack, &[]).await?;
        }
        stack.stop_api().await?;
        let log = stack.api_process().log().text();
        ensure!(log.contains("the last traces could not be exported"), "{log}");
        Ok(())
    })
    .await
}

async fn an_endpoint_where_nobody_listens_costs_one_warning(kind: Kind) -> Result<()> {
    let endpoint = format!("http://127.0.0.1:{}", ports::free()?);
    stack::run(exporting_to(&endpoint, kind), async |stack| {
        let warning = |line: &str| line.contains("traces cannot be exported");
        sign_up(stack, &[]).await?;
        let api = stack.api_process();
        let line = api.log().line(LIMIT, warning).await?;
        ensure!(line.contains("Connection refused") && line.contains("WARN"), "{line}");
        for _ in 0..5 {
            sign_up(stack, &[]).await?;
        }
        stack.stop_api().await?;
        assert_eq!(api.log().lines().iter().filter(|line| warning(line)).count(), 1);
        Ok(())
    })
    .await
}

/// Batches never leave by themselves within a test.
async fn what_is_left_is_exported_at_the_stop(kind: Kind) -> Result<()> {
    let collector = Collector::start().await?;
    let options = exporting_to(&collector.endpoint(), kind).with("OTEL_BSP_SCHEDULE_DELAY", "3600000");
    let options = options.with("OTEL_SERVICE_NAME", "shop").workers(1);
    stack::run(options, async |stack| {
        sign_up(stack, &[CALLER]).await?;
        ensure!(collector.spans().is_empty(), "too early: {:#?}", collector.spans());
        for worker in stack.workers() {
            worker.signal("TERM")?;
            ensure!(worker.exited(stack::STOP_LIMIT).await?.success(), "{}", worker.log().text());
        }
        stack.stop_api().await?;
        for name in ["POST /api/v1/auth/signup", "deliver verify_email"] {
            assert_eq!(collector.span(LIMIT, TRACE_ID, name).await?.service, "shop");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_a_caller_does_not_record_is_not_exported() -> Result<()> {
    let collector = Collector::start().await?;
    stack::run(exporting_to(&collector.endpoint(), Kind::Embedded), async |stack| {
        let unrecorded = CALLER.replace("-01", "-00");
        let person = sign_up(stack, &[&unrecorded]).await?;
        ensure!(stack.sql().of_mail(&person.email, "traceparent").await?.ends_with("-00"), "as it was asked");
        let other = CALLER.replace("4bf9", "aaaa");
        sign_up(stack, &[&other]).await?;
        collector.span(LIMIT, &other[3..35], "deliver").await?;
        ensure!(collector.spans().iter().all(|span| span.trace_id != TRACE_ID), "{:#?}", collector.spans());
        Ok(())
    })
    .await
}

on_both!(
    a_collector_sees_the_request_the_delivery_and_the_sending_as_one_trace,
    nothing_waits_for_a_collector_that_does_not_answer,
    an_endpoint_where_nobody_listens_costs_one_warning,
    what_is_left_is_exported_at_the_stop
);

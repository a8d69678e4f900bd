use axum::http::{Method, Request};
use bookly_shared::metrics::Exporter;

use crate::serve::Limits;
use crate::testing::{TestApp, request, with_body, with_header, with_token};

const SIGN_UP: &str = r#"{"first_name": "Ann", "last_name": "Smith", "username": "ann",
                          "email": "ann@example.org", "password": "correct horse battery"}"#;

/// As Prometheus on this machine asks.
fn local() -> Request<axum::body::Body> {
    with_header(request(Method::GET, "/metrics"), "host", "localhost:8000")
}

fn from_elsewhere(path: &str) -> Request<axum::body::Body> {
    // Without a peer: 0.0.0.0.
    Request::builder().method(Method::GET).uri(path).body(axum::body::Body::empty()).unwrap()
}

/// The value of a series, by its whole name with labels; 0 for one that is not there.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

#[tokio::test]
async fn a_sign_up_moves_the_counters_of_requests_hashes_and_mails() {
    let (recorder, exporter) = Exporter::detached().unwrap();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let app = TestApp::measured_by(exporter, &[], Limits::default()).await;
    let sign_up = with_body(request(Method::POST, "/api/v1/auth/signup"), "application/json", SIGN_UP);
    assert_eq!(app.send(sign_up).await.status, 201);
    assert_eq!(app.get("/api/v1/nowhere/ann@example.org").await.status, 404);

    let answer = app.send(local()).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some(bookly_shared::metrics::CONTENT_TYPE));
    let text = answer.text;
    let signups = r#"bookly_http_requests_total{method="POST",route="/api/v1/auth/signup",status="201"}"#;
    assert_eq!(value(&text, signups), 1.0, "{text}");
    assert_eq!(value(&text, r#"bookly_http_requests_total{method="GET",route="none",status="404"}"#), 1.0);
    let seconds = r#"bookly_http_request_duration_seconds_count{method="POST",route="/api/v1/auth/signup"}"#;
    assert_eq!(value(&text, seconds), 1.0, "{text}");
    assert_eq!(value(&text, r#"bookly_emails_queued_total{kind="verify_email"}"#), 1.0, "{text}");
    assert_eq!(value(&text, r#"bookly_emails_open{state="queued"}"#), 1.0, "{text}");
    assert_eq!(value(&text, "bookly_hash_queue_wait_seconds_count"), 1.0, "{text}");
    assert_eq!(value(&text, "bookly_database_up"), 1.0, "{text}");
    assert_eq!(value(&text, "bookly_http_requests_in_flight"), 1.0, "only the scrape: {text}");
    assert!(!text.contains("ann@"), "an address in a label: {text}");
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_shown_and_its_values_are_unknown() {
    let (recorder, exporter) = Exporter::detached().unwrap();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let app = TestApp::measured_by(exporter, &[], Limits::default()).await;
    app.state().db.close().await;
    let text = app.send(local()).await.text;
    assert_eq!(value(&text, "bookly_database_up"), 0.0, "{text}");
    assert!(value(&text, r#"bookly_emails_open{state="queued"}"#).is_nan(), "{text}");
}

#[tokio::test]
async fn without_a_token_clients_from_elsewhere_find_no_metrics() {
    let app = TestApp::new().await;
    assert_eq!(app.send(from_elsewhere("/metrics")).await.error(), (404, "not_found".into()));
    let forwarded = with_header(local(), "x-forwarded-for", "192.0.2.1");
    assert_eq!(app.send(forwarded).await.error(), (404, "not_found".into()));
}

#[tokio::test]
async fn the_token_opens_the_metrics_from_everywhere_and_without_it_the_answer_is_401() {
    let app = TestApp::with(&[("METRICS_TOKEN", "scrape-me-scrape-me")], Limits::default()).await;
    let refused = app.send(from_elsewhere("/metrics")).await;
    assert_eq!(refused.error(), (401, "not_authenticated".into()));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    let wrong = with_token(from_elsewhere("/metrics"), "scrape-it");
    assert_eq!(app.send(wrong).await.status, 401);
    let right = with_token(from_elsewhere("/metrics"), "scrape-me-scrape-me");
    assert_eq!(app.send(right).await.status, 200);
}

#[tokio::test]
async fn behind_a_proxy_that_adds_no_header_the_metrics_need_the_token() {
    let app = TestApp::with(&[("DOMAIN", "bookly.example.org")], Limits::default()).await;
    assert_eq!(app.send(local()).await.error(), (404, "not_found".into()));
    let settings = [("DOMAIN", "bookly.example.org"), ("METRICS_TOKEN", "scrape-me-scrape-me")];
    let app = TestApp::with(&settings, Limits::default()).await;
    assert_eq!(app.send(local()).await.error(), (401, "not_authenticated".into()));
    assert_eq!(app.send(with_token(local(), "scrape-me-scrape-me")).await.status, 200);
}

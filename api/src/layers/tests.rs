use std::time::Duration;

use axum::routing::get;

use super::*;
use crate::serve::Limits;
use crate::testing::{Log, TestApp, request, send_to, with_header, with_token};

async fn wrapped(app: &TestApp) -> Router {
    let routes = Router::new()
        .route("/panic", get(async || -> &'static str { panic!("the secret is 42") }))
        .route("/hang", get(std::future::pending::<&'static str>))
        .route("/page", get(async || axum::response::Html("<p>")))
        .route("/link/{token}", get(async || ApiError::LinkInvalid));
    wrap(routes, app.state()).with_state(app.state().clone())
}

#[tokio::test]
async fn a_panic_is_a_500_that_says_nothing() {
    let app = TestApp::new().await;
    let answer = send_to(wrapped(&app).await, request(Method::GET, "/panic")).await;
    assert_eq!(answer.error(), (500, "server_error".into()));
    assert!(!answer.text.contains("42"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_answered_408() {
    let limits = Limits { request: Duration::from_millis(20), ..Limits::default() };
    let app = TestApp::with(&[], limits).await;
    let answer = send_to(wrapped(&app).await, request(Method::GET, "/hang")).await;
    assert_eq!(answer.error(), (408, "request_timeout".into()));
}

#[tokio::test]
async fn answers_carry_headers_that_protect_them() {
    let app = TestApp::new().await;
    let json = send_to(wrapped(&app).await, request(Method::GET, "/link/t")).await;
    assert_eq!(json.header("content-security-policy"), Some(NO_CONTENT_POLICY));
    assert_eq!(json.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(json.header("cache-control"), Some("no-store"));
    assert_eq!(json.header("strict-transport-security"), None);
    let page = send_to(wrapped(&app).await, request(Method::GET, "/page")).await;
    assert!(page.header("content-security-policy").unwrap().contains("style-src"));
}

#[tokio::test]
async fn hsts_is_for_services_that_people_reach_by_tls() {
    let app = TestApp::with(&[("DOMAIN", "bookly.example.org")], Limits::default()).await;
    let answer = send_to(wrapped(&app).await, request(Method::GET, "/page")).await;
    assert_eq!(answer.header("strict-transport-security"), Some(HSTS));
}

#[tokio::test]
async fn a_plain_request_id_is_used_and_an_odd_one_is_replaced() {
    let app = TestApp::new().await;
    let id = async |sent: &str| {
        let request = with_header(request(Method::GET, "/page"), "x-request-id", sent);
        let answer = send_to(wrapped(&app).await, request).await;
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(id("trace-1.a_B").await, "trace-1.a_B");
    for odd in ["", "a b", "a=\"x\"", "ä", &"x".repeat(65)] {
        assert_ne!(id(odd).await, odd);
        assert!(id(odd).await.parse::<Uuid>().is_ok());
    }
}

#[tokio::test]
async fn the_log_names_the_route_and_the_error_but_no_token() {
    let app = TestApp::new().await;
    let (log, guard) = Log::of_this_thread(tracing::Level::TRACE);
    let request = with_token(request(Method::GET, "/link/link-token?next=query-token"), "bearer-token");
    send_to(wrapped(&app).await, request).await;
    drop(guard);
    let text = log.text();
    assert!(text.contains("/link/{token}") && text.contains("invalid_token"), "{text}");
    assert!(!text.contains("-token"), "{text}");
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_and_is_told_so_as_it_wants_to_be() {
    let app = TestApp::new().await;
    let evil = |method| with_header(request(method, "/page"), "origin", "https://evil.example");
    assert_eq!(send_to(wrapped(&app).await, evil(Method::GET)).await.status, 200);
    for method in [Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
        let answer = send_to(wrapped(&app).await, evil(method.clone())).await;
        assert_eq!(answer.error(), (403, "insufficient_permissions".into()), "{method}");
        let browser = with_header(evil(method), "accept", "text/html");
        let page = send_to(wrapped(&app).await, browser).await;
        assert_eq!(
            (page.status.as_u16(), page.header("content-type")),
            (403, Some("text/html; charset=utf-8"))
        );
    }
}

#[tokio::test]
async fn no_other_site_may_call_unless_cors_origins_names_it() {
    let asked_from = |origin| with_header(request(Method::GET, "/api/v1/books"), "origin", origin);
    let closed = TestApp::new().await;
    let answer = closed.send(asked_from("https://app.example.org")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);

    let settings = [("CORS_ORIGINS", "https://app.example.org, http://localhost:3000")];
    let open = TestApp::with(&settings, Limits::default()).await;
    let answer = open.send(asked_from("https://app.example.org")).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.org"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let answer = open.send(asked_from("https://evil.example")).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::serve::Limits;
use crate::testing::{TestApp, request, with_body, with_header};

#[tokio::test]
async fn an_unknown_path_is_404_with_the_body_of_all_errors() {
    let answer = TestApp::new().await.get("/api/v1/nothing").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    let body = json!({"message": "Not found", "error_code": "not_found", "detail": "Not found"});
    assert_eq!(answer.json(), body);
}

#[tokio::test]
async fn an_unknown_path_is_a_page_for_a_browser_in_its_language() {
    let browser = with_header(request(Method::GET, "/nothing"), "accept", "text/html,*/*;q=0.8");
    let answer = TestApp::new().await.send(with_header(browser, "accept-language", "de")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.text.contains("<h1>Diese Seite gibt es nicht</h1>"), "{}", answer.text);
}

#[tokio::test]
async fn a_wrong_method_is_405_and_names_the_allowed_ones() {
    let answer = TestApp::new().await.send(request(Method::PUT, "/api/v1/books/")).await;
    assert_eq!(answer.error(), (405, "method_not_allowed".into()));
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
}

#[tokio::test]
async fn it_is_live_and_ready_until_the_database_is_closed() {
    let app = TestApp::new().await;
    assert_eq!(app.get("/health/live").await.json(), json!({"status": "live"}));
    assert_eq!(app.get("/health/ready").await.json(), json!({"status": "ready"}));
    app.state().db.close().await;
    let answer = app.get("/health/ready").await;
    assert_eq!(answer.error(), (503, "unavailable".into()));
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(app.get("/health/live").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_start_page_says_what_runs_and_where_the_inbox_is() {
    let answer = TestApp::new().await.get("/").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.text.contains("SQLite") && answer.text.contains("href=\"/inbox\""), "{}", answer.text);
}

#[tokio::test]
async fn where_others_come_the_start_page_has_only_the_products_name() {
    let domain = ("DOMAIN", "id.acme.test");
    let app = TestApp::with(&[domain, ("APP_NAME", "Acme")], Limits::default()).await;
    let answer = app.get("/").await;
    assert!(answer.status == StatusCode::OK && answer.text.contains("<h1>Acme</h1>"), "{}", answer.text);
    for told in ["SQLite", env!("CARGO_PKG_VERSION"), "curl", "/inbox", "/health"] {
        assert!(!answer.text.contains(told), "{told}: {}", answer.text);
    }
    let app = TestApp::with(&[domain, ("HOME_URL", "https://www.acme.test/")], Limits::default()).await;
    let answer = app.get("/").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (StatusCode::SEE_OTHER, Some("https://www.acme.test/"))
    );
    let local = TestApp::with(&[("HOME_URL", "https://www.acme.test/")], Limits::default()).await;
    assert!(local.get("/").await.text.contains("SQLite"));
}

#[tokio::test]
async fn a_slash_at_the_end_of_a_path_makes_no_difference() {
    let app = TestApp::new().await;
    for (path, status) in [
        ("/api/v1/auth/me/", 401),
        ("/api/v1/books/?limit=1", 401),
        ("/api/v1/auth/verify/x/", 400),
        ("/api/v1/auth/password-reset-request/", 200),
        ("/health/live/", 200),
        ("/admin/login/", 200),
        ("/api/v1/docs/", 200),
        ("/", 200),
        ("/api/v1/nothing/", 404),
        ("/api/v1/auth/me//", 404),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.text);
        assert_eq!(answer.header("location"), None, "{path}");
    }
    let body = json!({"email": "a@example.org", "password": "not the one"}).to_string();
    let login = with_body(request(Method::POST, "/api/v1/auth/login/"), "application/json", body);
    assert_eq!(app.send(login).await.error(), (400, "invalid_email_or_password".into()));
}

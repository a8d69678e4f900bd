use axum::body::Body;
use axum::http::{Method, Request};
use bookly_shared::db::suppressions::SuppressionFilter;
use bookly_shared::domain::{EmailKind, Role};
use serde_json::json;

use super::*;
use crate::testing::{Log, TestApp, request, with_body, with_header, with_token};

const MULTIPART: &str =
    "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";

fn path(app: &TestApp, email: &str) -> String {
    let token = app.state().links.sign_unsubscribe(email, app.state().now());
    format!("/api/v1/unsubscribe/{}", token.as_str())
}

async fn suppressed(app: &TestApp) -> Vec<(String, String)> {
    let state = app.state();
    let (rows, _) = state.db.suppressions(&SuppressionFilter::default(), 100, state.now()).await.unwrap();
    rows.into_iter().map(|row| (row.mailbox, row.reason)).collect()
}

fn from_browser(request: Request<Body>) -> Request<Body> {
    with_header(request, "accept", "text/html,application/xhtml+xml,*/*;q=0.8")
}

#[tokio::test]
async fn one_click_unsubscribes_whatever_form_a_mail_program_sends() {
    let app = TestApp::new().await;
    let post = |address: &str| request(Method::POST, &path(&app, address));
    let form = "application/x-www-form-urlencoded";
    let one_click = "List-Unsubscribe=One-Click";
    let requests = [
        ("a", with_body(post("A+x@example.org"), form, one_click)),
        ("b", with_body(post("b+x@example.org"), "multipart/form-data; boundary=x", MULTIPART)),
        ("c", post("c+x@example.org")),
        // A mail program in a browser: another site, with and without its origin.
        (
            "d",
            with_header(with_body(post("d+x@example.org"), form, one_click), "sec-fetch-site", "cross-site"),
        ),
        ("e", with_header(with_body(post("e+x@example.org"), form, one_click), "origin", "null")),
        ("e", with_header(post("e+x@example.org"), "accept", "application/json")),
    ];
    let mut expected = Vec::new();
    for (name, request) in requests {
        let answer = app.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()),
            (200, json!({"message": "Unsubscribed"})),
            "{name}"
        );
        assert_eq!(answer.header("set-cookie"), None);
        expected.push((format!("{name}+x@example.org"), "unsubscribe".to_owned()));
    }
    expected.dedup();
    let mut stored = suppressed(&app).await;
    stored.sort();
    assert_eq!(stored, expected, "each once, with its tag");
    assert!(!SuppressionReason::Unsubscribe.holds_for(EmailKind::ResetPassword));
}

#[tokio::test]
async fn a_mail_program_that_posts_again_changes_and_logs_nothing() {
    let app = TestApp::new().await;
    let link = path(&app, "zoe@example.org");
    let entry = async || {
        let state = app.state();
        state.db.suppressions(&SuppressionFilter::default(), 9, state.now()).await.unwrap().0
    };
    let (log, guard) = Log::of_this_thread(tracing::Level::INFO);
    let mut entries = Vec::new();
    for _ in 0..3 {
        assert_eq!(app.send(request(Method::POST, &link)).await.status, 200);
        entries.push(entry().await);
    }
    drop(guard);
    assert_eq!(log.text().matches("unsubscribed").count(), 1, "{}", log.text());
    assert!(entries.iter().all(|entry| *entry == entries[0] && entry.len() == 1), "{entries:?}");
}

#[tokio::test]
async fn the_link_opens_a_page_with_a_button_and_changes_nothing() {
    let app = TestApp::new().await;
    let link = path(&app, "zoe@example.org");
    for method in [Method::GET, Method::HEAD] {
        let answer = app.send(from_browser(request(method.clone(), &link))).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        let has_button =
            answer.text.contains("<form method=\"post\">") && answer.text.contains("zoe@example.org");
        assert_eq!(has_button, method == Method::GET, "{}", answer.text);
    }
    assert_eq!(app.get(&link).await.status, 200, "for programs, too");
    assert!(suppressed(&app).await.is_empty());
    let pressed = with_body(request(Method::POST, &link), "application/x-www-form-urlencoded", "");
    let answer = app.send(with_header(from_browser(pressed), "sec-fetch-site", "same-origin")).await;
    assert_eq!(answer.status, 200);
    assert!(answer.text.contains("You are unsubscribed"), "{}", answer.text);
    assert_eq!(suppressed(&app).await.len(), 1);
}

#[tokio::test]
async fn the_page_has_the_language_of_the_account() {
    let app = TestApp::new().await;
    let zoe = app.log_in("zoe@example.org", Role::User, true).await;
    let patch =
        with_body(request(Method::PATCH, "/api/v1/auth/me"), "application/json", "{\"locale\": \"de\"}");
    assert_eq!(app.send(with_token(patch, &zoe.access)).await.status, 200);
    let page = app.get(&path(&app, "zoe@example.org")).await;
    assert_eq!(page.header("content-language"), Some("de"), "{}", page.text);
    let page = app.get(&path(&app, "nobody@example.org")).await;
    assert_eq!(page.header("content-language"), Some("en"), "{}", page.text);
}

#[tokio::test]
async fn no_other_token_unsubscribes() {
    let app = TestApp::new().await;
    let zoe = app.log_in("zoe@example.org", Role::User, false).await;
    let other = super::super::link::verification_token(app.state(), &zoe.user);
    let mine = path(&app, "zoe@example.org");
    for link in [
        format!("/api/v1/unsubscribe/{}", other.as_str()),
        "/api/v1/unsubscribe/x".into(),
        format!("{mine}x"),
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = app.send(request(method.clone(), &link)).await;
            assert_eq!(answer.error(), (400, "invalid_token".into()), "{method}");
            let page = app.send(from_browser(request(method, &link))).await;
            assert_eq!(
                (page.status.as_u16(), page.header("content-type")),
                (400, Some("text/html; charset=utf-8"))
            );
        }
    }
    assert!(suppressed(&app).await.is_empty());
}

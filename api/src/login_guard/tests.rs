//! How fast passwords may be tried, through the login endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};

use bookly_shared::db::users::{Change, User};
use bookly_shared::domain::EmailAddress;
use bookly_shared::links::{LinkClaims, Purpose};

use crate::serve::Limits;
use crate::testing::{Answer, TestApp, request, with_body, with_token};

const PASSWORD: &str = "a long secret";

/// On a busy machine, too, no wait of two seconds ends while passwords are hashed, and no request takes too long.
async fn app() -> TestApp {
    let limits = Limits { request: Duration::from_secs(600), ..Limits::default() };
    let app = TestApp::with(&[("RATE_LIMIT", "off")], limits).await;
    app.state().clock.stand_still();
    let body = format!(
        r#"{{"first_name":"Ann","last_name":"Smith","username":"ann","email":"ann@example.org","password":"{PASSWORD}"}}"#
    );
    let signed_up = app.send(post("/api/v1/auth/signup", "192.0.2.1", body)).await;
    assert_eq!(signed_up.status, 201, "{}", signed_up.text);
    app
}

async fn user(app: &TestApp) -> User {
    app.state().db.user_of_mailbox("ann@example.org").await.unwrap().unwrap()
}

async fn verify(app: &TestApp) {
    let email = EmailAddress::parse("ann@example.org").unwrap();
    let verified =
        app.state().db.verify_account(user(app).await.uid, &email, app.state().now()).await.unwrap();
    assert!(matches!(verified, Change::Made(())));
}

/// Sets the same password by a link, from this client.
async fn reset(app: &TestApp, client: &str) {
    let (user, state) = (user(app).await, app.state());
    let version = Some(user.auth_version);
    let claims = LinkClaims { email: user.email.clone(), uid: user.uid, version, change: None };
    let token = state.links.sign(Purpose::PasswordReset, &claims, state.now());
    let path = format!("/api/v1/auth/password-reset-confirm/{}", token.as_str());
    let body = format!(r#"{{"new_password":"{PASSWORD}","confirm_new_password":"{PASSWORD}"}}"#);
    let answer = app.send(post(&path, client, body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

/// Changes the password to the same one, from this client.
async fn change_password(app: &TestApp, client: &str) {
    let login = log_in(app, client, "ann@example.org", PASSWORD).await.json();
    let body = format!(
        r#"{{"current_password":"{PASSWORD}","new_password":"{PASSWORD}","confirm_new_password":"{PASSWORD}"}}"#
    );
    let request = post("/api/v1/auth/password-change", client, body);
    let answer = app.send(with_token(request, login["access_token"].as_str().unwrap())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

fn post(path: &str, client: &str, body: String) -> Request<Body> {
    let mut request = with_body(request(Method::POST, path), "application/json", body);
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(client.parse().unwrap(), 1)));
    request
}

async fn log_in(app: &TestApp, client: &str, email: &str, password: &str) -> Answer {
    let body = format!(r#"{{"email":"{email}","password":"{password}"}}"#);
    app.send(post("/api/v1/auth/login", client, body)).await
}

async fn fail_five_times(app: &TestApp, client: &str, email: &str) {
    for _ in 0..5 {
        let answer = log_in(app, client, email, "not the one").await;
        assert_eq!(answer.error(), (400, "invalid_email_or_password".into()));
    }
}

#[tokio::test]
async fn after_five_failures_an_address_waits_whether_an_account_has_it_or_not() {
    let app = app().await;
    for email in ["ann@example.org", "nobody@example.org"] {
        fail_five_times(&app, "198.51.100.1", email).await;
        // The same from another network, in capitals, and with the right password.
        let answer = log_in(&app, "203.0.113.1", &email.to_uppercase(), PASSWORD).await;
        assert_eq!(answer.error(), (429, "too_many_requests".into()));
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3).contains(&wait), "{wait}");
    }
}

#[tokio::test]
async fn failures_from_other_networks_do_not_lock_out_a_network_that_logged_in_lately() {
    let app = app().await;
    verify(&app).await;
    assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, 200);
    fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
    assert_eq!(log_in(&app, "198.51.100.1", "ann@example.org", PASSWORD).await.status, 429);
    // Another client of the same network.
    assert_eq!(log_in(&app, "192.0.2.77", "ann@example.org", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_successful_login_resets_the_count_of_failures() {
    let app = app().await;
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", "not the one").await.status, 400);
        }
        assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn fifty_attempts_at_once_are_counted_one_after_the_other() {
    let app = app().await;
    let guesses = (0..50).map(|_| log_in(&app, "198.51.100.1", "ann@example.org", "not the one"));
    let answers = futures_util::future::join_all(guesses).await;
    let hashed = answers.iter().filter(|answer| answer.status == 400).count();
    assert_eq!(hashed, 5, "only the attempts without a wait are hashed");
    for answer in &answers {
        assert!(answer.status == 400 || answer.status == 429, "{} {}", answer.status, answer.text);
    }
}

/// Anyone can sign up with another person's address: logins before the verification say nothing about the owner.
#[tokio::test]
async fn a_login_of_an_unverified_account_makes_no_network_known() {
    let app = app().await;
    assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, 200);
    verify(&app).await;
    fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
    assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn a_reset_forgets_the_known_networks() {
    let app = app().await;
    verify(&app).await;
    assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, 200);
    reset(&app, "203.0.113.1").await;
    fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
    assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, 429);
}

/// A guesser who goes on after the reset would else keep the owner out again.
#[tokio::test]
async fn the_network_of_a_reset_is_known_at_once() {
    let app = app().await;
    fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
    reset(&app, "192.0.2.1").await;
    fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
    assert_eq!(log_in(&app, "192.0.2.77", "ann@example.org", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_change_of_the_password_leaves_its_own_network_known_if_the_account_is_verified() {
    for (verified, status) in [(true, 200), (false, 429)] {
        let app = app().await;
        if verified {
            verify(&app).await;
        }
        change_password(&app, "192.0.2.1").await;
        fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
        assert_eq!(log_in(&app, "192.0.2.1", "ann@example.org", PASSWORD).await.status, status, "{verified}");
    }
}

/// Each known network has a count of failures of its own, so their number bounds the guesses without a wait.
#[tokio::test]
async fn an_address_has_ten_known_networks_at_most() {
    let app = app().await;
    verify(&app).await;
    // Each login is later than the one before it.
    app.state().clock.synchronise(&app.state().db).await.unwrap();
    for network in 0..12 {
        let client = format!("192.0.{network}.1");
        assert_eq!(log_in(&app, &client, "ann@example.org", PASSWORD).await.status, 200);
    }
    app.state().clock.stand_still();
    fail_five_times(&app, "198.51.100.1", "ann@example.org").await;
    assert_eq!(log_in(&app, "192.0.11.9", "ann@example.org", PASSWORD).await.status, 200, "a known network");
    assert_eq!(
        log_in(&app, "192.0.0.9", "ann@example.org", PASSWORD).await.status,
        429,
        "a forgotten network"
    );
}

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::Method;
use axum::routing::get;

use super::*;
use crate::serve::Limits;
use crate::testing::{Answer, TestApp, request, send_to};

fn from_peer(peer: &str) -> Request<Body> {
    let mut request = request(Method::GET, "/door");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
    request
}

fn key(peer: &str) -> IpAddr {
    ClientKey::new(&[]).extract(&from_peer(peer)).unwrap()
}

/// Two rate_limiter, limited by two calls of `layer`.
fn rate_limiter(app: &TestApp) -> Router {
    let state = app.state();
    let door = |path: &str| Router::new().route(path, get(async || "in")).layer(layer(state));
    door("/door").merge(door("/other")).with_state(state.clone())
}

async fn knock(rate_limiter: &Router, peer: &str, times: u32) -> Vec<Answer> {
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(send_to(rate_limiter.clone(), from_peer(peer)).await);
    }
    answers
}

#[test]
fn ipv6_clients_are_told_apart_by_their_64_network() {
    assert_eq!(key("2001:db8:1:2:3::4"), key("2001:db8:1:2:ffff::"));
    assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
    assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
}

#[tokio::test]
async fn beyond_its_burst_a_client_is_told_when_to_come_again_and_others_are_let_in() {
    let app = TestApp::new().await;
    let rate_limiter = rate_limiter(&app);
    // The bucket may refill by one while the burst is sent.
    let answers = knock(&rate_limiter, "192.0.2.1", BURST + 10).await;
    assert!(answers[..BURST as usize].iter().all(|answer| answer.text == "in"));
    let refused = answers.iter().find(|answer| answer.text != "in").unwrap();
    assert_eq!(refused.error(), (429, "too_many_requests".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(knock(&rate_limiter, "192.0.2.2", 1).await[0].text, "in");
}

#[tokio::test]
async fn all_doors_share_a_clients_burst() {
    let app = TestApp::new().await;
    let rate_limiter = rate_limiter(&app);
    knock(&rate_limiter, "192.0.2.1", BURST + 10).await;
    let mut other = from_peer("192.0.2.1");
    *other.uri_mut() = "/other".parse().unwrap();
    assert_eq!(send_to(rate_limiter, other).await.status, 429);
}

#[tokio::test]
async fn rate_limit_off_lifts_the_limit() {
    let app = TestApp::with(&[("RATE_LIMIT", "off")], Limits::default()).await;
    let answers = knock(&rate_limiter(&app), "192.0.2.1", BURST + 10).await;
    assert!(answers.iter().all(|answer| answer.text == "in"));
}

#[tokio::test]
async fn addresses_that_do_not_come_again_are_forgotten() {
    let app = TestApp::new().await;
    let rate_limiter = rate_limiter(&app);
    for number in 0..200 {
        knock(&rate_limiter, &format!("198.51.100.{number}"), 1).await;
    }
    let limiter = app.state().rate_limiter.0.as_ref().unwrap().limiter().clone();
    assert_eq!(limiter.len(), 200);
    // Each has its whole burst again after a second.
    while !limiter.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        app.state().rate_limiter.forget_idle();
    }
}

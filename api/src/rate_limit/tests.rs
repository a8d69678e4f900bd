use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use super::*;
use crate::serve::Limits;
use crate::testing::{Answer, TestApp, request, send_to};

fn from_peer(peer: &str) -> axum::http::Request<Body> {
    let mut request = request(Method::GET, "/one");
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
    request
}

fn counters(app: &TestApp) -> Arc<Counters> {
    app.state().rate_limiter.0.clone().unwrap()
}

/// Two routes, limited by two layers.
fn limited_routes(app: &TestApp) -> Router {
    let route = |path: &str| {
        let limited = from_fn_with_state(app.state().rate_limiter.clone(), limit);
        Router::new().route(path, get(async || "in")).layer(limited)
    };
    route("/one").merge(route("/other"))
}

async fn send_many(routes: &Router, peer: &str, times: u32) -> Vec<Answer> {
    let mut answers = Vec::new();
    for _ in 0..times {
        answers.push(send_to(routes.clone(), from_peer(peer)).await);
    }
    answers
}

#[tokio::test]
async fn ipv6_clients_are_told_apart_by_their_64_network() {
    let app = TestApp::new().await;
    let client = |peer: &str| {
        let request = from_peer(peer);
        counters(&app).client(Peer::of(request.extensions()), request.headers())
    };
    assert_eq!(client("2001:db8:1:2:3::4"), client("2001:db8:1:2:ffff::"));
    assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
    assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
    assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
}

#[tokio::test]
async fn beyond_its_burst_a_client_is_told_when_to_come_again_and_others_are_let_in() {
    let app = TestApp::new().await;
    let routes = limited_routes(&app);
    // The bucket may refill by one while the burst is sent.
    let answers = send_many(&routes, "192.0.2.1", BURST + 10).await;
    assert!(answers[..BURST as usize].iter().all(|answer| answer.text == "in"));
    let refused = answers.iter().find(|answer| answer.text != "in").unwrap();
    assert_eq!(refused.error(), (429, "too_many_requests".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(send_many(&routes, "192.0.2.2", 1).await[0].text, "in");
}

#[tokio::test]
async fn all_routes_share_a_clients_burst() {
    let app = TestApp::new().await;
    let routes = limited_routes(&app);
    send_many(&routes, "192.0.2.1", BURST + 10).await;
    let mut other = from_peer("192.0.2.1");
    *other.uri_mut() = "/other".parse().unwrap();
    assert_eq!(send_to(routes, other).await.status, 429);
}

#[tokio::test]
async fn rate_limit_off_lifts_the_limit() {
    let app = TestApp::with(&[("RATE_LIMIT", "off")], Limits::default()).await;
    let answers = send_many(&limited_routes(&app), "192.0.2.1", BURST + 10).await;
    assert!(answers.iter().all(|answer| answer.text == "in"));
}

#[tokio::test]
async fn addresses_that_do_not_come_again_are_forgotten() {
    let app = TestApp::new().await;
    let routes = limited_routes(&app);
    for number in 0..200 {
        send_many(&routes, &format!("198.51.100.{number}"), 1).await;
    }
    let counters = counters(&app);
    assert_eq!(counters.own.len(), 200);
    // Each has its whole burst again after a second.
    while !counters.own.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        app.state().rate_limiter.forget_idle();
    }
}

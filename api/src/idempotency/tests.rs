use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::routing::post;
use tokio::sync::Notify;
use utoipa::openapi::Paths;

use super::key::key_of;
use super::*;
use crate::error::ApiError;
use crate::extract::JsonBytes;
use crate::layers;
use crate::testing::{Answer, TestApp, request, send_to, with_body, with_header};

const JSON: &str = "application/json";

/// A route whose handler gives the statuses one after the other, and the number of its calls as the body.
struct Scripted {
    _app: TestApp,
    calls: Arc<AtomicUsize>,
    router: Router,
}

impl Scripted {
    async fn answering(statuses: &[u16]) -> Scripted {
        let (app, calls) = (TestApp::new().await, Arc::new(AtomicUsize::new(0)));
        let (script, counted) = (Arc::new(Mutex::new(statuses.to_vec())), calls.clone());
        let handler = async move || {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            let status = script.lock().unwrap().remove(0);
            assert_ne!(status, 0, "a panic of the handler");
            (StatusCode::from_u16(status).unwrap(), [("x-of-the-handler", "kept")], call.to_string())
        };
        let (_, _, methods) = once::<JsonBytes>(app.state(), (Vec::new(), Paths::new(), post(handler)));
        let routes = layers::wrap(Router::new().route("/x", methods), app.state());
        let router = routes.with_state(app.state().clone());
        Scripted { _app: app, calls, router }
    }

    async fn send(&self, key: &str, content_type: &str, body: &str) -> Answer {
        let request = with_body(request(Method::POST, "/x"), content_type, body.to_owned());
        send_to(self.router.clone(), with_header(request, "idempotency-key", key)).await
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

#[test]
fn a_key_has_between_1_and_255_visible_ascii_characters_and_comes_once() {
    let read = |values: &[&[u8]]| {
        let value = |value: &&[u8]| (IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).unwrap());
        key_of(&values.iter().map(value).collect::<HeaderMap>())
    };
    let longest = [b'k'; 255];
    for good in [&b"!"[..], b"~", b"\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", b"a,b;c=d", &longest] {
        assert_eq!(read(&[good]).unwrap().as_bytes(), good);
    }
    for bad in [&b""[..], b"a b", b"a\tb", b"\xc3\xbc", b"\xff", &[b'k'; 256]] {
        assert_eq!(read(&[bad]), Err(ApiError::InvalidIdempotencyKey), "{bad:?}");
    }
    assert_eq!(read(&[b"a", b"a"]), Err(ApiError::InvalidIdempotencyKey));
}

#[tokio::test]
async fn an_answer_is_stored_with_the_headers_of_its_handler() {
    for status in [200, 201, 400, 404, 409, 422] {
        let scripted = Scripted::answering(&[status]).await;
        let first = scripted.send("k", JSON, "{}").await;
        let again = scripted.send("k", JSON, "{}").await;
        for answer in [&first, &again] {
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), (status, "0"));
            assert_eq!(answer.header("x-of-the-handler"), Some("kept"));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        }
        assert_ne!(first.header("x-request-id"), again.header("x-request-id"));
        assert_eq!(scripted.calls(), 1);
    }
}

#[tokio::test]
async fn answers_with_401_403_429_and_5xx_and_panics_are_not_stored() {
    for status in [401, 403, 429, 500, 503, 0] {
        let scripted = Scripted::answering(&[status, 200]).await;
        let first = scripted.send("k", JSON, "{}").await;
        assert_eq!(first.status.as_u16(), if status == 0 { 500 } else { status });
        // A panic gives the key back beside the answer.
        let again = loop {
            let again = scripted.send("k", JSON, "{}").await;
            if again.status != StatusCode::CONFLICT {
                break again;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!((again.status.as_u16(), again.text.as_str()), (200, "1"), "{status}");
    }
}

#[tokio::test]
async fn what_comes_before_the_key_is_not_stored() {
    let scripted = Scripted::answering(&[200]).await;
    assert_eq!(scripted.send("k", "text/plain", "{}").await.error(), (415, "unsupported_media_type".into()));
    let large = "x".repeat(70_000);
    assert_eq!(scripted.send("a b", JSON, &large).await.error(), (413, "body_too_large".into()));
    assert_eq!(scripted.send("a b", JSON, "{}").await.error(), (400, "invalid_idempotency_key".into()));
    assert_eq!(scripted.send("k", JSON, "{}").await.status, 200);
    assert_eq!(scripted.send("k", JSON, "{ }").await.error(), (422, "idempotency_key_reused".into()));
}

#[tokio::test]
async fn without_a_key_every_request_is_handled() {
    let scripted = Scripted::answering(&[200, 200]).await;
    for _ in 0..2 {
        let request = with_body(request(Method::POST, "/x"), JSON, "{}");
        send_to(scripted.router.clone(), request).await;
    }
    assert_eq!(scripted.calls(), 2);
}

#[tokio::test]
async fn a_client_that_goes_away_before_its_answer_gives_the_key_back() {
    let app = TestApp::new().await;
    let (begun, calls) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let handler = {
        let begun = begun.clone();
        async move || {
            if calls.fetch_add(1, Ordering::Relaxed) == 0 {
                begun.notify_one();
                pending::<()>().await;
            }
            "done"
        }
    };
    let (_, _, methods) = once::<JsonBytes>(app.state(), (Vec::new(), Paths::new(), post(handler)));
    let router: Router = Router::new().route("/x", methods).with_state(app.state().clone());
    let send = || {
        let request = with_body(request(Method::POST, "/x"), JSON, "{}");
        send_to(router.clone(), with_header(request, "idempotency-key", "k"))
    };
    tokio::select! {
        answer = send() => panic!("{answer:?}"),
        () = begun.notified() => {}
    }
    while send().await.status == StatusCode::CONFLICT {
        tokio::task::yield_now().await;
    }
    assert_eq!(send().await.text, "done");
}

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::*;
use crate::layers;
use crate::testing::TestApp;

/// A server on a port of its own, and what stops it.
struct Served {
    addr: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
    begun: Arc<Notify>,
    release: Arc<Notify>,
    _app: TestApp,
}

const SHORT: Duration = Duration::from_millis(50);

async fn start(limits: Limits) -> Served {
    let app = TestApp::with(&[], limits).await;
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (begun.clone(), release.clone());
    let routes = Router::new()
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/echo", post(async |body: String| body))
        .route(
            "/wait",
            get(async move || {
                begin.notify_one();
                wait.notified().await;
                "finished"
            }),
        );
    let router = layers::wrap(routes, app.state()).with_state(app.state().clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let ended = tokio::spawn(serve(listener, router, limits, shutdown.clone()));
    Served { addr, shutdown, ended, begun, release, _app: app }
}

impl Served {
    /// Sends this and no more, and reads until the server closes.
    async fn send(&self, text: &str) -> String {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }
}

#[tokio::test]
async fn handlers_know_the_other_end_of_the_connection() {
    let served = start(Limits::default()).await;
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let own = stream.local_addr().unwrap().to_string();
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&own), "{answer}");
}

#[tokio::test]
async fn a_client_that_dawdles_with_its_headers_is_let_go() {
    // Long enough for what is sent at once to arrive on a busy machine.
    let served = start(Limits { headers: Duration::from_millis(500), ..Limits::default() }).await;
    let answer = served.send("GET /peer HTTP/1.1\r\nHost:").await;
    assert!(answer.is_empty() || answer.contains("408"), "{answer}");
    // An idle connection between two requests is, too.
    let answer = served.send("GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_client_that_dawdles_with_its_body_is_told_408() {
    let served = start(Limits { request: SHORT, ..Limits::default() }).await;
    let answer = served.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn a_stop_finishes_what_was_begun_and_accepts_nothing_new() {
    let served = start(Limits::default()).await;
    let request = served.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    let stop = async {
        served.begun.notified().await;
        served.shutdown.cancel();
        while TcpStream::connect(served.addr).await.is_ok() {
            tokio::task::yield_now().await;
        }
        served.release.notify_one();
    };
    let (answer, ()) = tokio::join!(request, stop);
    assert!(answer.ends_with("finished"), "{answer}");
    served.ended.await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let served = start(Limits { drain: SHORT, ..Limits::default() }).await;
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.begun.notified().await;
    served.shutdown.cancel();
    served.ended.await.unwrap();
}

#[tokio::test]
async fn beyond_the_limit_connections_wait_for_their_turn() {
    let served = start(Limits { connections: 1, ..Limits::default() }).await;
    let first = served.send("GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let second = async {
        served.begun.notified().await;
        let release = async { served.release.notify_one() };
        tokio::join!(served.send("GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), release).0
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.ends_with("finished") && second.starts_with("HTTP/1.1 200"), "{first}\n{second}");
}

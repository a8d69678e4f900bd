use std::sync::Arc;

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::*;
use crate::layers;
use crate::testing::TestApp;

/// A running server, and what stops it.
struct Served {
    addr: SocketAddr,
    shutdown: CancellationToken,
    ended: JoinHandle<()>,
    begun: Arc<Notify>,
    release: Arc<Notify>,
    _app: TestApp,
}

const SHORT: Duration = Duration::from_millis(50);
/// Longer than anything takes that these tests wait for.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than the kernel's buffers of a connection hold.
const LARGE: usize = 32 * 1024 * 1024;

fn limits(http: http_server::Limits) -> Limits {
    Limits { http, ..Limits::default() }
}

async fn start(limits: Limits) -> Served {
    let app = TestApp::with(&[], limits).await;
    let (begun, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (begin, wait) = (begun.clone(), release.clone());
    let routes = Router::new()
        .route("/peer", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
        .route("/echo", post(async |body: String| body))
        .route("/large", get(async || vec![b'x'; LARGE]))
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
    let stop = shutdown.clone();
    let ended = tokio::spawn(async move { serve(listener, router, limits, &[], stop).await });
    Served { addr, shutdown, ended, begun, release, _app: app }
}

impl Served {
    /// Sends this text and reads until the server closes the connection.
    async fn send(&self, text: &str) -> String {
        self.send_from("127.0.0.1", text).await
    }

    async fn send_from(&self, client: &str, text: &str) -> String {
        let mut stream = self.connect_from(client).await;
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    async fn connect_from(&self, client: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(client.parse().unwrap(), 0)).unwrap();
        socket.connect(self.addr).await.unwrap()
    }
}

#[tokio::test]
async fn handlers_know_the_peer_of_the_connection() {
    let served = start(Limits::default()).await;
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    let own = stream.local_addr().unwrap().to_string();
    stream.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with(&own), "{answer}");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_headers_is_disconnected() {
    // Long enough for a complete request to arrive on a busy machine.
    let served =
        start(limits(http_server::Limits { headers: Duration::from_millis(500), ..Default::default() }))
            .await;
    let answer = served.send("GET /peer HTTP/1.1\r\nHost:").await;
    assert!(answer.is_empty() || answer.contains("408"), "{answer}");
    // So is an idle connection between two requests.
    let answer = served.send("GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_client_that_is_slow_with_its_body_gets_408() {
    let served = start(Limits { request: SHORT, ..Limits::default() }).await;
    let answer = served.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
}

#[tokio::test]
async fn a_stop_finishes_the_requests_under_way_and_accepts_no_new_ones() {
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
async fn a_stop_waits_for_a_limited_time() {
    let served = start(limits(http_server::Limits { finish: SHORT, ..Default::default() })).await;
    let mut stream = TcpStream::connect(served.addr).await.unwrap();
    stream.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    served.begun.notified().await;
    served.shutdown.cancel();
    served.ended.await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let served = start(limits(http_server::Limits { connections: 1, ..Default::default() })).await;
    let first = served.send("GET /wait HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let second = async {
        served.begun.notified().await;
        let release = async { served.release.notify_one() };
        tokio::join!(served.send("GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), release).0
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.ends_with("finished") && second.starts_with("HTTP/1.1 200"), "{first}\n{second}");
}

/// One place, held by a client that does not read: the next one is served when the first is cut off.
async fn the_next_client_is_served(served: &Served) -> String {
    let next = served.send("GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    timeout(PATIENCE, next).await.expect("the first client keeps its place")
}

#[tokio::test]
async fn a_client_that_does_not_take_its_answer_is_cut_off() {
    let served =
        start(limits(http_server::Limits { connections: 1, answer: SHORT, ..Default::default() })).await;
    let mut first = served.connect_from("127.0.0.1").await;
    first.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(the_next_client_is_served(&served).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_client_that_takes_its_answer_byte_by_byte_is_cut_off() {
    let served =
        start(limits(http_server::Limits { connections: 1, answer: SHORT, ..Default::default() })).await;
    let mut first = served.connect_from("127.0.0.1").await;
    first.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let reading = tokio::spawn(async move {
        while first.read_u8().await.is_ok() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    assert!(the_next_client_is_served(&served).await.starts_with("HTTP/1.1 200"));
    reading.abort();
}

/// Takes ten times as long as an answer may wait, and never stops reading.
#[tokio::test]
async fn a_slow_client_that_goes_on_reading_gets_its_whole_answer() {
    let answer = Duration::from_millis(250);
    let slow = http_server::Limits { answer, answer_bytes_per_second: 1024 * 1024, ..Default::default() };
    let served = start(limits(slow)).await;
    let mut client = served.connect_from("127.0.0.1").await;
    client.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let (began, mut part, mut taken) = (tokio::time::Instant::now(), vec![0; LARGE / 256], 0);
    loop {
        let read = client.read(&mut part).await.unwrap();
        taken += read;
        if read == 0 {
            break;
        }
        sleep(answer / 25).await;
    }
    assert!(taken > LARGE, "cut off after {taken} bytes and {:?}", began.elapsed());
    assert!(began.elapsed() > 4 * answer, "the client was not slow");
}

#[tokio::test]
async fn pipelined_requests_without_a_reader_are_cut_off() {
    let served =
        start(limits(http_server::Limits { connections: 1, answer: SHORT, ..Default::default() })).await;
    let mut first = served.connect_from("127.0.0.1").await;
    first.write_all("GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100).as_bytes()).await.unwrap();
    assert!(the_next_client_is_served(&served).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn an_answer_of_any_size_reaches_a_client_that_reads() {
    let served = start(Limits::default()).await;
    let answer = served.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(answer.len() > LARGE && answer.ends_with('x'), "{}", answer.len());
}

#[tokio::test]
async fn a_connection_that_is_used_for_too_long_is_closed_between_two_requests() {
    let served = start(limits(http_server::Limits { connection: SHORT, ..Default::default() })).await;
    let mut client = served.connect_from("127.0.0.1").await;
    let mut answers = Vec::new();
    let requests = async {
        // A request is sent after each answer, for ever.
        loop {
            if client.write_all(b"GET /peer HTTP/1.1\r\nHost: x\r\n\r\n").await.is_err() {
                return;
            }
            if client.read_buf(&mut answers).await.unwrap_or(0) == 0 {
                return;
            }
        }
    };
    timeout(PATIENCE, requests).await.expect("the connection stays open");
    let answers = String::from_utf8(answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 200") && !answers.contains("HTTP/1.1 5"), "{answers}");
}

#[tokio::test]
async fn a_request_under_way_is_finished_when_its_connection_is_too_old() {
    let served = start(limits(http_server::Limits { connection: SHORT, ..Default::default() })).await;
    let request = served.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    let release = async {
        served.begun.notified().await;
        sleep(4 * SHORT).await;
        served.release.notify_one();
    };
    let (answer, ()) = timeout(PATIENCE, async { tokio::join!(request, release) }).await.unwrap();
    assert!(answer.ends_with("finished") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test]
async fn one_client_with_hundreds_of_silent_connections_keeps_no_other_out() {
    let few = http_server::Limits { connections: 40, connections_per_client: 4, ..Default::default() };
    let served = start(limits(few)).await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(served.connect_from("127.0.0.2").await);
    }
    for _ in 0..4 {
        let request = "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let answer = timeout(Duration::from_secs(5), served.send_from("127.0.0.3", request)).await;
        assert!(answer.expect("no place for another client").starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn this_machine_and_trusted_proxies_have_no_limit_of_their_own() {
    let nets = exempt(&["10.0.0.0/8".parse().unwrap()]);
    let is_exempt =
        |address: &str| nets.iter().any(|net| net.contains(&address.parse::<std::net::IpAddr>().unwrap()));
    assert!(["127.0.0.1", "127.8.9.10", "::1", "10.1.2.3"].into_iter().all(is_exempt));
    assert!(!["192.0.2.1", "::2", "11.0.0.1"].into_iter().any(is_exempt));
}

//! A load generator: each client has one connection and sends its next request as soon as it has an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// An open connection.
pub(crate) type Connection = SendRequest<Full<Bytes>>;

/// Makes the `n`-th request, counted over all clients.
pub(crate) type Make = Arc<dyn Fn(u64) -> anyhow::Result<Request<Full<Bytes>>> + Send + Sync>;

/// Clients of one server.
#[derive(Clone)]
pub(crate) struct Load {
    /// `host:port`.
    pub(crate) address: String,
    /// How many at once.
    pub(crate) clients: usize,
    /// For how long they send requests.
    pub(crate) time: Duration,
    /// How long each waits between an answer and its next request.
    pub(crate) pause: Duration,
    /// Their requests.
    pub(crate) make: Make,
}

/// Clients that connect one after the other are spread evenly over processes that share a port.
const STAGGER: Duration = Duration::from_millis(5);

/// The answers to a load.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    took: Vec<Duration>,
    statuses: BTreeMap<u16, u64>,
    seconds: f64,
}

impl Load {
    /// Runs to its end.
    pub(crate) async fn run(&self) -> anyhow::Result<Answers> {
        let mut connections = Vec::new();
        for _ in 0..self.clients {
            connections.push(connect(&self.address).await?);
            tokio::time::sleep(STAGGER).await;
        }
        let next = Arc::new(AtomicU64::new(0));
        let began = Instant::now();
        let mut clients = JoinSet::new();
        for connection in connections {
            clients.spawn(self.clone().client(connection, Arc::clone(&next), began + self.time));
        }
        let mut all = Answers::default();
        while let Some(client) = clients.join_next().await {
            all.add(client??);
        }
        all.seconds = began.elapsed().as_secs_f64();
        Ok(all)
    }

    async fn client(
        self,
        mut connection: Connection,
        next: Arc<AtomicU64>,
        end: Instant,
    ) -> anyhow::Result<Answers> {
        let mut answers = Answers::default();
        // Each sends at least one request, however short the time is.
        while answers.took.is_empty() || Instant::now() < end {
            let request = (self.make)(next.fetch_add(1, Ordering::Relaxed))?;
            let asked = Instant::now();
            let (status, _) = ask(&mut connection, request).await?;
            answers.took.push(asked.elapsed());
            *answers.statuses.entry(status).or_default() += 1;
            if !self.pause.is_zero() {
                tokio::time::sleep(self.pause).await;
            }
        }
        Ok(answers)
    }
}

impl Answers {
    /// Adds others', which came at another time or to another client.
    pub(crate) fn add(&mut self, other: Answers) {
        self.took.extend(other.took);
        for (status, count) in other.statuses {
            *self.statuses.entry(status).or_default() += count;
        }
    }

    /// How many there were.
    pub(crate) fn count(&self) -> f64 {
        self.took.len() as f64
    }

    /// How long they took, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds
    }

    /// How many a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.count() / self.seconds
    }

    /// The time within which this share of them came, in milliseconds.
    pub(crate) fn within_ms(&self, share: f64) -> f64 {
        let mut took = self.took.clone();
        took.sort_unstable();
        let index = ((took.len() as f64 * share) as usize).min(took.len().saturating_sub(1));
        took.get(index).map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }

    /// Expects that all have this status: a refusal is quick, and no figure.
    pub(crate) fn all(self, status: u16) -> anyhow::Result<Answers> {
        let count = self.statuses.get(&status).copied().unwrap_or_default();
        ensure!(count > 0 && self.statuses.len() == 1, "expected {status} only: {:?}", self.statuses);
        Ok(self)
    }
}

/// Connects.
pub(crate) async fn connect(address: &str) -> anyhow::Result<Connection> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with its sender.
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends a request, and reads the whole answer.
pub(crate) async fn ask(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(u16, Bytes)> {
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status().as_u16();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

/// A POST of JSON to a path of the API.
pub(crate) fn post(path: &str, body: &serde_json::Value) -> anyhow::Result<Request<Full<Bytes>>> {
    let request = Request::post(format!("/api/v1{path}")).header(header::HOST, "127.0.0.1");
    let request = request.header(header::CONTENT_TYPE, "application/json");
    Ok(request.body(Full::from(body.to_string()))?)
}

/// A GET of a path of the API, with this access token.
pub(crate) fn get(path: &str, token: &str) -> anyhow::Result<Request<Full<Bytes>>> {
    let request = Request::get(format!("/api/v1{path}")).header(header::HOST, "127.0.0.1");
    Ok(request.header(header::AUTHORIZATION, format!("Bearer {token}")).body(Full::default())?)
}

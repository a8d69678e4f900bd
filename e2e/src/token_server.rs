//! A token server (RFC 6749, RFC 7523): checks each request, gives access tokens, and has faults that a test chooses.

mod grant;

use std::collections::{BTreeMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::ensure;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::grant::check;
pub use self::grant::{
    CLIENT_ID, MAILBOX, TOKEN_MARK, TOKEN_MARKS, client_secret, grants, refresh_token, service_account_file,
};
use crate::poll::until;

/// The access tokens that a mail server accepts. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct AccessTokens {
    given: Arc<Mutex<HashSet<String>>>,
    refuse_all: Arc<AtomicBool>,
}

impl AccessTokens {
    pub fn accepts(&self, token: &str) -> bool {
        !self.refuse_all.load(Ordering::Relaxed) && self.given.lock().contains(token)
    }

    /// From now on the mail server refuses the tokens that were given so far.
    pub fn revoke(&self) {
        self.given.lock().clear();
    }

    /// Whether the mail server refuses every token, as when a mailbox may not send.
    pub fn refuse_all(&self, refuse: bool) {
        self.refuse_all.store(refuse, Ordering::Relaxed);
    }
}

/// What the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenAnswer {
    /// A token, after checks of the request.
    Token,
    /// A token without `expires_in`.
    WithoutExpiry,
    /// A new refresh token beside it; the one before ends.
    Rotated,
    /// A token that the mail server does not accept.
    WrongToken,
    /// `invalid_grant`, with the request's secrets repeated.
    Refusal,
    /// A page.
    Page,
    /// 5 MB.
    Huge,
    /// 302, to a place where a token would be given.
    Redirect,
    /// Nothing, until another answer is set.
    Nothing,
}

/// A running token server. Dropping it stops it.
#[derive(Debug)]
pub struct TokenServer {
    port: u16,
    shared: Arc<TokenServerState>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct TokenServerState {
    answer: watch::Sender<TokenAnswer>,
    accepted: AccessTokens,
    seen: Mutex<SeenRequests>,
    url: String,
}

#[derive(Debug, Default)]
struct SeenRequests {
    requests: usize,
    given: usize,
    rotations: usize,
    wrong: Vec<String>,
}

impl TokenServer {
    pub async fn start() -> anyhow::Result<TokenServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(TokenServerState {
            answer: watch::Sender::new(TokenAnswer::Token),
            accepted: AccessTokens::default(),
            seen: Mutex::default(),
            url: format!("http://127.0.0.1:{port}/token"),
        });
        let task = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(TokenServer { port, shared, task })
    }

    pub fn url(&self) -> &str {
        &self.shared.url
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn answer(&self, answer: TokenAnswer) {
        self.shared.answer.send_replace(answer);
    }

    /// The tokens for the mail server.
    pub fn access_tokens(&self) -> AccessTokens {
        self.shared.accepted.clone()
    }

    pub fn requests(&self) -> usize {
        self.shared.seen.lock().requests
    }

    /// Waits until there were more than `n` requests, answered or not.
    pub async fn asked_more_than(&self, n: usize, within: Duration) -> anyhow::Result<()> {
        until("a request for a token", within, async || Ok((self.requests() > n).then_some(()))).await
    }

    /// What was wrong with requests.
    pub fn wrong_requests(&self) -> Vec<String> {
        self.shared.seen.lock().wrong.clone()
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<TokenServerState>) {
    while let Ok((tcp, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let answer = service_fn(move |request| answered(request, Arc::clone(&shared)));
            // A client that leaves is not an error of the server.
            drop(http1::Builder::new().serve_connection(TokioIo::new(tcp), answer).await);
        });
    }
}

async fn answered(
    request: Request<Incoming>,
    shared: Arc<TokenServerState>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    shared.seen.lock().requests += 1;
    let mut answer = shared.answer.subscribe();
    // Fails only when the server is dropped.
    let wanted = answer.wait_for(|answer| *answer != TokenAnswer::Nothing).await.map(|answer| *answer);
    let wanted = wanted.unwrap_or(TokenAnswer::Nothing);
    let result = respond(request, wanted, &shared).await.unwrap_or_else(|error| {
        shared.seen.lock().wrong.push(format!("{error:#}"));
        json_of(StatusCode::BAD_REQUEST, &json!({"error": "invalid_request"}))
    });
    Ok(result)
}

async fn respond(
    request: Request<Incoming>,
    wanted: TokenAnswer,
    shared: &TokenServerState,
) -> anyhow::Result<Response<Full<Bytes>>> {
    ensure!(request.method() == Method::POST && request.uri().path() == "/token", "{}", request.uri());
    let body = request.into_body().collect().await?.to_bytes();
    let form: BTreeMap<String, String> = url_encoded(&body)?;
    let body_text = String::from_utf8_lossy(&body).into_owned();
    Ok(match wanted {
        TokenAnswer::Refusal => {
            let secrets = ["client_secret", "refresh_token", "assertion"];
            let repeated: Vec<&str> =
                secrets.iter().filter_map(|name| Some(form.get(*name)?.as_str())).collect();
            let description = format!("{} is not valid: {body_text}", repeated.join(" "));
            json_of(
                StatusCode::BAD_REQUEST,
                &json!({"error": "invalid_grant", "error_description": description}),
            )
        }
        TokenAnswer::Page => Response::new(Full::from(format!("<html>{body_text}</html>"))),
        TokenAnswer::Huge => Response::new(Full::from(vec![b' '; 5 * 1024 * 1024])),
        TokenAnswer::Redirect => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert(LOCATION, shared.url.parse()?);
            response
        }
        TokenAnswer::Token
        | TokenAnswer::WithoutExpiry
        | TokenAnswer::Rotated
        | TokenAnswer::WrongToken
        | TokenAnswer::Nothing => {
            let rotations = shared.seen.lock().rotations;
            check(&form, rotations, &shared.url)?;
            json_of(StatusCode::OK, &granted(wanted, shared))
        }
    })
}

fn granted(wanted: TokenAnswer, shared: &TokenServerState) -> Value {
    let mut seen = shared.seen.lock();
    seen.given += 1;
    // Every other one is as long as Microsoft's: a command of SMTP has no room for it.
    let length = if seen.given.is_multiple_of(2) { 100 } else { 1_500 };
    let token = format!("ya29.{}-{TOKEN_MARK}-{}", seen.given, "x".repeat(length));
    if wanted != TokenAnswer::WrongToken {
        shared.accepted.given.lock().insert(token.clone());
    }
    let mut answer = json!({"access_token": token, "token_type": "Bearer"});
    if wanted != TokenAnswer::WithoutExpiry {
        answer["expires_in"] = json!(3599);
    }
    if wanted == TokenAnswer::Rotated {
        seen.rotations += 1;
        answer["refresh_token"] = json!(refresh_token(seen.rotations));
    }
    answer
}

fn url_encoded(body: &[u8]) -> anyhow::Result<BTreeMap<String, String>> {
    let text = std::str::from_utf8(body)?.replace('+', " ");
    let decoded =
        |part: &str| anyhow::Ok(percent_encoding::percent_decode_str(part).decode_utf8()?.into_owned());
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| Ok((decoded(name)?, decoded(value)?))).collect()
}

fn json_of(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

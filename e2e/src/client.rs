//! A client of the API that checks responses: a status, an error code, a page.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::header::{self, HeaderMap};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

/// The base path of all endpoints.
pub const BASE: &str = "/api/v1";
/// The `Accept` of a browser that follows a link.
pub const BROWSER_ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
/// Longer than every time limit of the service.
const TIME_LIMIT: Duration = Duration::from_secs(120);

/// A client of one running API. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Api {
    http: reqwest::Client,
    root: String,
}

impl Api {
    /// A client of the API at `root`, `http://host:port`.
    pub fn new(root: &str) -> anyhow::Result<Api> {
        let builder = reqwest::Client::builder().timeout(TIME_LIMIT).no_proxy();
        Ok(Api { http: builder.build()?, root: root.to_owned() })
    }

    /// `http://host:port`.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The URL of a path below the base, of a path below the root (`//inbox`), or of a complete link.
    pub fn url(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else if let Some(path) = path.strip_prefix("//") {
            format!("{}/{path}", self.root)
        } else {
            format!("{}{BASE}{path}", self.root)
        }
    }

    /// A request, see [`Api::url`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.url(path))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// A GET as a browser sends it for a link in an email.
    pub fn visit(&self, path: &str) -> RequestBuilder {
        self.get(path).header(header::ACCEPT, BROWSER_ACCEPT).header("Sec-Fetch-Site", "cross-site")
    }

    /// A POST as a browser sends it from a form on a page of the service.
    pub fn submit(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.post(path)
            .header(header::ACCEPT, BROWSER_ACCEPT)
            .header(header::ORIGIN, &self.root)
            .header("Sec-Fetch-Site", "same-origin")
            .form(fields)
    }
}

/// A response with its body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.body).with_context(|| format!("no JSON: {self:?}"))
    }

    /// The value of a header, or an empty text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Sends a request and checks the response.
#[expect(async_fn_in_trait, reason = "only tests call it, none of them across threads")]
pub trait Expect {
    /// Sends it and accepts any response.
    async fn answer(self) -> anyhow::Result<Answer>;

    /// Sends it, and repeats it after `Retry-After` while the response is 503, as it is when a slow machine
    /// has many passwords to hash.
    async fn patient_answer(self) -> anyhow::Result<Answer>;

    /// Sends it and expects JSON with this status.
    async fn expect(self, status: u16) -> anyhow::Result<Value>;

    /// Sends it and expects the contract's error body with this status and code, and the message that goes with it.
    async fn refused(self, status: u16, code: &str) -> anyhow::Result<Value>;

    /// Sends it and expects an HTML page with this status and the headers of all pages.
    async fn page(self, status: u16) -> anyhow::Result<String>;
}

impl Expect for RequestBuilder {
    async fn answer(self) -> anyhow::Result<Answer> {
        let response = self.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    }

    async fn patient_answer(self) -> anyhow::Result<Answer> {
        loop {
            let again = self.try_clone().context("a body that can be sent again")?;
            let answer = again.answer().await?;
            if answer.status != 503 {
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_secs(answer.header("retry-after").parse()?)).await;
        }
    }

    async fn expect(self, status: u16) -> anyhow::Result<Value> {
        let answer = self.answer().await?;
        ensure!(answer.status == status, "expected {status}: {answer:?}");
        answer.json()
    }

    async fn refused(self, status: u16, code: &str) -> anyhow::Result<Value> {
        let answer = self.answer().await?;
        ensure!(answer.status == status, "expected {status} {code}: {answer:?}");
        let body = answer.json()?;
        ensure!(body["error_code"] == code, "expected {code}: {answer:?}");
        ensure!(body["message"].is_string(), "an error has a message: {answer:?}");
        ensure!(body["detail"] == body["message"], "old clients read `detail`: {answer:?}");
        if let Some((message, resolution)) = words(status, code) {
            ensure!(body["message"] == message, "expected {message:?}: {answer:?}");
            // A 503 names the limit that was met there.
            let is_told = status == 503 || body["resolution"].as_str() == resolution;
            ensure!(is_told, "expected {resolution:?}: {answer:?}");
        }
        if status == 401 {
            let challenge = answer.header("www-authenticate");
            let scheme = if code == "invalid_signature" { "Basic" } else { "Bearer" };
            ensure!(challenge.starts_with(scheme), "a 401 names the scheme (RFC 9110 §15.5.2): {answer:?}");
        }
        Ok(body)
    }

    async fn page(self, status: u16) -> anyhow::Result<String> {
        let answer = self.answer().await?;
        ensure!(answer.status == status, "expected a page with {status}: {answer:?}");
        ensure!(answer.header("content-type").starts_with("text/html"), "no page: {answer:?}");
        ensure!(answer.header("referrer-policy") == referrer_policy(&answer), "Referrer-Policy: {answer:?}");
        ensure!(answer.header("cache-control").contains("no-store"), "Cache-Control: {answer:?}");
        let csp = answer.header("content-security-policy");
        ensure!(csp.contains("default-src 'none'") && !csp.contains("unsafe"), "a strict CSP: {answer:?}");
        Ok(answer.body)
    }
}

/// What the contract asks for: with `no-referrer` a browser sends `Origin: null` with a form.
pub fn referrer_policy(answer: &Answer) -> &'static str {
    if answer.body.contains("<form") { "same-origin" } else { "no-referrer" }
}

/// The contract's table of errors: message and resolution of each status and code.
fn words(status: u16, code: &str) -> Option<(&'static str, Option<&'static str>)> {
    let new_token = Some("Please get new token");
    Some(match (status, code) {
        (400, "token_expired") => ("Token has expired", Some("Please request a new link")),
        (400, "invalid_token") => ("Invalid token", None),
        (400, "invalid_code") => ("Invalid or expired code", Some("Please request a new one")),
        (400, "invalid_idempotency_key") => {
            ("Idempotency-Key must be one header of 1 to 255 visible ASCII characters", None)
        }
        (400, "passwords_do_not_match") => ("Passwords do not match", None),
        (400, "invalid_email_or_password") => ("Invalid Email Or Password", None),
        (401, "not_authenticated") => ("Not authenticated", None),
        (401, "invalid_token") => ("Token is invalid Or expired", new_token),
        (401, "token_revoked") => ("Token is invalid or has been revoked", new_token),
        // Postmark's: the calls of the others are signed.
        (401, "invalid_signature") => {
            ("The user or the password is not valid", Some("Please send both by basic authentication"))
        }
        (401, "access_token_required") => {
            ("Please provide a valid access token", Some("Please get an access token"))
        }
        (403, "refresh_token_required") => {
            ("Please provide a valid refresh token", Some("Please get a refresh token"))
        }
        (403, "account_not_verified") => {
            ("Account Not Verified", Some("Please check your email for verification details"))
        }
        (403, "insufficient_permissions") => {
            ("You do not have enough permissions to perform this action", None)
        }
        (403, "user_exists") => ("User with email already exists", None),
        (404, "user_not_found") => ("User not found", None),
        (404, "book_not_found") => ("Book not found", None),
        (404, "not_found") => ("Not found", None),
        (409, "request_in_progress") => {
            ("A request with this Idempotency-Key is under way", Some("Please send it again in a moment"))
        }
        (422, "idempotency_key_reused") => {
            ("This Idempotency-Key was sent with another body", Some("Please send a new key"))
        }
        (422, "validation_error") => ("The request is not valid", None),
        (429, "too_many_requests") => ("Too many requests", None),
        (500, "server_error") => ("Oops! Something went wrong", None),
        (503, "unavailable") => ("The service is not available, please try again", None),
        _ => return None,
    })
}

//! Endless bodies: they are refused in bounded time and memory, with the right status.
#![allow(clippy::print_stdout, reason = "what the API grew by is worth reading beside the verdict")]

use std::time::Duration;

use bookly_e2e::prelude::*;
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The contract gives 30 s for the whole request.
const CUT_WITHIN: Duration = Duration::from_secs(60);
/// Clients at a time.
const CLIENTS: usize = 40;
/// What each client sends if the service does not stop it.
const BODY_BYTES: usize = 5_000_000;
/// More than the kernel's buffers take of an endless body.
const MAX_TAKEN: usize = 64 * 1024 * 1024;
/// Far more than the part that is read of all bodies together, and far less than the bodies.
const MAX_GROWTH_KIB: u64 = 48 * 1024;

/// Sends a head and then the same piece of a body again and again; returns what is answered until the service closes
/// the connection, and how many bytes of the body it took.
async fn pour(stack: &Stack, head: &str, piece: &[u8], at_most: usize) -> Result<(String, usize)> {
    let address = stack.api().root().strip_prefix("http://").context("an address")?;
    let mut client = TcpStream::connect(address).await?;
    client.write_all(head.as_bytes()).await?;
    let (mut reader, mut writer) = client.split();
    let mut taken = 0;
    let write = async {
        // Fails as soon as the service closes.
        while taken < at_most && writer.write_all(piece).await.is_ok() {
            taken += piece.len();
        }
        std::future::pending::<()>().await;
    };
    let mut answer = Vec::new();
    let read = async {
        let mut bytes = [0; 4096];
        // A reset closes a connection too.
        while let Ok(read @ 1..) = reader.read(&mut bytes).await {
            answer.extend_from_slice(&bytes[..read]);
        }
    };
    let both = async {
        tokio::select! { () = read => {}, () = write => {} }
    };
    tokio::time::timeout(CUT_WITHIN, both).await.context("the connection stays open")?;
    Ok((String::from_utf8_lossy(&answer).into_owned(), taken))
}

fn head(path: &str, length: &str, content_type: &str) -> String {
    format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n\
         Sec-Fetch-Site: same-origin\r\n{length}\r\n\r\n"
    )
}

/// A chunk of 4 KiB, of nothing that would end a body.
fn chunk() -> Vec<u8> {
    [b"1000\r\n".as_slice(), &[b'['; 4096], b"\r\n"].concat()
}

fn is_refused(answer: &str) -> bool {
    // A client that goes on writing may find the connection reset before it has read the answer.
    answer.is_empty() || answer.starts_with("HTTP/1.1 413")
}

/// Each kind of body once, as a warm-up, and then by many clients at once.
async fn pour_all(stack: &Stack, clients: usize) -> Result<()> {
    let announced = format!("Content-Length: {BODY_BYTES}");
    let endpoints = [
        ("/auth/signup", "application/json"),
        ("/auth/login", "application/json"),
        ("/auth/password-reset-request", "application/x-www-form-urlencoded"),
    ];
    let pours = (0..clients).flat_map(|_| endpoints).map(async |(path, content_type)| {
        let (answer, _) =
            pour(stack, &head(path, &announced, content_type), &[b'['; 4096], BODY_BYTES).await?;
        ensure!(is_refused(&answer), "{path}: {answer}");
        let endless = head(path, "Transfer-Encoding: chunked", content_type);
        let (answer, taken) = pour(stack, &endless, &chunk(), usize::MAX).await?;
        ensure!(is_refused(&answer) && taken < MAX_TAKEN, "{path}: {taken} bytes taken: {answer}");
        Ok::<_, anyhow::Error>(())
    });
    try_join_all(pours).await?;
    Ok(())
}

both! {
    async fn five_megabytes_and_endless_bodies_are_refused_without_being_read(stack: &Stack) {
        pour_all(stack, 1).await?;
        let before = stack.api_process().peak_memory_kib()?;
        pour_all(stack, CLIENTS).await?;
        let growth = stack.api_process().peak_memory_kib()? - before;
        println!("{} bodies of 5 MB or more: the API grew by {growth} KiB from {before} KiB", 6 * CLIENTS);
        ensure!(growth < MAX_GROWTH_KIB, "the API grew by {growth} KiB");
        stack.sign_up(&Person::new()).await?;
    }

    async fn an_announced_body_that_is_too_large_is_answered_before_it_is_sent(stack: &Stack) {
        for path in ["/auth/signup", "/auth/login", "/auth/resend-verification"] {
            let head = head(path, &format!("Content-Length: {BODY_BYTES}"), "application/json");
            let (answer, _) = pour(stack, &head, b"", 0).await?;
            ensure!(answer.starts_with("HTTP/1.1 413") && answer.contains("body_too_large"), "{path}: {answer}");
        }
    }

    async fn a_body_where_none_is_asked_for_is_not_read_either(stack: &Stack) {
        let endless = head("/auth/verify/x", "Transfer-Encoding: chunked", "application/json");
        let (answer, taken) = pour(stack, &endless, &chunk(), usize::MAX).await?;
        ensure!(answer.is_empty() || answer.starts_with("HTTP/1.1 400"), "{answer}");
        ensure!(taken < MAX_TAKEN, "{taken} bytes taken");
    }

    async fn deep_and_wide_json_costs_no_memory(stack: &Stack) {
        let post = |body: String| {
            stack.api().post("/auth/login").header(header::CONTENT_TYPE, "application/json").body(body)
        };
        let nested = |open: &str, depth: usize| format!("{{\"email\": {}", open.repeat(depth));
        let bodies: [(String, u16, &str); 6] = [
            (nested("[", 60_000), 400, "malformed_body"),
            (nested("{\"a\":", 12_000), 400, "malformed_body"),
            (nested("[", 100_000), 413, "body_too_large"),
            (format!("{{{}\"a\": 1}}", "\"a\": 1, ".repeat(7_000)), 422, "validation_error"),
            (format!("{{\"email\": [{}1]}}", "1,".repeat(30_000)), 422, "validation_error"),
            (format!("[{}1]", "{},".repeat(20_000)), 422, "validation_error"),
        ];
        for (body, status, code) in &bodies {
            post(body.clone()).refused(*status, code).await?;
        }
        let before = stack.api_process().peak_memory_kib()?;
        for _ in 0..20 {
            try_join_all(bodies.iter().map(|(body, status, code)| post(body.clone()).refused(*status, code))).await?;
        }
        let growth = stack.api_process().peak_memory_kib()? - before;
        ensure!(growth < MAX_GROWTH_KIB, "the API grew by {growth} KiB");
    }

    async fn thousands_of_form_fields_cost_no_more_than_their_bytes(stack: &Stack) {
        let before = stack.api_process().peak_memory_kib()?;
        for fields in ["&a=1".repeat(15_000), (0..8_000).map(|n| format!("&{n}=")).collect(), "&".repeat(60_000)] {
            let request = stack.api().post("/auth/password-reset-request").header("Sec-Fetch-Site", "same-origin");
            let form = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            form.body(format!("email=kim%40people.test{fields}")).page(200).await?;
        }
        let growth = stack.api_process().peak_memory_kib()? - before;
        ensure!(growth < MAX_GROWTH_KIB, "the API grew by {growth} KiB");
    }
}

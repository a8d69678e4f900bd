//! Clients that take their time, in bad faith or over bad lines.

use std::time::Duration;

use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The contract gives 10 s for the headers and 30 s for the whole request.
const CUT_WITHIN: Duration = Duration::from_secs(60);

async fn connect(stack: &Stack) -> Result<TcpStream> {
    let address = stack.api().root().strip_prefix("http://").context("an address")?;
    Ok(TcpStream::connect(address).await?)
}

/// Sends this and nothing more, and returns what comes until the service closes the connection.
async fn cut_off(stack: &Stack, sent: &str) -> Result<String> {
    let mut client = connect(stack).await?;
    client.write_all(sent.as_bytes()).await?;
    let mut answer = Vec::new();
    let end = tokio::time::timeout(CUT_WITHIN, client.read_to_end(&mut answer)).await;
    // A reset closes a connection too.
    let _ = end.context("the connection stays open")?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// One test for all, since each waits for a limit to run out: so they wait together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_clients_are_cut_off_and_others_served_meanwhile() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let half_headers = cut_off(stack, "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
        let nothing = cut_off(stack, "");
        let half_body = cut_off(
            stack,
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: 60\r\n\r\n{\"email\": ",
        );
        let others = async {
            for _ in 0..20 {
                stack.api().get("//health/live").expect(200).await?;
            }
            stack.sign_up(&Person::new()).await
        };
        let (_, _, answer, _) = tokio::try_join!(half_headers, nothing, half_body, others)?;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
        Ok(())
    })
    .await
}

/// Hundreds of idle connections must not keep others out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_silent_connections_do_not_keep_others_out() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let mut silent = Vec::new();
        for _ in 0..300 {
            silent.push(connect(stack).await?);
        }
        stack.sign_up(&Person::new()).await?;
        drop(silent);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_is_finished_before_the_api_stops() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let person = serde_json::to_string(&Person::new())?;
        let mut client = connect(stack).await?;
        let head = format!(
            "POST /api/v1/auth/signup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            person.len()
        );
        client.write_all(head.as_bytes()).await?;
        // "100 Continue" says that the handler waits for the body: the request is under way.
        let mut begin = [0; 12];
        client.read_exact(&mut begin).await?;
        assert_eq!(&begin, b"HTTP/1.1 100");
        let api = stack.api_process();
        api.signal("TERM")?;
        api.log().line(CUT_WITHIN, |line| line.contains("stopping")).await?;
        client.write_all(person.as_bytes()).await?;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains("HTTP/1.1 201"), "{answer}");
        let status = api.exited(CUT_WITHIN).await?;
        assert!(status.success(), "{status}");
        Ok(())
    })
    .await
}

//! Slow clients, hostile ones and those with bad connections.

use std::net::IpAddr;
use std::time::Duration;

use bookly_e2e::poll::until;
use bookly_e2e::prelude::*;
use bookly_e2e::skip::skip;
use bookly_e2e::stack::run;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

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

/// Asks a thousand times for a large file and reads no answer, until the service closes the connection.
async fn never_reads(stack: &Stack) -> Result<()> {
    let mut client = connect(stack).await?;
    let request = "GET /api/v1/docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.write_all(request.repeat(1000).as_bytes()).await?;
    until("the connection to be closed", CUT_WITHIN, async || {
        // The service has not read all requests, so the system closes with a reset (RFC 9293 §3.10.4).
        Ok(client.take_error()?.map(|_| ()))
    })
    .await
}

/// An address of this machine that is not a loopback address. The service treats a client with it as another machine.
async fn outer_address() -> Result<Option<IpAddr>> {
    let socket = UdpSocket::bind("0.0.0.0:0").await?;
    // Nothing is sent. Without a network there is no route, and no such address.
    if socket.connect("192.0.2.1:9").await.is_err() {
        return Ok(None);
    }
    Ok(Some(socket.local_addr()?.ip()).filter(|address| !address.is_loopback()))
}

/// One client opens as many connections as the contract allows in all, 900, and sends half of each request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nine_hundred_hostile_connections_keep_nobody_out() -> Result<()> {
    let Some(outer) = outer_address().await? else {
        return skip(
            "nine_hundred_hostile_connections_keep_nobody_out",
            "this machine has only loopback addresses",
        );
    };
    let port = bookly_e2e::ports::free()?;
    let options = StackOptions::new(Kind::Embedded).with("LISTEN", format!("0.0.0.0:{port}"));
    run(options, async |stack| {
        let half = "POST /api/v1/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                    Content-Length: 60\r\n\r\n{\"email\": ";
        let mut hostile = Vec::new();
        for _ in 0..900 {
            let mut client = TcpStream::connect((outer, port)).await?;
            // One that was refused may be closed already.
            let _ = client.write_all(half.as_bytes()).await;
            hostile.push(client);
        }
        let api = Api::new(&format!("http://127.0.0.1:{port}"))?;
        let begin = tokio::time::Instant::now();
        for _ in 0..5 {
            api.post("/auth/signup").json(&Person::new()).expect(201).await?;
        }
        // Half a request is cut off after 30 s: others do not wait for that.
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        let log = stack.api_process().log().lines();
        let said = log.iter().filter(|line| line.contains("too many connections")).count();
        assert_eq!(said, 1, "once a minute");
        drop(hostile);
        Ok(())
    })
    .await
}

/// One test for all: each waits until a limit is over, so they wait at the same time.
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
        let no_reader = async {
            let clients = (0..10).map(|_| never_reads(stack));
            futures_util::future::try_join_all(clients).await
        };
        let others = async {
            for _ in 0..20 {
                stack.api().get("//health/live").expect(200).await?;
            }
            stack.sign_up(&Person::new()).await
        };
        let (_, _, answer, _, _) = tokio::try_join!(half_headers, nothing, half_body, no_reader, others)?;
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

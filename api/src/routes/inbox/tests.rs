use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode};
use uuid::Uuid;

use crate::serve::Limits;
use crate::testing::{TestApp, request, with_header};

const MAIL: &str = "From: Bookly <b@example.org>\r\nTo: ann@example.org\r\nSubject: Verify <your> email\r\n\
Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n\
--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe text part\r\n\
--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The HTML part</p>\r\n--x--\r\n";

fn local(path: &str) -> Request<Body> {
    with_header(request(Method::GET, path), "host", "localhost:8000")
}

async fn with_emails(ids: &[Uuid]) -> TestApp {
    let app = TestApp::new().await;
    let folder = app.state().settings.data_dir.join("mail");
    std::fs::create_dir_all(&folder).unwrap();
    for id in ids {
        std::fs::write(folder.join(format!("{id}.eml")), MAIL).unwrap();
    }
    app
}

#[tokio::test]
async fn the_inbox_lists_emails_newest_first_and_shows_each_in_every_form() {
    let (old, new) = (Uuid::now_v7(), Uuid::now_v7());
    let app = with_emails(&[old, new]).await;
    let list = app.send(local("/inbox")).await.text;
    let place = |id: Uuid| list.find(&format!("/inbox/{id}")).unwrap();
    assert!(place(new) < place(old));
    assert!(list.contains("Verify &lt;your&gt; email"));
    let page = app.send(local(&format!("/inbox/{new}"))).await;
    assert!(page.text.contains("The text part") && page.text.contains("<iframe"));
    let html = app.send(local(&format!("/inbox/{new}/html"))).await;
    assert_eq!(html.text.trim(), "<p>The HTML part</p>");
    assert!(html.header("content-security-policy").unwrap().contains("sandbox"));
    assert_eq!(app.send(local(&format!("/inbox/{new}/text"))).await.text.trim(), "The text part");
    let source = app.send(local(&format!("/inbox/{new}/source"))).await;
    assert_eq!(source.text, MAIL);
    assert_eq!(source.header("content-type"), Some("text/plain; charset=utf-8"));
}

#[tokio::test]
async fn an_unknown_email_is_404() {
    let app = with_emails(&[]).await;
    assert_eq!(app.send(local("/inbox")).await.status, StatusCode::OK);
    for id in [&Uuid::now_v7().to_string(), "x", "%ff", "..%2fsecrets", "%00"] {
        for form in ["", "/html", "/text", "/source"] {
            let answer = app.send(local(&format!("/inbox/{id}{form}"))).await;
            assert_eq!(answer.error(), (404, "not_found".into()), "{id}{form}");
        }
    }
}

#[tokio::test]
async fn the_inbox_is_for_people_at_this_machine() {
    let app = with_emails(&[]).await;
    let mut far = local("/inbox");
    let peer: SocketAddr = "192.0.2.1:5000".parse().unwrap();
    far.extensions_mut().insert(ConnectInfo(peer));
    for refused in [
        far,
        with_header(local("/inbox"), "host", "rebound.example.com"),
        with_header(local("/inbox"), "x-forwarded-for", "192.0.2.1"),
        request(Method::GET, "/inbox"),
    ] {
        assert_eq!(app.send(refused).await.status, StatusCode::NOT_FOUND);
    }
    for host in ["127.0.0.1", "[::1]:8000", "LOCALHOST"] {
        assert_eq!(app.send(with_header(local("/inbox"), "host", host)).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn where_emails_are_sent_by_smtp_there_is_no_inbox() {
    let settings = [
        ("MAIL_SERVER", "mail.example.org"),
        ("MAIL_FROM", "bookly@example.org"),
        ("USE_CREDENTIALS", "false"),
        ("DOMAIN", "bookly.example.org"),
    ];
    let app = TestApp::with(&settings, Limits::default()).await;
    assert_eq!(app.send(local("/inbox")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn where_domain_is_not_this_machine_there_is_no_inbox() {
    for domain in ["bookly.example.org", "http://bookly.lan:8000"] {
        let app = TestApp::with(&[("DOMAIN", domain)], Limits::default()).await;
        assert_eq!(app.send(local("/inbox")).await.status, StatusCode::NOT_FOUND, "{domain}");
        assert!(!app.get("/").await.text.contains("href=\"/inbox\""), "{domain}");
    }
}

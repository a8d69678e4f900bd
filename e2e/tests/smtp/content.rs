//! The message arrives as it was given to the pool.

use super::*;

async fn delivered(content: &[u8]) -> Vec<u8> {
    let server = plain_server().await;
    plain_pool(&server).send(&envelope("a@b.test"), content, ready(true)).await.unwrap();
    server.wait_for(1, SOON).await.unwrap().remove(0).data
}

#[tokio::test]
async fn lines_of_dots_and_long_lines_arrive_byte_for_byte() {
    let long = "x".repeat(20_000);
    let content =
        format!("Subject: dots\r\n\r\n.\r\n..\r\n.hidden\r\n...\r\n{long}\r\n\r\n.\r\nend.\r\n.\r\n");
    assert_eq!(delivered(content.as_bytes()).await, content.as_bytes());
    let big = format!("Subject: big\r\n\r\n{}", ".0123456789\r\n".repeat(50_000));
    assert_eq!(delivered(big.as_bytes()).await, big.as_bytes());
}

#[tokio::test]
async fn a_bare_line_feed_cannot_end_the_message_or_start_another() {
    let content = b"Subject: smuggled\n\nhello\n.\nMAIL FROM:<evil@b.test>\n.\r\nrest\r.\r\nend";
    let arrived = delivered(content).await;
    let whole = "Subject: smuggled\r\n\r\nhello\r\n.\r\nMAIL FROM:<evil@b.test>\r\n.\r\nrest\r\n.\r\nend\r\n";
    assert_eq!(String::from_utf8(arrived).unwrap(), whole);
}

#[tokio::test]
async fn a_message_in_several_scripts_arrives_as_it_was_written() {
    let server = plain_server().await;
    let text = "Grüße, 你好, Привет 👋\n.\n..dots\nhttps://bookly.test/api/v1/auth/verify/abc.def?x=1\n"
        .to_owned()
        + &"langes Wort ".repeat(300);
    let html = "<p>Grüße <a href=\"https://bookly.test/verify/abc\">你好</a></p>".to_owned();
    let mail = Message::builder()
        .from(Mailbox::new(Some("Bücherei".to_owned()), "from@bookly.test".parse().unwrap()))
        .to("a@b.test".parse().unwrap())
        .subject("Bestätigung für 你好")
        .message_id(Some("<42@bookly.test>".to_owned()))
        .multipart(MultiPart::alternative_plain_html(text.clone(), html.clone()))
        .unwrap();
    let sent = plain_pool(&server).send(mail.envelope(), &mail.formatted(), ready(true)).await;
    sent.unwrap();
    let mail = server.wait_for_mail_with_subject("a@b.test", "Bestätigung für 你好", SOON).await.unwrap();
    assert_eq!(mail.message_id().as_deref(), Some("42@bookly.test"));
    assert_eq!(mail.text().unwrap().replace("\r\n", "\n").trim_end(), text.trim_end());
    assert_eq!(mail.html().unwrap().trim_end(), html);
    let link = mail.link("/verify/").unwrap();
    assert_eq!(link, "https://bookly.test/api/v1/auth/verify/abc.def?x=1");
}

#[tokio::test]
async fn bytes_beyond_ascii_arrive_where_the_server_offers_8bitmime() {
    let content = "Subject: raw\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n";
    assert_eq!(delivered(content.as_bytes()).await, content.as_bytes());
}

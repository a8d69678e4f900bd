//! Python's `email` and mail-parser read the same, and what was meant.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bookly_e2e::skip::skip;
use bookly_shared::domain::EmailKind;
use bookly_shared::locale::Locale;
use mail_parser::{HeaderValue, MessageParser};
use serde_json::{Value, json};

use super::{NOW, Sent, TO, sent, subject};

/// RFC 2047, section 2.
const LONGEST_ENCODED_WORD: usize = 75;
/// RFC 5322, section 2.1.1: what lines should not exceed.
const LINE: usize = 78;

const NAMES: [&str; 12] = [
    "Acme, Inc.",
    "Acme.Inc",
    "Größe 株式会社 Книги und Bücher",
    "株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社",
    "The Royal Library of Books, Manuscripts, Maps and Other Papers",
    "\"Quotes\" and \\ <angle@brackets.example>",
    "(comment) [list]; group: a@b.example",
    "O'Brien & Sons",
    "two  blanks",
    "=?utf-8?q?fake?=",
    "مكتبة الكتب",
    "Zoë 🎉🎉",
];

#[test]
fn two_parsers_read_every_email_alike_and_as_it_was_meant() {
    if Command::new("python3").arg("--version").output().is_err() {
        let name = "two_parsers_read_every_email_alike_and_as_it_was_meant";
        return skip(name, "python3 is not installed").unwrap();
    }
    let mut emails = sent(NAMES[0], &Locale::ALL);
    emails.extend(NAMES[1..].iter().flat_map(|name| sent(name, &[Locale::En])));
    for (email, python) in emails.iter().zip(read_by_python(&emails)) {
        for (field, read) in read_by_mail_parser(email).as_object().unwrap() {
            assert_eq!(&python[field], read, "{}: {field}", email.what);
        }
        assert_eq!(python["from_name"], email.name, "{}", email.what);
        assert_eq!((&python["from"], &python["to"]), (&json!("noreply@books.example.org"), &json!(TO)));
        assert_eq!(python["message_id"], format!("<{}@books.example.org>", email.id));
        assert_eq!(python["feedback_id"], format!("{}:booksexampleorg", email.kind));
        assert_eq!(python["date"], NOW);
        let is_bulk = email.kind == EmailKind::Welcome;
        assert_eq!(
            python["list_unsubscribe_post"] == "List-Unsubscribe=One-Click",
            is_bulk,
            "{}",
            email.what
        );
        if is_bulk {
            assert_eq!(python["subject"], subject(&email.name), "{}", email.what);
        }
        has_short_lines(email);
    }
}

fn read_by_python(emails: &[Sent]) -> Vec<Value> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/receivers/read.py");
    let mut python = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut input = python.stdin.take().unwrap();
    let lines: String =
        emails.iter().map(|email| format!("{}\n", BASE64_STANDARD.encode(&email.bytes))).collect();
    // In a thread: Python writes before it has read everything.
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = python.wait_with_output().unwrap();
    // A script that ended early is reported by what it said on standard error.
    let _ = writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(read.len() == emails.len(), "Python refuses {}", emails[read.len()].what);
    read
}

fn read_by_mail_parser(email: &Sent) -> Value {
    let mail = MessageParser::default().parse(&email.bytes).unwrap();
    let address = |header: Option<&mail_parser::Address<'_>>| {
        let address = header.unwrap().first().unwrap();
        (address.name().unwrap_or_default().to_owned(), address.address().unwrap().to_owned())
    };
    let (from_name, from) = address(mail.from());
    let text = |name: &str| match mail.header(name) {
        Some(HeaderValue::Text(text)) => text.to_string(),
        other => panic!("{}: {name} is {other:?}", email.what),
    };
    // As Python writes what is not there.
    let unsubscribe = |raw: Option<&str>| raw.unwrap_or("None").trim().to_owned();
    json!({
        "from_name": from_name,
        "from": from,
        "to": address(mail.to()).1,
        "subject": mail.subject().unwrap(),
        "message_id": format!("<{}>", mail.message_id().unwrap()),
        "date": mail.date().unwrap().to_timestamp(),
        "feedback_id": text("Feedback-ID"),
        "list_unsubscribe": unsubscribe(mail.header_raw("List-Unsubscribe")),
        "list_unsubscribe_post": unsubscribe(mail.header_raw("List-Unsubscribe-Post")),
        "auto_submitted": text("Auto-Submitted"),
        "text": mail.body_text(0).unwrap().replace("\r\n", "\n"),
        "html": mail.body_html(0).unwrap().replace("\r\n", "\n"),
    })
}

fn has_short_lines(email: &Sent) {
    let text = std::str::from_utf8(&email.bytes).unwrap();
    let (headers, _) = text.split_once("\r\n\r\n").unwrap();
    // A URL cannot be folded.
    for line in headers.split("\r\n").filter(|line| !line.starts_with("List-Unsubscribe: <")) {
        assert!(line.len() <= LINE, "{}: {line}", email.what);
        for word in line.split(' ').filter(|word| word.contains("=?")) {
            assert!(word.len() <= LONGEST_ENCODED_WORD, "{}: {word}", email.what);
            let stands_alone =
                word.starts_with("=?") && word.ends_with("?=") && word.matches('?').count() == 4;
            assert!(stands_alone, "{}: {word}", email.what);
        }
    }
}

//! SpamAssassin, with its local rules.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use bookly_e2e::skip::skip;
use bookly_shared::locale::Locale;
use mail_parser::MessageParser;
use mail_parser::mailbox::mbox::MessageIterator;

use super::sent;

/// Four scripts: every email takes a tenth of a second.
const LOCALES: [Locale; 4] = [Locale::En, Locale::De, Locale::Ar, Locale::ZhHans];

/// Receivers refuse or mark at 5.0.
const HIGHEST_SCORE: f64 = 2.0;

/// As the servers on the way write them above the message: the receiver's, and the mail server that this service talks to.
/// Addresses for documentation (192.0.2.0/24) count as forged.
const RECEIVED: &str = "Received: from mail.books.example.org (mail.books.example.org [93.184.215.14])\n\
    \tby mx.example.net with ESMTPS id 4XyZ1 for <zoe.mueller+books@example.org>;\n\
    \tMon, 23 Nov 2026 15:04:02 +0000 (UTC)\n\
    Received: from app.books.example.org (app.books.example.org [93.184.215.15])\n\
    \tby mail.books.example.org with ESMTPSA id 9AbC2;\n\
    \tMon, 23 Nov 2026 15:04:01 +0000 (UTC)\n";

#[test]
fn no_email_looks_like_spam() {
    if Command::new("spamassassin").arg("--version").output().is_err() {
        return skip("no_email_looks_like_spam", "spamassassin is not installed").unwrap();
    }
    let emails = sent("Acme, Inc.", &LOCALES);
    let mut mbox = String::new();
    for email in &emails {
        let text = std::str::from_utf8(&email.bytes).unwrap();
        let text = text.replace("\r\n", "\n").replace("\nFrom ", "\n>From ");
        write!(mbox, "From noreply@books.example.org Mon Nov 23 15:04:00 2026\n{RECEIVED}{text}\n\n")
            .unwrap();
    }
    // It keeps files in the home folder.
    let home = tempfile::tempdir().unwrap();
    let mut filter = Command::new("spamassassin")
        .args(["--local", "--mbox"])
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = filter.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(mbox.as_bytes()));
    let output = filter.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let judged: Vec<_> = MessageIterator::new(output.stdout.as_slice()).map(Result::unwrap).collect();
    assert_eq!(judged.len(), emails.len());
    for (email, judged) in emails.iter().zip(&judged) {
        let mail = MessageParser::default().parse(judged.contents()).unwrap();
        let status = mail.header("X-Spam-Status").and_then(|value| value.as_text()).unwrap_or_default();
        let score = status.split("score=").nth(1).and_then(|rest| rest.split(' ').next());
        let score: f64 = score.unwrap_or_default().parse().unwrap_or_else(|_| panic!("{status:?}"));
        assert!(score < HIGHEST_SCORE, "{}: {status}", email.what);
    }
}

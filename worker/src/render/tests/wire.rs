//! A message on the wire: its headers, its encodings, and what cannot be sent.

use std::collections::HashMap;

use bookly_shared::links::LinkSigner;
use mail_parser::{Message, MessageParser};
use secrecy::SecretString;

use super::*;

fn parsed(wire: &[u8]) -> Message<'_> {
    MessageParser::default().parse(wire).unwrap()
}

#[test]
fn every_mail_is_ascii_with_short_lines_and_the_headers_of_the_contract() {
    for kind in EmailKind::ALL {
        let wire =
            composed(&renderer().render(Locale::En, &EmailBody::sample(kind)).unwrap(), "Bücherei, Ltd")
                .unwrap();
        assert!(wire.is_ascii());
        let text = String::from_utf8(wire.clone()).unwrap();
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{kind}: a bare CR or LF");
        assert!(text.split("\r\n").all(|line| line.len() <= 998));
        let mail = parsed(&wire);
        assert_eq!(mail.from().unwrap().first().unwrap().name(), Some("Bücherei, Ltd"));
        assert_eq!(mail.from().unwrap().first().unwrap().address(), Some("noreply@books.example.org"));
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("zoe@example.org"));
        assert_eq!(mail.message_id(), Some("00000000-0000-0000-0000-000000000007@books.example.org"));
        assert_eq!(mail.date().unwrap().to_timestamp(), 1_700_000_000);
        assert_eq!(mail.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
    }
}

#[test]
fn both_parts_are_unchanged_on_the_wire() {
    let rendered = renderer().render(Locale::En, &verify_email("Zoë 李 🎉")).unwrap();
    let wire = composed(&rendered, "Bookly").unwrap();
    let mail = parsed(&wire);
    assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
    assert_eq!(mail.subject(), Some("Verify your email"));
    assert_eq!(mail.body_text(0).unwrap().replace("\r\n", "\n"), rendered.text);
    assert_eq!(mail.body_html(0).unwrap().replace("\r\n", "\n"), rendered.html);
}

#[test]
fn line_breaks_and_nul_in_headers_are_refused() {
    let rendered = renderer().render(Locale::En, &EmailBody::sample(EmailKind::Welcome)).unwrap();
    for name in ["Bookly\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0b"] {
        assert!(matches!(composed(&rendered, name), Err(MessageError::LineBreak("sender's name"))));
    }
    let injected = Rendered { subject: "a\r\nBcc: x@example.org".into(), ..rendered };
    assert!(matches!(composed(&injected, "Bookly"), Err(MessageError::LineBreak("subject"))));
}

#[test]
fn line_ends_of_an_override_become_crlf_on_the_wire() {
    let rendered = Rendered { subject: "s".into(), text: "a\r\nb\nc\rd\n".into(), html: "x".repeat(5000) };
    let wire = composed(&rendered, "").unwrap();
    assert_eq!(parsed(&wire).body_text(0).unwrap(), "a\r\nb\r\nc\r\nd\r\n");
    assert!(String::from_utf8(wire).unwrap().split("\r\n").all(|line| line.len() <= 998));
}

#[test]
fn no_senders_name_or_subject_panics_the_builder_or_breaks_a_line() {
    let rendered = renderer().render(Locale::En, &EmailBody::sample(EmailKind::Welcome)).unwrap();
    let odd_characters = (0..=0xff_u8).map(char::from).chain(['\u{2028}', '\u{202e}', '\u{feff}', '🎉']);
    let names = odd_characters.map(|c| format!("a{c}b {c}")).chain([
        "x".repeat(500),
        "é".repeat(250),
        "é ".repeat(160),
        "x".repeat(501),
    ]);
    for name in names {
        let with_subject = Rendered { subject: name.clone(), ..rendered.clone() };
        let Ok(wire) = composed(&with_subject, &name) else {
            assert!(name.contains(['\r', '\n', '\0']) || name.len() > 500, "{name:?}");
            continue;
        };
        let text = String::from_utf8(wire).unwrap();
        assert!(text.is_ascii() && !text.replace("\r\n", "").contains(['\r', '\n', '\0']), "{name:?}");
        assert!(text.split("\r\n").all(|line| line.len() <= 998), "{name:?}");
    }
}

#[test]
fn an_address_that_would_need_smtputf8_is_refused() {
    let rendered = renderer().render(Locale::En, &EmailBody::sample(EmailKind::Welcome)).unwrap();
    let facts = MessageFacts {
        id: Uuid::nil(),
        kind: EmailKind::Welcome,
        sender: &Sender::new("noreply@books.example.org".parse().unwrap(), "Bookly", None).unwrap(),
        to: &"zoë@example.org".parse().unwrap(),
        unsubscribe: None,
        now: DateTime::UNIX_EPOCH,
    };
    assert!(matches!(compose(&rendered, &facts), Err(MessageError::NotAscii("recipient's"))));
}

#[test]
fn answers_go_to_the_support_address() {
    let rendered = renderer().render(Locale::En, &EmailBody::sample(EmailKind::Welcome)).unwrap();
    let support: lettre::Address = "help@acme.example".parse().unwrap();
    for reply_to in [None, Some(support)] {
        let from = "noreply@acme.example".parse().unwrap();
        let facts = MessageFacts {
            id: Uuid::nil(),
            kind: EmailKind::Welcome,
            sender: &Sender::new(from, "Acme", reply_to.clone()).unwrap(),
            to: &"zoe@example.org".parse().unwrap(),
            unsubscribe: None,
            now: DateTime::UNIX_EPOCH,
        };
        let wire = compose(&rendered, &facts).unwrap().formatted();
        let found = parsed(&wire).reply_to().and_then(|to| to.first()?.address().map(str::to_owned));
        assert_eq!(found.as_deref(), reply_to.map(|_| "help@acme.example"));
    }
}

/// With the longest address, because its token is the longest. Only a public URL with https has the link.
#[test]
fn welcome_can_be_unsubscribed_by_one_click_where_people_come_by_https() {
    let secret = SecretString::from(SECRET);
    let now = DateTime::from_timestamp(0, 0).unwrap();
    let longest = format!("{}@{}.org", "a".repeat(64), ["b"; 3].map(|label| label.repeat(60)).join("."));
    for (domain, is_https) in
        [("books.example.org", true), ("http://books.lan:8000", false), ("localhost", false)]
    {
        let vars = [("JWT_SECRET", SECRET), ("DOMAIN", domain), ("MAIL_FROM", "noreply@books.example.org")];
        let vars = vars.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings = Settings::from_vars(HashMap::from(vars)).unwrap();
        let composer = Composer::new(&settings).unwrap();
        let template = settings.links.templates(&settings.public_url).unsubscribe;
        let token = LinkSigner::new(&secret).sign_unsubscribe(&longest, now);
        let link = template.map(|template| template.with_token(token.as_str()));
        let bodies = EmailKind::ALL.map(|kind| match kind {
            EmailKind::Welcome => EmailBody::Welcome { unsubscribe: link.clone() },
            _ => EmailBody::sample(kind),
        });
        for body in bodies {
            let has_link = is_https && body.kind() == EmailKind::Welcome;
            let mail = composer.compose(Uuid::nil(), &longest, Locale::En, &body, now).unwrap();
            let wire = parsed(&mail.bytes);
            let header = |name: &str| wire.header_raw(name).map(|text| text.trim().to_owned());
            let expected = format!("<https://books.example.org/api/v1/unsubscribe/{}>", token.as_str());
            assert_eq!(header("List-Unsubscribe"), has_link.then_some(expected), "{domain} {body:?}");
            let post = has_link.then_some("List-Unsubscribe=One-Click".to_owned());
            assert_eq!(header("List-Unsubscribe-Post"), post, "{domain} {body:?}");
            assert!(mail.bytes.split(|byte| *byte == b'\n').all(|line| line.len() <= 999), "{domain}");
            if has_link {
                assert_eq!(mail.token.as_deref(), Some(token.as_str()), "it is redacted in replies");
            }
        }
    }
}

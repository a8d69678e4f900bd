//! Every email is rendered as the contract says and is unchanged on the wire.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use bookly_shared::config::{ProductSettings, Settings};
use bookly_shared::domain::EmailKind;
use bookly_shared::links::{Link, LinkSigner, LinkTemplate};
use bookly_shared::locale::Locale;
use chrono::DateTime;
use mail_parser::{Message, MessageParser};
use secrecy::SecretString;
use uuid::Uuid;

use super::*;

const LINK: &str = "https://books.example.org/api/v1/auth/verify/eyJ.aMVPxA.pq2Mt2os-_";
const TOKEN: &str = "eyJ.aMVPxA.pq2Mt2os-_";
/// With it the settings make no file.
const SECRET: &str = "0123456789abcdef0123456789abcdef";
const ODD_NAME: &str = "<b>{{ 7*7 }}";

fn renderer() -> MailRenderer {
    MailRenderer::new(None, &ProductSettings::named("Bookly"), "https://books.example.org/").unwrap()
}

fn verify_email(first_name: &str) -> EmailBody {
    let template = LinkTemplate::parse("https://books.example.org/api/v1/auth/verify/{token}").unwrap();
    let (first_name, link) = (first_name.to_owned(), template.with_token(TOKEN));
    let (code, lifetime) = ("1234 5678".to_owned(), Duration::from_secs(5400));
    EmailBody::VerifyEmail { first_name, link, code, lifetime }
}

/// The link that an email of this kind must contain.
fn link_of(mail: &EmailBody) -> &str {
    match mail {
        EmailBody::VerifyEmail { link, .. }
        | EmailBody::ResetPassword { link, .. }
        | EmailBody::ChangeEmail { link, .. }
        | EmailBody::EmailChanged { link: Some(link), .. } => link.as_str(),
        EmailBody::PasswordChanged { reset_url, .. } | EmailBody::EmailChangeRequested { reset_url, .. } => {
            reset_url
        }
        EmailBody::Welcome { .. } | EmailBody::EmailChanged { link: None, .. } => "https://books.example.org",
    }
}

fn composed(rendered: &Rendered, from_name: &str) -> Result<Vec<u8>, MessageError> {
    let facts = MessageFacts {
        id: Uuid::from_u128(7),
        kind: EmailKind::Welcome,
        sender: &Sender::new("noreply@books.example.org".parse().unwrap(), from_name, None)?,
        to: &"zoe@example.org".parse().unwrap(),
        unsubscribe: None,
        now: DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
    };
    compose(rendered, &facts).map(|message| message.formatted())
}

fn parsed(wire: &[u8]) -> Message<'_> {
    MessageParser::default().parse(wire).unwrap()
}

#[test]
fn every_kind_has_the_subject_of_the_contract() {
    let subjects: [_; EmailKind::ALL.len()] = [
        "Verify your email",
        "Reset Your Password",
        "Your password was changed",
        "Confirm your new email address",
        "Your email address is about to change",
        "Your email address was changed",
        "Welcome to our app",
    ];
    for (kind, subject) in EmailKind::ALL.into_iter().zip(subjects) {
        assert_eq!(renderer().render(Locale::En, &EmailBody::sample(kind)).unwrap().subject, subject);
    }
}

#[test]
fn the_link_is_a_line_of_the_text_and_a_link_of_the_html() {
    for kind in EmailKind::ALL {
        let sample = EmailBody::sample(kind);
        let mail = renderer().render(Locale::En, &sample).unwrap();
        let link = link_of(&sample);
        assert!(mail.text.lines().any(|line| line == link), "{kind}: {}", mail.text);
        assert!(mail.html.contains(&format!("href=\"{link}\"")), "{kind}");
        assert!(mail.html.contains(&format!(">{link}</a>")), "{kind}");
    }
}

#[test]
fn every_email_says_what_the_contract_asks_for() {
    let must_say: [_; EmailKind::ALL.len()] = [
        "1 hour",
        "nothing changes",
        "23 November 2026, 15:04 UTC",
        "zoe.new@example.org",
        "z•••@example.org",
        "72 hours",
        "Welcome to the app",
    ];
    for (kind, words) in EmailKind::ALL.into_iter().zip(must_say) {
        let mail = renderer().render(Locale::En, &EmailBody::sample(kind)).unwrap();
        assert!(mail.text.replace('\n', " ").contains(words), "{kind}: {}", mail.text);
        assert!(mail.html.contains(words), "{kind}: {}", mail.html);
    }
}

#[test]
fn after_an_undo_the_notice_has_no_link_and_says_that_the_address_is_no_longer_the_accounts() {
    let undone = EmailBody::sample(EmailKind::EmailChanged).without_undo();
    let mail = renderer().render(Locale::En, &undone).unwrap();
    for text in [mail.text.replace('\n', " "), mail.html] {
        for words in
            ["z•••@example.org", "23 November 2026, 15:04 UTC", "You can no longer log in with this one."]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
        for words in ["72 hours", "email-change-undo", "Restore my address", "If that was not you", ">none"] {
            assert!(!text.contains(words), "{words}: {text}");
        }
    }
}

#[test]
fn a_name_with_html_and_template_syntax_is_not_greeted() {
    let mail = renderer().render(Locale::En, &verify_email(ODD_NAME)).unwrap();
    assert!(mail.text.starts_with("Hello,\n\n"), "{}", mail.text);
    assert!(mail.html.contains("Hello,"));
    assert!(mail.text.contains("90 minutes") && !mail.html.contains("<b>"));
}

#[test]
fn a_name_that_reads_like_a_link_is_left_out() {
    let mail = renderer().render(Locale::En, &verify_email("win.example")).unwrap();
    assert!(mail.text.starts_with("Hello,\n"));
    assert!(!mail.html.contains("win.example"));
}

#[test]
fn html_parts_load_nothing_from_other_servers() {
    for kind in EmailKind::ALL {
        let html = renderer().render(Locale::En, &EmailBody::sample(kind)).unwrap().html;
        for remote in ["<img", "<script", "src=", "url(", "@import", "<link"] {
            assert!(!html.contains(remote), "{kind}: {remote}");
        }
        assert!(html.starts_with("<!doctype html>") && html.contains("lang=\"en\""));
    }
}

#[test]
fn an_override_replaces_one_file() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("mail/verify_email")).unwrap();
    fs::write(
        folder.path().join("mail/verify_email/subject.txt"),
        "Hi {{ first_name }},\r\n\r\nplease verify\n",
    )
    .unwrap();
    let renderer = MailRenderer::new(
        Some(folder.path()),
        &ProductSettings::named("Bookly"),
        "https://books.example.org",
    )
    .unwrap();
    let mail = renderer.render(Locale::En, &verify_email("Zoë")).unwrap();
    assert_eq!(mail.subject, "Hi Zoë, please verify");
    assert!(mail.text.contains(LINK));
}

#[test]
fn an_override_with_an_unknown_variable_stops_the_start_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("mail/welcome")).unwrap();
    let text = "{% extends \"mail/base.html\" %}\n{% block content %}\n{{ lnik }}{% endblock %}";
    fs::write(folder.path().join("mail/welcome/body.html"), text).unwrap();
    let said = MailRenderer::new(Some(folder.path()), &ProductSettings::named("Bookly"), "https://b.example")
        .unwrap_err()
        .to_string();
    assert!(said.starts_with("TEMPLATE_FOLDER/mail/welcome/body.html, line 3: "), "{said}");
    assert!(said.contains("lnik"), "{said}");
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
fn links_do_not_show_in_debug_output() {
    let mail = verify_email("Zoë");
    let rendered = renderer().render(Locale::En, &mail).unwrap();
    assert!(!format!("{mail:?} {rendered:?} {:?}", renderer()).contains("aMVPxA"));
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
fn settings_with_which_no_email_can_be_made_stop_the_start() {
    let with_name = |name: &str| {
        let vars =
            [("JWT_SECRET".to_owned(), SECRET.to_owned()), ("MAIL_FROM_NAME".to_owned(), name.to_owned())];
        let settings = Settings::from_vars(HashMap::from(vars)).unwrap();
        Composer::new(&settings).map(drop)
    };
    with_name("Bücherei").unwrap();
    let error = with_name(&"Bookly ".repeat(200)).unwrap_err().to_string();
    assert!(error.contains("MAIL_FROM_NAME"), "{error}");
}

#[test]
fn every_email_can_be_made_in_every_language() {
    let renderer = renderer();
    for locale in Locale::ALL {
        let dir = if locale == Locale::Ar { "rtl" } else { "ltr" };
        for kind in EmailKind::ALL {
            let sample = EmailBody::sample(kind);
            let mail = renderer.render(locale, &sample).unwrap();
            let link = link_of(&sample);
            assert!(mail.text.lines().any(|line| line == link), "{locale} {kind}: {}", mail.text);
            assert!(mail.html.contains(&format!(">{link}</a>")), "{locale} {kind}");
            assert!(mail.html.contains(&format!("<html lang=\"{locale}\" dir=\"{dir}\"")), "{locale} {kind}");
            assert!(!mail.subject.is_empty() && composed(&mail, "Bookly").is_ok(), "{locale} {kind}");
            let shown = format!("{}{}{}", mail.subject, mail.text, mail.html);
            assert!(!shown.contains(['{', '}']) || mail.html.contains("<style>"), "{locale} {kind}");
        }
    }
}

#[test]
fn what_is_copied_from_an_email_has_no_marks_of_direction() {
    let renderer = renderer();
    for locale in Locale::ALL {
        for kind in EmailKind::ALL {
            let sample = EmailBody::sample(kind);
            let mail = renderer.render(locale, &sample).unwrap();
            let is_mark = |c: char| matches!(c, '\u{2066}'..='\u{2069}');
            let lines: Vec<&str> = mail.text.lines().filter(|line| line.contains(is_mark)).collect();
            assert!(locale == Locale::Ar || lines.is_empty(), "{locale} {kind}: {lines:?}");
            assert!(lines.iter().all(|line| !line.contains("://")), "{locale} {kind}: {lines:?}");
            assert!(
                !mail.html.split("href=\"").skip(1).any(|rest| rest
                    .split('"')
                    .next()
                    .unwrap()
                    .contains(is_mark))
            );
        }
    }
}

/// A product with everything of its own.
fn acme() -> ProductSettings {
    let vars = [
        ("JWT_SECRET", SECRET),
        ("APP_NAME", "Acme"),
        ("BRAND_COLOR", "#7a1fa2"),
        ("LOGO_URL", "https://cdn.acme.example/logo.png?v=2&w=3"),
        ("HOME_URL", "https://www.acme.example/?from=mail"),
        ("SUPPORT_EMAIL", "help@acme.example"),
    ];
    Settings::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap().product
}

#[test]
fn every_mail_has_the_name_and_the_look_of_the_product_and_no_other() {
    let renderer = MailRenderer::new(None, &acme(), "https://acme.example").unwrap();
    for kind in EmailKind::ALL {
        let mail = renderer.render(Locale::En, &EmailBody::sample(kind)).unwrap();
        let logo = "<img src=\"https://cdn.acme.example/logo.png?v=2&amp;w=3\" alt=\"Acme\" height=\"40\"";
        assert!(mail.html.contains(logo), "{kind}: {}", mail.html);
        assert!(mail.html.contains("href=\"mailto:help@acme.example\""), "{kind}");
        assert!(mail.html.contains("href=\"https://www.acme.example/?from=mail\""), "{kind}");
        let footer = "\nAcme\nhttps://www.acme.example/?from=mail\n";
        assert!(mail.text.contains(footer) && !mail.text.contains("https://acme.example"), "{kind}");
        assert!(mail.html.contains("bgcolor=\"#7a1fa2\""), "{kind}");
        assert!(mail.text.contains("\nAcme\n") && mail.text.contains("help@acme.example"), "{kind}");
        for part in [&mail.subject, &mail.text, &mail.html] {
            for other in ["bookly", "#1c6b58", "#7fd1b9"] {
                assert!(!part.to_lowercase().contains(other), "{kind}: {other}: {part}");
            }
        }
    }
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

/// With the longest address, whose token is the longest, and in a place of its own: https alone counts.
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

#[test]
fn the_token_is_found_in_any_link_of_a_frontend() {
    for template in [
        "https://app.example.org/a-path-that-is-longer-than-the-token-itself-0123456789/#t={token}",
        "https://app.example.org/verify?campaign=0123456789-0123456789-0123456789&token={token}&x=1",
    ] {
        let link = LinkTemplate::parse(template).unwrap().with_token(TOKEN);
        let mail = verify_email_with(link);
        assert_eq!(mail.token(), Some(TOKEN));
        let html = renderer().render(Locale::En, &mail).unwrap().html;
        assert!(html.contains(&template.replace("{token}", TOKEN).replace('&', "&amp;")), "{html}");
    }
}

fn verify_email_with(link: Link) -> EmailBody {
    let code = "1234 5678".to_owned();
    EmailBody::VerifyEmail { first_name: "Zoë".into(), link, code, lifetime: Duration::from_secs(60) }
}

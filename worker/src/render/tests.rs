//! Every email is rendered as the contract says.

mod wire;

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use bookly_shared::config::{ProductSettings, Settings};
use bookly_shared::domain::EmailKind;
use bookly_shared::links::{Link, LinkTemplate};
use bookly_shared::locale::Locale;
use chrono::DateTime;
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
fn links_do_not_show_in_debug_output() {
    let mail = verify_email("Zoë");
    let rendered = renderer().render(Locale::En, &mail).unwrap();
    assert!(!format!("{mail:?} {rendered:?} {:?}", renderer()).contains("aMVPxA"));
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

/// A product that replaces everything of Bookly that a setting replaces.
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

//! What receivers read in our emails: Python's `email` with its strict policy, mail-parser and SpamAssassin.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod parsers;
mod spam;

use std::collections::HashMap;
use std::fs;

use bookly_shared::config::Settings;
use bookly_shared::domain::EmailKind;
use bookly_shared::locale::Locale;
use bookly_worker::render::{Composer, EmailBody};
use chrono::DateTime;
use uuid::Uuid;

/// When every email is made.
const NOW: i64 = 1_795_446_240;
const TO: &str = "zoe.mueller+books@example.org";

/// An email as it goes over the wire.
struct Sent {
    /// Name, kind and language, for failures.
    what: String,
    kind: EmailKind,
    id: Uuid,
    name: String,
    bytes: Vec<u8>,
}

/// A long one, with a dash beyond ASCII. A line of a template has single blanks.
fn subject(name: &str) -> String {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{name} – {name} https://books.example.org")
}

/// The emails of a product with this name: every kind in these languages. The subject of `welcome` is [`subject`].
fn sent(name: &str, locales: &[Locale]) -> Vec<Sent> {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("mail/welcome")).unwrap();
    let template = "{{ app_name }} – {{ app_name }} {{ public_url }}";
    fs::write(folder.path().join("mail/welcome/subject.txt"), template).unwrap();
    let vars = [
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ("MAIL_FROM", "noreply@books.example.org"),
        ("MAIL_FROM_NAME", name),
        ("DOMAIN", "https://books.example.org"),
        ("TEMPLATE_FOLDER", folder.path().to_str().unwrap()),
    ];
    let vars: HashMap<String, String> = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let composer = Composer::new(&Settings::from_vars(vars).unwrap()).unwrap();
    let mut emails = Vec::new();
    for locale in locales {
        for kind in EmailKind::ALL {
            let id = Uuid::new_v4();
            let now = DateTime::from_timestamp(NOW, 0).unwrap();
            let outgoing = composer.compose(id, TO, *locale, &EmailBody::sample(kind), now).unwrap();
            let what = format!("{name:?} {kind} {locale}");
            emails.push(Sent { what, kind, id, name: name.to_owned(), bytes: outgoing.bytes });
        }
    }
    emails
}

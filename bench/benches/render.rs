//! From a mail's facts to its subject, text and HTML, and to the message on the wire:
//! `cargo bench -p bench --bench render`.
#![expect(clippy::expect_used, reason = "a bench that cannot begin has nothing to say")]

use bookly_shared::clock::Clock;
use bookly_shared::config::ProductSettings;
use bookly_shared::domain::EmailKind;
use bookly_shared::locale::Locale;
use bookly_worker::render::{EmailBody, MailRenderer, MessageFacts, Sender, compose};
use divan::Bencher;
use uuid::Uuid;

fn main() {
    divan::main();
}

fn renderer() -> MailRenderer {
    let product = ProductSettings::named("Bookly");
    MailRenderer::new(None, &product, "https://bookly.test").expect("the built-in templates are whole")
}

#[divan::bench(args = [EmailKind::VerifyEmail, EmailKind::ResetPassword])]
fn render(bencher: Bencher, kind: EmailKind) {
    let renderer = renderer();
    bencher.bench(|| renderer.render(Locale::En, &EmailBody::sample(kind)));
}

#[divan::bench]
fn encode(bencher: Bencher) {
    let address: lettre::Address = "kim@people.test".parse().expect("an address");
    let rendered = renderer().render(Locale::En, &EmailBody::sample(EmailKind::VerifyEmail)).expect("a mail");
    let facts = MessageFacts {
        id: Uuid::from_u128(7),
        kind: EmailKind::VerifyEmail,
        sender: &Sender::new(address.clone(), "Bookly", None).expect("a sender"),
        to: &address,
        unsubscribe: None,
        now: Clock::local().now(),
    };
    bencher.bench(|| compose(&rendered, &facts).map(|message| message.formatted()));
}

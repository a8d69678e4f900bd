//! Signing and checking the token of a mail's link: `cargo bench -p bench --bench token`.

use bookly_shared::clock::Clock;
use bookly_shared::links::{LinkClaims, LinkSigner, Purpose};
use divan::Bencher;
use uuid::Uuid;

fn main() {
    divan::main();
}

fn signer() -> (LinkSigner, LinkClaims) {
    let signer = LinkSigner::new(&"a secret of thirty-two bytes, or more".into());
    (
        signer,
        LinkClaims {
            email: "kim@people.test".into(),
            uid: Uuid::from_u128(7),
            version: Some(1),
            change: None,
        },
    )
}

#[divan::bench]
fn sign(bencher: Bencher) {
    let ((signer, claims), now) = (signer(), Clock::local().now());
    bencher.bench(|| signer.sign(Purpose::PasswordReset, &claims, now));
}

#[divan::bench]
fn verify(bencher: Bencher) {
    let ((signer, claims), now) = (signer(), Clock::local().now());
    let token = signer.sign(Purpose::PasswordReset, &claims, now);
    let lifetime = std::time::Duration::from_secs(3600);
    bencher.bench(|| signer.verify(Purpose::PasswordReset, token.as_str(), now, lifetime).is_ok());
}

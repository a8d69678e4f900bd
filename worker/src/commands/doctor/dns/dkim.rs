//! DKIM (RFC 6376): whether the key of the named selector is published and can be used.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::resolver::{Dns, DnsError};
use super::subject::Subject;
use super::tags::Tags;
use crate::commands::doctor::report::Finding;

pub(super) const NAME: &str = "dkim";

/// The bytes of a 1024-bit RSA key in its SubjectPublicKeyInfo are 162; receivers ignore shorter keys (RFC 8301,
/// section 3.2).
const SHORTEST_RSA: usize = 160;
/// An Ed25519 key stands alone (RFC 8463, section 4).
const ED25519: usize = 32;

pub(super) async fn check(dns: &Dns, subject: &Subject<'_>) -> Result<Finding, DnsError> {
    let Some(selector) = subject.dkim_selector else {
        let fact = "not checked: MAIL_DKIM_SELECTOR is not set; it stands as s= in DKIM-Signature of an email that arrived";
        return Ok(Finding::ok(NAME, fact));
    };
    let name = format!("{selector}._domainkey.{}", subject.from);
    let records = dns.txt(&name).await?;
    let problem = match records.as_slice() {
        [] => Some("has no key, so signatures cannot be checked".to_owned()),
        [record] => flaw(record).map(str::to_owned),
        [..] => Some(format!("has {} TXT records: receivers take any of them", records.len())),
    };
    Ok(match problem {
        None => Finding::ok(NAME, format!("{name} has a key")),
        Some(problem) => Finding::warn(
            NAME,
            format!("{name} {problem}"),
            format!(
                "publish at {name} the TXT or CNAME record that your mail provider shows under DKIM or domain authentication, \
                 or the one that your own signer wrote beside its key; correct MAIL_DKIM_SELECTOR if emails are signed with \
                 another s="
            ),
        ),
    })
}

/// What makes the record useless (RFC 6376, section 3.6.1).
fn flaw(record: &str) -> Option<&'static str> {
    let Some(tags) = Tags::parse(record) else { return Some("is not a list of tag=value") };
    if tags.get("v").is_some_and(|_| !tags.is_version("DKIM1")) {
        return Some("has another version than v=DKIM1, or not in its first tag");
    }
    let holds = |tag: &str, wanted: &[&str]| {
        tags.get(tag).is_none_or(|list| list.split(':').any(|item| wanted.contains(&item.trim())))
    };
    if !holds("s", &["*", "email"]) {
        return Some("has a key that is not for emails (s=)");
    }
    if !holds("h", &["sha256"]) {
        return Some("does not allow sha256 (h=)");
    }
    let key: String =
        tags.get("p").unwrap_or_default().chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if key.is_empty() {
        return Some("has an empty key (p=): it is revoked");
    }
    let Ok(key) = BASE64_STANDARD.decode(key) else {
        return Some("has a key that is not base64 (p=): part of it may be lost");
    };
    let problem = match tags.get("k").unwrap_or("rsa") {
        "rsa" if key.len() < SHORTEST_RSA => {
            Some("has an RSA key shorter than 1024 bits, or part of one: receivers ignore it")
        }
        "ed25519" if key.len() != ED25519 => Some("has an Ed25519 key that is not 32 bytes long"),
        "rsa" | "ed25519" => None,
        _ => Some("has a key of an unknown kind (k=)"),
    };
    let is_trial = tags.get("t").is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"));
    problem.or(is_trial.then_some("is for tests (t=y): receivers may treat emails as not signed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_receivers_would_not_use_is_named() {
        let rsa = |bytes: usize| BASE64_STANDARD.encode(vec![7; bytes]);
        for (record, words) in [
            (format!("v=DKIM1; k=rsa; p={}", rsa(294)), None),
            (format!("p={}", rsa(162)), None),
            (format!("v=DKIM1;k=rsa;t=s;s=email;h=sha1:sha256;p={}; ", rsa(294)), None),
            (format!("v=DKIM1; k=ed25519; p={}", rsa(32)), None),
            (format!("v=DKIM1; k=ed25519; p={}", rsa(44)), Some("32 bytes")),
            (format!("v=DKIM1; p={}", rsa(94)), Some("1024 bits")),
            ("v=DKIM1; p=".to_owned(), Some("revoked")),
            ("v=DKIM1; k=rsa".to_owned(), Some("revoked")),
            ("v=DKIM1; p=MIGf*".to_owned(), Some("base64")),
            (format!("v=DKIM2; p={}", rsa(294)), Some("version")),
            (format!("p={}; v=DKIM1", rsa(294)), Some("first tag")),
            (format!("v=DKIM1; k=ml-dsa; p={}", rsa(294)), Some("unknown kind")),
            (format!("v=DKIM1; t=y:s; p={}", rsa(294)), Some("tests")),
            (format!("v=DKIM1; h=sha1; p={}", rsa(294)), Some("sha256")),
            (format!("v=DKIM1; s=tlsrpt; p={}", rsa(294)), Some("not for emails")),
            ("hello".to_owned(), Some("tag=value")),
        ] {
            let found = flaw(&record);
            match words {
                None => assert_eq!(found, None, "{record}"),
                Some(words) => {
                    assert!(found.is_some_and(|found| found.contains(words)), "{record}: {found:?}")
                }
            }
        }
    }
}

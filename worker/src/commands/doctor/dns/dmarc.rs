//! DMARC (RFC 7489): whether `From`'s domain has a policy, and whether SPF can satisfy it.

use super::resolver::{Dns, DnsError};
use super::subject::Subject;
use super::tags::Tags;
use crate::commands::doctor::report::Finding;

pub(super) const NAME: &str = "dmarc";

pub(super) async fn check(dns: &Dns, subject: &Subject<'_>) -> Result<Finding, DnsError> {
    let own = format!("_dmarc.{}", subject.from);
    let mut place = own.clone();
    let mut records = policies(dns, &place).await?;
    let organization = organizational(subject.from);
    if records.is_empty() && organization != subject.from {
        place = format!("_dmarc.{organization}");
        records = policies(dns, &place).await?;
    }
    Ok(match records.as_slice() {
        [] => Finding::warn(
            NAME,
            format!("{own} has no policy; large receivers want one"),
            format!("publish the TXT record of {own}: \"v=DMARC1; p=none\""),
        ),
        [record] => judge(subject, &place, record, place != own),
        [..] => Finding::warn(
            NAME,
            format!("{place} has {} policies: receivers use none of them", records.len()),
            "leave one TXT record that begins with v=DMARC1",
        ),
    })
}

/// The records that begin like one of DMARC. Others are ignored (RFC 7489, section 6.6.3).
async fn policies(dns: &Dns, name: &str) -> Result<Vec<String>, DnsError> {
    let is_policy = |text: &String| {
        let first = text.split(';').next().unwrap_or_default();
        first.split_once('=').is_some_and(|(tag, value)| tag.trim() == "v" && value.trim() == "DMARC1")
    };
    Ok(dns.txt(name).await?.into_iter().filter(is_policy).collect())
}

fn judge(subject: &Subject<'_>, place: &str, record: &str, is_inherited: bool) -> Finding {
    let invalid = |what: String| {
        let remedy = format!(
            "begin the TXT record of {place} with \"v=DMARC1; p=none\", then other tags: tag=value, between semicolons"
        );
        Finding::warn(NAME, format!("{place}: {what}"), remedy)
    };
    let Some(tags) = Tags::parse(record).filter(|tags| tags.is_version("DMARC1")) else {
        return invalid("the record is not a list of tag=value".to_owned());
    };
    let own = tags.get("p");
    let policy = if is_inherited { tags.get("sp").or(own) } else { own };
    let policy = policy.unwrap_or_default().to_ascii_lowercase();
    if !["none", "quarantine", "reject"].contains(&policy.as_str()) {
        return invalid(format!("the policy \"{policy}\" is not none, quarantine or reject"));
    }
    let mode = Mode::of(tags.get("aspf"));
    let fact = format!("{place}: {policy}");
    if aligns(subject.from, subject.envelope, mode) {
        return Finding::ok(
            NAME,
            format!("{fact}; the envelope sender's domain {} aligns", subject.envelope),
        );
    }
    let fact = format!(
        "{fact}; the envelope sender's domain {} does not align with {} of From, so SPF does not count",
        subject.envelope, subject.from
    );
    if subject.dkim_selector.is_some() {
        return Finding::ok(NAME, format!("{fact}; DKIM must pass"));
    }
    let remedy =
        "sign with DKIM by the domain of From and set MAIL_DKIM_SELECTOR, or use one domain for both";
    Finding::warn(NAME, fact, remedy)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mode {
    /// One organisational domain is enough.
    Relaxed,
    /// The same domain.
    Strict,
}

impl Mode {
    /// `r` is the default (RFC 7489, section 6.3).
    fn of(value: Option<&str>) -> Mode {
        if value.is_some_and(|value| value.eq_ignore_ascii_case("s")) { Mode::Strict } else { Mode::Relaxed }
    }
}

/// RFC 7489, section 3.1.
fn aligns(from: &str, other: &str, mode: Mode) -> bool {
    let (from, other) = (from.to_ascii_lowercase(), other.to_ascii_lowercase());
    from == other || (mode == Mode::Relaxed && organizational(&from) == organizational(&other))
}

/// One label more than the public suffix, by Mozilla's list (RFC 7489, section 3.2).
fn organizational(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_one_organisation_align_unless_the_policy_is_strict() {
        for (from, envelope, relaxed, strict) in [
            ("example.org", "example.org", true, true),
            ("Example.org", "example.ORG", true, true),
            ("example.org", "bounces.example.org", true, false),
            ("a.example.co.uk", "b.c.example.co.uk", true, false),
            ("example.co.uk", "another.co.uk", false, false),
            ("ada.github.io", "bob.github.io", false, false),
            ("example.org", "example.com", false, false),
            ("example.org", "badexample.org", false, false),
        ] {
            assert_eq!(aligns(from, envelope, Mode::Relaxed), relaxed, "{from} {envelope}");
            assert_eq!(aligns(from, envelope, Mode::Strict), strict, "{from} {envelope}");
        }
        assert_eq!(
            [Mode::of(None), Mode::of(Some("r")), Mode::of(Some("S"))],
            [Mode::Relaxed, Mode::Relaxed, Mode::Strict]
        );
    }
}

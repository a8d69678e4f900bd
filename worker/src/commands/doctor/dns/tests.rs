//! Each finding, against a DNS server on loopback.

mod spf;

use std::net::IpAddr;

use bookly_e2e::dns_server::DnsServer;

use super::*;
use crate::commands::doctor::report::Status;

/// Records with which nothing is wrong.
const GOOD: &str = "
    example.org TXT v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/64 -all
    example.org TXT google-site-verification=x
    example.org MX 20 backup.example.org
    example.org MX 10 mail.example.org
    _dmarc.example.org TXT v=DMARC1; p=reject; rua=mailto:dmarc@example.org
    s1._domainkey.example.org CNAME s1.keys.example.net
    s1.keys.example.net TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
    mail.example.org A 192.0.2.25
    mail.example.org AAAA 2001:db8::25
    25.2.0.192.in-addr.arpa PTR mail.example.org
";
const SENDING: &str = "192.0.2.25";

/// The good records without those of one name and type, and with others.
fn instead(name: &str, kind: &str, records: &str) -> String {
    let begin = format!("{name} {kind} ");
    let kept: Vec<&str> = GOOD.lines().map(str::trim).filter(|line| !line.starts_with(&begin)).collect();
    format!("{}\n{records}", kept.join("\n"))
}

fn subject(sending_ip: Option<&str>) -> Subject<'_> {
    Subject {
        from: "example.org",
        envelope: "example.org",
        server: "mail.example.org",
        role: MailServer::First,
        helo_name: "mail.example.org",
        sending_ip: sending_ip.map(|address| address.parse::<IpAddr>().unwrap()),
        dkim_selector: Some("s1"),
    }
}

async fn found(records: &str, subject: &Subject<'_>) -> Vec<Finding> {
    let server = DnsServer::start(records).await.unwrap();
    let dns = Dns::new(Some(server.address())).unwrap();
    examine(&dns, subject, None, LONGEST).await
}

/// Expects a status, and words that the fact or the remedy of one check holds.
async fn expect(records: &str, subject: &Subject<'_>, name: &str, status: Status, words: &[&str]) {
    let findings = found(records, subject).await;
    let finding =
        findings.iter().find(|finding| finding.name == name).unwrap_or_else(|| panic!("{findings:?}"));
    let said = format!("{} → {}", finding.fact, finding.remedy.as_deref().unwrap_or_default());
    assert_eq!(finding.status, status, "{said}\n{records}");
    for words in words {
        assert!(said.contains(words), "{words:?} in: {said}\n{records}");
    }
    assert_eq!(finding.status == Status::Ok, finding.remedy.is_none(), "{said}");
    let others = findings.iter().filter(|other| other.name != name && other.status != Status::Ok);
    assert_eq!(others.count(), 0, "only {name} has a finding: {findings:#?}");
}

#[tokio::test]
async fn good_records_pass() {
    let findings = found(GOOD, &subject(Some(SENDING))).await;
    let names: Vec<_> = findings.iter().map(|finding| (finding.name, finding.status)).collect();
    assert_eq!(names, ["spf", "dmarc", "dkim", "mx", "ptr"].map(|name| (name, Status::Ok)), "{findings:#?}");
    let facts: Vec<_> = findings.iter().map(|finding| finding.fact.as_str()).collect();
    assert_eq!(
        facts,
        [
            "example.org covers 192.0.2.25; 0 of 10 look-ups",
            "_dmarc.example.org: reject; the envelope sender's domain example.org aligns",
            "s1._domainkey.example.org has a key",
            "bounces to example.org go to mail.example.org",
            "192.0.2.25 is mail.example.org, and mail.example.org leads back to it",
        ]
    );
    let without = found(GOOD, &Subject { dkim_selector: None, ..subject(None) }).await;
    let said: Vec<_> = without.iter().map(|finding| finding.fact.as_str()).collect();
    assert_eq!(
        said[0],
        "example.org covers 192.0.2.25 and 2001:db8::25 of mail.example.org; 0 of 10 look-ups"
    );
    assert!(said[2].starts_with("not checked: MAIL_DKIM_SELECTOR is not set"), "{said:?}");
    assert!(
        without.iter().all(|finding| finding.name != "ptr" && finding.status == Status::Ok),
        "{without:#?}"
    );
}

#[tokio::test]
async fn a_dmarc_policy_that_is_missing_or_wrong_is_named() {
    let dmarc =
        |record: &str| instead("_dmarc.example.org", "TXT", &format!("_dmarc.example.org TXT {record}"));
    for (records, words) in [
        (
            instead("_dmarc.example.org", "TXT", ""),
            vec!["TXT record of _dmarc.example.org: \"v=DMARC1; p=none\""],
        ),
        (
            dmarc("v=DMARC1; p=none\n_dmarc.example.org TXT v=DMARC1; p=reject"),
            vec!["has 2 policies", "one TXT record"],
        ),
        (dmarc("v=DMARC1"), vec!["policy \"\" is not"]),
        (dmarc("v=DMARC1; p=refuse"), vec!["policy \"refuse\" is not"]),
        (dmarc("v=DMARC1; p"), vec!["not a list"]),
    ] {
        expect(&records, &subject(Some(SENDING)), "dmarc", Status::Warn, &words).await;
    }
    let subdomain = GOOD.replace("example.org ", "news.example.org ").replace("_dmarc.news", "_dmarc");
    let news = Subject { from: "news.example.org", envelope: "news.example.org", ..subject(None) };
    for (policy, words) in [
        ("v=DMARC1; p=reject", "_dmarc.example.org: reject"),
        ("v=DMARC1; p=reject; sp=none", "_dmarc.example.org: none"),
    ] {
        let records = subdomain.replace("v=DMARC1; p=reject", policy);
        let findings = found(&records, &news).await;
        assert!(findings[1].status == Status::Ok && findings[1].fact.starts_with(words), "{findings:#?}");
    }
    let other = Subject { from: "example.net", ..subject(None) };
    let records = format!("{GOOD}\n_dmarc.example.net TXT v=DMARC1; p=none");
    for (dkim_selector, status) in [(None, Status::Warn), (Some("s1"), Status::Ok)] {
        let findings = found(&records, &Subject { dkim_selector, ..other }).await;
        assert_eq!(findings[1].status, status, "{findings:#?}");
        assert!(
            findings[1].fact.contains("example.org does not align with example.net of From"),
            "{findings:#?}"
        );
    }
}

#[tokio::test]
async fn a_dkim_key_that_is_missing_or_useless_is_named() {
    let name = "s1._domainkey.example.org";
    for (record, words) in [
        (String::new(), "has no key"),
        (format!("{name} TXT v=DKIM1; p="), "revoked"),
        (format!("{name} TXT v=DKIM1; p=QUJD\n{name} TXT v=DKIM1; p=QUJD"), "2 TXT records"),
    ] {
        let records = instead(name, "CNAME", &record);
        let remedy =
            "publish at s1._domainkey.example.org the TXT or CNAME record that your mail provider shows";
        expect(&records, &subject(Some(SENDING)), "dkim", Status::Warn, &[words, remedy]).await;
    }
}

#[tokio::test]
async fn bounces_need_a_host_that_takes_them() {
    for (record, status, words) in [
        ("example.org MX 0 .", Status::Warn, "null MX"),
        ("", Status::Warn, "neither MX records nor an address"),
        ("example.org MX 10 gone.example.org", Status::Warn, "no MX host of example.org has an address"),
        ("example.org A 192.0.2.80", Status::Ok, "no MX record; bounces go to its address"),
    ] {
        let records = instead("example.org", "MX", record);
        expect(&records, &subject(Some(SENDING)), "mx", status, &[words]).await;
    }
}

#[tokio::test]
async fn the_sending_address_needs_a_name_that_leads_back() {
    let ptr = |record: &str| instead("25.2.0.192.in-addr.arpa", "PTR", record);
    let named =
        |name: &str| ptr(&format!("25.2.0.192.in-addr.arpa PTR {name}\nhost7.example.net A 192.0.2.25"));
    for (records, status, words) in [
        (
            ptr(""),
            Status::Warn,
            vec![
                "has no name",
                "(PTR) of 192.0.2.25 to mail.example.org",
                "A record of mail.example.org: 192.0.2.25",
            ],
        ),
        (
            named("gone.example.net"),
            Status::Warn,
            vec!["does not lead back", "A record of gone.example.net: 192.0.2.25"],
        ),
        (
            named("host7.example.net"),
            Status::Warn,
            vec!["EHLO says mail.example.org", "MAIL_HELO_NAME=host7.example.net"],
        ),
        (named("Mail.example.org"), Status::Ok, vec!["leads back"]),
    ] {
        expect(&records, &subject(Some(SENDING)), "ptr", status, &words).await;
    }
    let elsewhere =
        Subject { server: "smtp.example.com", helo_name: "host7.example.net", ..subject(Some(SENDING)) };
    expect(&named("host7.example.net"), &elsewhere, "ptr", Status::Ok, &["is host7.example.net"]).await;
    let v6 = Subject {
        server: "[2001:db8::25]",
        helo_name: "[IPv6:2001:db8::25]",
        ..subject(Some("2001:db8::25"))
    };
    expect(
        GOOD,
        &v6,
        "ptr",
        Status::Warn,
        &["(PTR) of 2001:db8::25 to example.org", "AAAA record of example.org"],
    )
    .await;
}

#[tokio::test]
async fn servers_of_a_domain_that_fail_are_named() {
    for (record, name, words) in [
        ("example.org SERVFAIL", "mx", "MX of example.org: the resolver answers"),
        ("_dmarc.example.org SERVFAIL", "dmarc", "TXT of _dmarc.example.org"),
    ] {
        let findings = found(&format!("{GOOD}\n{record}"), &subject(None)).await;
        let finding = findings.iter().find(|finding| finding.name == name).unwrap();
        assert!(finding.status == Status::Warn && finding.fact.contains(words), "{findings:#?}");
    }
}

#[tokio::test]
async fn a_resolver_that_is_away_is_one_warning() {
    let server = DnsServer::silent().await.unwrap();
    let dns = Dns::new(Some(server.address())).unwrap();
    let findings = examine(&dns, &subject(Some(SENDING)), None, Duration::from_millis(50)).await;
    let [finding] = findings.as_slice() else { panic!("{findings:#?}") };
    let fact = format!("no answer from {}; not checked: spf, dmarc, dkim, mx, ptr", server.address());
    assert_eq!((finding.name, finding.status, &finding.fact), ("dns", Status::Warn, &fact));
}

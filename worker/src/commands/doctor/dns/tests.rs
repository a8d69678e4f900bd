//! Each finding, against a DNS server on loopback.

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

/// With the SPF record replaced.
fn spf(record: &str, others: &str) -> String {
    instead("example.org", "TXT", &format!("example.org TXT {record}\n{others}"))
}

fn subject(sending_ip: Option<&str>) -> Subject<'_> {
    Subject {
        from: "example.org",
        envelope: "example.org",
        server: "mail.example.org",
        part: MailServer::First,
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
async fn an_spf_record_that_receivers_do_not_use_is_named() {
    let many: String = (1..=11).map(|n| format!(" a:a{n}.example.org")).collect();
    let hosts: String = (1..=11).map(|n| format!("example.net MX 1 mx{n}.example.net\n")).collect();
    for (records, words) in [
        (instead("example.org", "TXT", ""), vec!["has no SPF record", "\"v=spf1 ip4:192.0.2.25 ~all\""]),
        (spf("v=spf1 -all", "example.org TXT v=spf1 a -all"), vec!["more than one record", "merge"]),
        (spf("v=spf1 ip4:192.0.2 -all", ""), vec!["\"ip4:192.0.2\" in the record of example.org"]),
        (spf("v=spf1 include:a.example -all", "a.example TXT v=spf1 mx:"), vec!["\"mx:\" in the record of a.example"]),
        (spf("v=spf1 include:a.example -all", "a.example TXT hello"), vec!["\"a.example\" is referred to", "remove a.example"]),
        (spf("v=spf1 redirect=a.example", ""), vec!["\"a.example\" is referred to"]),
        (spf(&format!("v=spf1{many} -all"), ""), vec!["needs 11 look-ups"]),
        (
            spf("v=spf1 a mx ptr exists:mail.example.org include:a.example -all",
                "a.example TXT v=spf1 a:mail.example.org a:mail.example.org a:mail.example.org include:b.example redirect=c.example
                 b.example TXT v=spf1 a:mail.example.org ?all
                 c.example TXT v=spf1 -all
                 example.org A 192.0.2.1"),
            vec!["needs 11 look-ups", "ip4:"],
        ),
        (spf("v=spf1 include:example.org -all", ""), vec!["more than 50 look-ups", "have no end"]),
        (spf("v=spf1 a:x.example a:y.example mx:z.example -all", ""), vec!["3 look-ups find nothing"]),
        (spf("v=spf1 mx:example.net -all", &hosts), vec!["more than 10 MX hosts"]),
        (spf("v=spf1 +all", ""), vec!["every address of the world", "~all or -all"]),
    ] {
        expect(&records, &subject(Some(SENDING)), "spf", Status::Warn, &words).await;
    }
}

#[tokio::test]
async fn an_address_that_spf_does_not_cover_is_named_with_the_record_that_does() {
    let include = "a.example TXT v=spf1 ip4:192.0.2.25 -all";
    for (record, others, status, words) in [
        ("v=spf1 a:mail.example.org -all", "", Status::Ok, "1 of 10"),
        ("v=spf1 mx -all", "", Status::Ok, "1 of 10"),
        ("v=spf1 mx/24 -all", "", Status::Ok, "1 of 10"),
        ("v=spf1 exists:mail.example.org -all", "", Status::Warn, "every address"),
        ("v=spf1 include:a.example -all", include, Status::Ok, "1 of 10"),
        ("v=spf1 -include:a.example ~all", include, Status::Fail, "forbids"),
        ("v=spf1 redirect=a.example", include, Status::Ok, "1 of 10"),
        (
            "v=spf1 redirect=a.example ?all",
            include,
            Status::Warn,
            "v=spf1 ip4:192.0.2.25 redirect=a.example ?all",
        ),
        ("v=spf1 include:a.example ip4:192.0.2.25 -all", "a.example TXT v=spf1 -all", Status::Ok, ""),
        (
            "v=spf1 ip4:198.51.100.0/24  -all",
            "",
            Status::Fail,
            "\"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.25 -all\"",
        ),
        ("v=spf1 ip4:198.51.100.0/24 ~all", "", Status::Warn, "does not cover 192.0.2.25"),
        ("v=spf1 ip4:198.51.100.0/24", "", Status::Warn, "\"v=spf1 ip4:198.51.100.0/24 ip4:192.0.2.25\""),
        ("v=spf1 exists:%{i}.a.example -all", "", Status::Warn, "cannot tell"),
        ("v=spf1 redirect=%{d}.a.example", "", Status::Warn, "cannot tell"),
        ("v=spf1 ptr -all", "", Status::Warn, "cannot tell"),
        ("v=spf1 -ptr ip4:192.0.2.25 -all", "", Status::Warn, "cannot tell"),
        ("v=spf1 ptr ip4:192.0.2.25 -all", "", Status::Ok, "covers"),
        (
            "v=spf1 include:a.example -all",
            "a.example TXT v=spf1 exists:%{i}.example -all",
            Status::Warn,
            "cannot tell",
        ),
    ] {
        expect(&spf(record, others), &subject(Some(SENDING)), "spf", status, &[words]).await;
    }
}

#[tokio::test]
async fn without_a_sending_address_the_mail_server_decides() {
    let with = |server| Subject { server, ..subject(None) };
    let (google, amazon) = (with("smtp.gmail.com"), with("email-smtp.eu-west-1.amazonaws.com"));
    let included =
        spf("v=spf1 include:_spf.google.com ~all", "_spf.google.com TXT v=spf1 ip4:198.51.100.0/24 ~all");
    let none = instead("example.org", "TXT", "");
    for (records, subject, status, words) in [
        (
            included.as_str(),
            &google,
            Status::Ok,
            vec!["includes _spf.google.com of Google Workspace; 1 of 10"],
        ),
        (
            GOOD,
            &google,
            Status::Warn,
            vec!["does not include _spf.google.com", "2001:db8::/64 include:_spf.google.com -all\""],
        ),
        (&none, &google, Status::Warn, vec!["\"v=spf1 include:_spf.google.com ~all\""]),
        (GOOD, &amazon, Status::Warn, vec!["cannot tell", "Return-Path", "include:amazonses.com -all\""]),
        (
            &none,
            &amazon,
            Status::Warn,
            vec!["cannot tell", "Return-Path", "\"v=spf1 include:amazonses.com ~all\""],
        ),
        (
            &none,
            &with("mail.example.org"),
            Status::Warn,
            vec!["\"v=spf1 a:mail.example.org ~all\"", "itself sends"],
        ),
        (&none, &with("192.0.2.25"), Status::Warn, vec!["\"v=spf1 ip4:192.0.2.25 ~all\""]),
        (GOOD, &with("192.0.2.9"), Status::Ok, vec!["covers 192.0.2.9"]),
        (
            GOOD,
            &with("198.51.100.7"),
            Status::Warn,
            vec!["cannot tell", "DOCTOR_SENDING_IP", "ip4:198.51.100.7 -all"],
        ),
        (
            GOOD,
            &with("relay.example.com"),
            Status::Warn,
            vec!["cannot tell", "has no address", "DOCTOR_SENDING_IP"],
        ),
    ] {
        expect(records, subject, "spf", status, &words).await;
    }
}

#[tokio::test]
async fn the_record_must_cover_the_second_mail_server_too() {
    let second =
        |term: &str| spf(&format!("v=spf1 ip4:192.0.2.0/24 {term} -all"), "_spf.google.com TXT v=spf1 -all");
    for (records, server, expected) in [
        (second("include:_spf.google.com"), "smtp.gmail.com", Some((Status::Ok, "includes _spf.google.com"))),
        (
            second(""),
            "smtp.gmail.com",
            Some((Status::Warn, "\"v=spf1 ip4:192.0.2.0/24 include:_spf.google.com -all\"")),
        ),
        (second("ip4:198.51.100.7"), "198.51.100.7", Some((Status::Ok, "covers 198.51.100.7"))),
        (second(""), "198.51.100.7", Some((Status::Warn, "an email that arrived by the second server"))),
        (spf("v=spf1 +all", ""), "198.51.100.7", None),
        (instead("example.org", "TXT", ""), "198.51.100.7", None),
    ] {
        let dns_server = DnsServer::start(&records).await.unwrap();
        let dns = Dns::new(Some(dns_server.address())).unwrap();
        let findings = examine(&dns, &subject(Some(SENDING)), Some(server), LONGEST).await;
        let found = findings.iter().find(|finding| finding.name == "spf_fallback");
        let said = found.map(|finding| {
            let remedy = finding.remedy.as_deref().unwrap_or_default();
            (finding.status, format!("{} → {remedy}", finding.fact))
        });
        assert_eq!(
            said.as_ref().map(|(status, _)| *status),
            expected.map(|(status, _)| status),
            "{findings:#?}"
        );
        if let (Some((_, said)), Some((_, words))) = (said, expected) {
            assert!(said.contains(words), "{words:?} in: {said}");
        }
    }
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

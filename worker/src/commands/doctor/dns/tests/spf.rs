//! The record that says which addresses may send for the domain.

use super::*;

/// With the SPF record replaced.
fn spf(record: &str, others: &str) -> String {
    instead("example.org", "TXT", &format!("example.org TXT {record}\n{others}"))
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
        (second(""), "198.51.100.7", Some((Status::Warn, "an email that arrived by the fallback"))),
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

//! `doctor` and the DNS. What each record leads to is tested in `worker/src/commands/doctor/dns/tests.rs`.

use bookly_e2e::dns_server::DnsServer;
use bookly_e2e::stack::run;

use super::doctor::{check, examined};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_receivers_look_up_are_checked_where_emails_leave_this_machine() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let (_, report) = examined(stack, &[]).await?;
        let skipped = check(&report, "dns")?;
        assert_eq!(skipped["status"], "ok", "{report:#}");
        assert!(skipped["fact"].as_str().is_some_and(|fact| fact.contains("MAIL_SERVER is this machine")));
        assert!(check(&report, "spf").is_err(), "{report:#}");

        let server = DnsServer::start(
            "bookly.test TXT v=spf1 ip4:192.0.2.25 -all
             bookly.test MX 10 mail.bookly.test
             s1._domainkey.bookly.test TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
             mail.bookly.test A 192.0.2.25
             25.2.0.192.in-addr.arpa PTR mail.bookly.test",
        )
        .await?;
        let dns = server.address().to_string();
        let own = [
            ("DOCTOR_DNS", dns.as_str()),
            ("DOCTOR_SENDING_IP", "192.0.2.25"),
            ("MAIL_DKIM_SELECTOR", "S1"),
            ("MAIL_HELO_NAME", "mail.bookly.test"),
        ];
        let (finished, report) = examined(stack, &own).await?;
        for (name, status) in [("spf", "ok"), ("dmarc", "warn"), ("dkim", "ok"), ("mx", "ok"), ("ptr", "ok")]
        {
            assert_eq!(check(&report, name)?["status"], status, "{name}: {report:#}");
        }
        let remedy = "publish the TXT record of _dmarc.bookly.test: \"v=DMARC1; p=none\"";
        assert_eq!(check(&report, "dmarc")?["remedy"], remedy);
        assert!(finished.status.success() && report["ok"] == true, "a warning is no failure: {report:#}");

        let forbidden = [own[0], ("DOCTOR_SENDING_IP", "192.0.2.26")];
        let (finished, report) = examined(stack, &forbidden).await?;
        assert_eq!(check(&report, "spf")?["status"], "fail", "{report:#}");
        assert_eq!(finished.status.code(), Some(1));
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resolver_that_does_not_answer_is_a_warning() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let server = DnsServer::silent().await?;
        let dns = server.address().to_string();
        let own = [("DOCTOR_DNS", dns.as_str()), ("DOCTOR_SENDING_IP", "192.0.2.25")];
        let (finished, report) = examined(stack, &own).await?;
        let found = check(&report, "dns")?;
        assert_eq!(found["status"], "warn", "{report:#}");
        assert!(
            found["fact"].as_str().is_some_and(|fact| fact.starts_with(&format!("no answer from {dns}")))
        );
        assert!(finished.status.success() && report["ok"] == true, "{report:#}");
        Ok(())
    })
    .await
}

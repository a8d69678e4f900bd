//! Who may report bounces: the webhooks of providers, and `MAIL_BOUNCE_ADDRESS`.

use bookly_shared::config::{MailTransport, Settings};
use bookly_shared::domain::ReportSource;
use strum::VariantArray;

use super::report::Finding;

const NAME: &str = "bounces";

/// `None` where emails stay on this machine: there are no reports.
pub(super) fn check(settings: &Settings) -> Option<Finding> {
    let is_set = |source: &&ReportSource| settings.bounces.secret_of(**source).is_some();
    let providers: Vec<&str> =
        ReportSource::VARIANTS.iter().filter(is_set).map(|source| source.as_str()).collect();
    let address = settings.mail.bounce_address.as_ref();
    if providers.is_empty() && address.is_none() {
        let is_sent = matches!(settings.mail.transport, MailTransport::Smtp(_));
        let fact = "no BOUNCE_… setting and no MAIL_BOUNCE_ADDRESS: what happens to an email after `sent` is not known";
        return is_sent.then(|| Finding::ok(NAME, fact));
    }
    let by_email = match address {
        Some(address) => {
            format!("MAIL_BOUNCE_ADDRESS is {address}, whose emails `bookly-worker bounce` reads")
        }
        None => "MAIL_BOUNCE_ADDRESS is not set".to_owned(),
    };
    if providers.is_empty() {
        return Some(Finding::ok(NAME, format!("no webhook, because no BOUNCE_… is set; {by_email}")));
    }
    let urls = providers.iter().map(|name| format!("{}/api/v1/bounces/{name}", settings.public_url));
    let fact = format!("webhooks: {}; {by_email}", urls.collect::<Vec<_>>().join(", "));
    Some(if settings.public_url.is_this_machine() {
        Finding::warn(
            NAME,
            fact,
            "set DOMAIN to the host where the provider reaches the service, and its webhook to that",
        )
    } else {
        Finding::ok(NAME, fact)
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    fn found(vars: &[(&str, &str)]) -> Option<(Status, String)> {
        let folder = tempfile::tempdir().unwrap();
        let data = ("DATA_DIR", folder.path().to_str().unwrap());
        let vars = vars.iter().chain([&data]).map(|(name, value)| ((*name).into(), (*value).into()));
        check(&Settings::from_vars(vars).unwrap()).map(|finding| (finding.status, finding.fact))
    }

    const POSTMARK: (&str, &str) = ("BOUNCE_POSTMARK_CREDENTIALS", "postmark:a-long-password");
    const RESEND: (&str, &str) = ("BOUNCE_RESEND_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==");
    const ADDRESS: (&str, &str) = ("MAIL_BOUNCE_ADDRESS", "bounces@acme.test");
    const SMTP: [(&str, &str); 4] = [
        ("MAIL_SERVER", "smtp.acme.test"),
        ("MAIL_FROM", "noreply@acme.test"),
        ("USE_CREDENTIALS", "false"),
        ("DOMAIN", "id.acme.test"),
    ];

    #[test]
    fn each_webhook_that_is_on_is_named_with_its_url_and_no_secret() {
        let (status, fact) = found(&[&SMTP[..], &[POSTMARK, RESEND]].concat()).unwrap();
        assert_eq!(status, Status::Ok);
        let base = "https://id.acme.test/api/v1/bounces";
        assert_eq!(fact, format!("webhooks: {base}/postmark, {base}/resend; MAIL_BOUNCE_ADDRESS is not set"));
    }

    #[test]
    fn reports_by_email_alone_and_none_at_all_are_told() {
        let (status, fact) = found(&[&SMTP[..], &[ADDRESS]].concat()).unwrap();
        let expected = "no webhook, because no BOUNCE_… is set; MAIL_BOUNCE_ADDRESS is bounces@acme.test";
        assert!(status == Status::Ok && fact.starts_with(expected), "{fact}");
        let (status, fact) = found(&SMTP).unwrap();
        assert!(
            status == Status::Ok && fact.starts_with("no BOUNCE_… setting and no MAIL_BOUNCE_ADDRESS"),
            "{fact}"
        );
        assert_eq!(found(&[]), None, "emails stay here");
    }

    #[test]
    fn a_webhook_that_no_provider_can_reach_is_a_warning() {
        assert_eq!(found(&[POSTMARK]).unwrap().0, Status::Warn);
    }
}

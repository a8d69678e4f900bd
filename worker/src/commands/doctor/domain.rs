//! `DOMAIN` and the URLs of a frontend: whether the links in emails open for their readers, and work there.

use bookly_shared::config::{LinkPlace, MailTransport, Settings};

use super::report::Finding;

const NAME: &str = "domain";

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let places = settings.links.places();
    let is_here = settings.public_url.is_this_machine();
    let is_sent = matches!(settings.mail.transport, MailTransport::Smtp(_));
    let mut findings = vec![of_domain(settings, &places, is_here && is_sent)];
    let for_others = is_sent || !is_here;
    findings.extend(places.iter().filter(|place| place.is_this_machine && for_others).map(only_here));
    let is_refused = |place: &&LinkPlace| {
        let allowed =
            settings.cors_origins.contains(&place.origin) || place.origin == settings.public_url.origin();
        place.calls_api && !allowed
    };
    findings.extend(places.iter().filter(is_refused).map(not_allowed));
    findings
}

fn of_domain(settings: &Settings, places: &[LinkPlace], opens_here_only: bool) -> Finding {
    let fact = where_links_lead(settings, places);
    if opens_here_only {
        let remedy =
            "set DOMAIN to the host where users reach the service: links to it open on this machine only";
        return Finding::warn(NAME, fact, remedy);
    }
    if !settings.public_url.is_this_machine() && !settings.public_url.is_https() {
        let remedy = "set DOMAIN to the https:// address, or to the host alone: without TLS, others can read links and passwords";
        return Finding::warn(NAME, fact, remedy);
    }
    Finding::ok(NAME, fact)
}

/// The links with a setting of their own, by their origin, and those to the built-in pages.
fn where_links_lead(settings: &Settings, places: &[LinkPlace]) -> String {
    let mut fact = format!("links begin with {}/api/v1/auth/", settings.public_url);
    let set: Vec<String> =
        places.iter().map(|place| format!("{} with {}", place.setting, place.origin)).collect();
    if !set.is_empty() {
        fact = format!("{fact}, but those of {}", set.join(", "));
    }
    fact
}

fn only_here(place: &LinkPlace) -> Finding {
    let fact = format!("{} leads to {}, which opens on this machine only", place.setting, place.origin);
    Finding::warn(NAME, fact, "set it to the address where users reach your frontend")
}

fn not_allowed(place: &LinkPlace) -> Finding {
    let fact = format!("{} leads to {}, which is not in CORS_ORIGINS", place.setting, place.origin);
    let remedy = "add this origin to CORS_ORIGINS: until then the API refuses what a page there sends";
    Finding::warn(NAME, fact, remedy)
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    const APP: &str = "https://app.acme.test";

    /// The warnings, and the first line, with these settings.
    fn examined(vars: &[(&str, &str)], by_smtp: bool) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let smtp = [
            ("MAIL_SERVER", "smtp.acme.test"),
            ("MAIL_FROM", "noreply@acme.test"),
            ("USE_CREDENTIALS", "false"),
        ];
        let data = ("DATA_DIR", folder.path().to_str().unwrap());
        let vars = vars.iter().chain(smtp.iter().filter(|_| by_smtp)).chain([&data]);
        let settings =
            Settings::from_vars(vars.map(|(name, value)| ((*name).into(), (*value).into()))).unwrap();
        let findings = check(&settings);
        let is_warning = |finding: &&Finding| finding.status == Status::Warn;
        (
            findings.iter().filter(is_warning).map(|finding| finding.fact.clone()).collect(),
            findings[0].fact.clone(),
        )
    }

    #[test]
    fn links_should_open_elsewhere_and_by_tls() {
        for (domain, by_smtp, warnings) in [
            ("https://books.example.org", true, 0),
            ("localhost:8000", false, 0),
            ("localhost:8000", true, 1),
            ("127.0.0.1:8000", true, 1),
            ("http://books.example.org", true, 1),
        ] {
            assert_eq!(examined(&[("DOMAIN", domain)], by_smtp).0.len(), warnings, "{domain}");
        }
    }

    #[test]
    fn the_line_tells_where_each_link_leads() {
        let app = [
            ("DOMAIN", "id.acme.test"),
            ("VERIFY_URL", "https://app.acme.test/v#{token}"),
            ("CORS_ORIGINS", APP),
        ];
        let (warnings, fact) = examined(&app, true);
        assert_eq!(warnings, [""; 0]);
        let all = "links begin with https://id.acme.test/api/v1/auth/, but those of VERIFY_URL with https://app.acme.test";
        assert_eq!(fact, all);
    }

    #[test]
    fn a_link_to_this_machine_in_emails_to_others_is_a_warning() {
        let local = ("VERIFY_URL", "http://localhost:5173/#{token}");
        let cors = ("CORS_ORIGINS", "http://localhost:5173");
        let expected = ["VERIFY_URL leads to http://localhost:5173, which opens on this machine only"];
        assert_eq!(examined(&[("DOMAIN", "id.acme.test"), local, cors], false).0, expected);
        assert!(
            examined(&[("DOMAIN", "localhost:8000"), local, cors], true).0.contains(&expected[0].to_owned())
        );
        assert_eq!(examined(&[local, cors], false).0, [""; 0]);
    }

    #[test]
    fn a_link_to_an_origin_that_may_not_call_the_api_is_a_warning() {
        let domain = ("DOMAIN", "id.acme.test");
        let link = ("PASSWORD_RESET_URL", "https://app.acme.test/reset/{token}");
        let expected = ["PASSWORD_RESET_URL leads to https://app.acme.test, which is not in CORS_ORIGINS"];
        assert_eq!(examined(&[domain, link], true).0, expected);
        assert_eq!(examined(&[domain, link, ("CORS_ORIGINS", APP)], true).0, [""; 0]);
        let own = ("PASSWORD_RESET_URL", "https://id.acme.test/reset/{token}");
        let after = ("AFTER_VERIFY_URL", "https://www.acme.test/");
        assert_eq!(examined(&[domain, own, after], true).0, [""; 0]);
    }
}

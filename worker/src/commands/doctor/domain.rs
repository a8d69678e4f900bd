//! `DOMAIN`: whether the links in emails open for their readers.

use bookly_shared::config::{MailTransport, Settings};

use super::report::Finding;

const NAME: &str = "domain";

pub(super) fn check(settings: &Settings) -> Finding {
    judge(settings.public_url.as_str(), matches!(settings.mail.transport, MailTransport::Smtp(_)))
}

fn judge(url: &str, leaves_this_machine: bool) -> Finding {
    let fact = format!("links begin with {url}/api/v1/auth/");
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let is_here = ["localhost", "127.", "[::1]"].iter().any(|here| host.starts_with(here));
    if is_here && leaves_this_machine {
        let remedy =
            "set DOMAIN to the host where users reach the service: these links open on this machine only";
        return Finding::warn(NAME, fact, remedy);
    }
    if !is_here && url.starts_with("http://") {
        let remedy = "set DOMAIN to the https:// address, or to the host alone: without TLS, others can read links and passwords";
        return Finding::warn(NAME, fact, remedy);
    }
    Finding::ok(NAME, fact)
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    #[test]
    fn links_should_open_elsewhere_and_by_tls() {
        for (url, leaves, status) in [
            ("https://books.example.org", true, Status::Ok),
            ("http://localhost:8000", false, Status::Ok),
            ("http://localhost:8000", true, Status::Warn),
            ("http://127.0.0.1:8000", true, Status::Warn),
            ("http://books.example.org", true, Status::Warn),
        ] {
            assert_eq!(judge(url, leaves).status, status, "{url}");
        }
    }
}

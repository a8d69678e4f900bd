//! What receivers look up in the DNS before they accept emails: SPF, DMARC, DKIM, MX, and the name of the sending
//! address.
//!
//! The evaluation of SPF in `spf/` is our own. Crates that do it (mail-auth) answer for one message, with pass or fail:
//! not how many look-ups a record needs in the worst case, which included record is wrong, or what to write instead.

mod dkim;
mod dmarc;
mod mx;
mod ptr;
mod resolver;
mod spf;
mod subject;
mod tags;

#[cfg(test)]
mod tests;

use std::time::Duration;

use bookly_shared::config::{MailTransport, Settings};
use bookly_shared::domain::MailServer;
use tokio::time::timeout;

use self::resolver::{Dns, DnsError};
use self::subject::Subject;
use super::report::Finding;
use super::smtp::is_this_machine;

const NAME: &str = "dns";
/// For all look-ups together, whatever the limit of a check is.
const LONGEST: Duration = Duration::from_secs(10);
const AWAY: &str =
    "check /etc/resolv.conf and the network; emails are still sent, if MAIL_SERVER can be resolved";

pub(super) async fn check(settings: &Settings, limit: Duration) -> Vec<Finding> {
    let MailTransport::Smtp(server) = &settings.mail.transport else {
        return vec![Finding::ok(NAME, "nothing to check: no email leaves this machine")];
    };
    let doctor = &settings.doctor;
    let first =
        (!is_this_machine(server) || doctor.sending_ip.is_some()).then_some((server, MailServer::First));
    let fallback = settings.mail.fallback.as_ref().filter(|server| !is_this_machine(server));
    let fallback = fallback.map(|server| (server, MailServer::Fallback));
    let (Some((server, role)), fallback) =
        (if first.is_some() { (first, fallback) } else { (fallback, None) })
    else {
        let fact = "nothing to check: MAIL_SERVER is this machine. If it sends emails to receivers itself, set DOCTOR_SENDING_IP";
        return vec![Finding::ok(NAME, fact)];
    };
    let domain = settings.mail.from.domain();
    if !domain.contains('.') {
        return vec![Finding::ok(NAME, format!("nothing to check: {domain} of MAIL_FROM is not in the DNS"))];
    }
    let subject = Subject {
        from: domain,
        envelope: settings.mail.bounce_address.as_ref().map_or(domain, |address| address.domain()),
        server: &server.host,
        role,
        helo_name: &server.helo_name,
        sending_ip: doctor.sending_ip,
        dkim_selector: doctor.dkim_selector.as_deref(),
    };
    match Dns::new(doctor.dns) {
        Ok(dns) => examine(&dns, &subject, fallback.map(|(server, _)| server.host.as_str()), limit).await,
        Err(error) => vec![Finding::warn(NAME, format!("no resolver: {error}"), AWAY)],
    }
}

/// Runs all checks at once. Those that get no answer share one line. `fallback` sends emails beside the subject's server.
async fn examine(dns: &Dns, subject: &Subject<'_>, fallback: Option<&str>, limit: Duration) -> Vec<Finding> {
    let limit = limit.min(LONGEST);
    let (spf, spf_fallback, dmarc, dkim, mx, ptr) = tokio::join!(
        within(limit, Box::pin(spf::check(dns, subject))),
        within(limit, async {
            match fallback {
                Some(server) => Box::pin(spf::check_fallback(dns, subject, server)).await,
                None => Ok(None),
            }
        }),
        within(limit, Box::pin(dmarc::check(dns, subject))),
        within(limit, dkim::check(dns, subject)),
        within(limit, mx::check(dns, subject)),
        within(limit, async {
            match subject.sending_ip {
                Some(address) => ptr::check(dns, subject, address).await.map(Some),
                None => Ok(None),
            }
        }),
    );
    let results = [
        (spf::NAME, spf.map(Some)),
        (spf::NAME_OF_FALLBACK, spf_fallback),
        (dmarc::NAME, dmarc.map(Some)),
        (dkim::NAME, dkim.map(Some)),
        (mx::NAME, mx.map(Some)),
        (ptr::NAME, ptr),
    ];
    let mut findings = Vec::new();
    let mut unanswered = Vec::new();
    for (name, result) in results {
        match result {
            Ok(finding) => findings.extend(finding),
            Err(DnsError::NoAnswer) => unanswered.push(name),
            Err(error) => {
                let remedy = "the DNS servers of this domain must answer: ask their operator";
                findings.push(Finding::warn(name, error.to_string(), remedy));
            }
        }
    }
    if !unanswered.is_empty() {
        let fact = format!("no answer from {}; not checked: {}", dns.place(), unanswered.join(", "));
        findings.push(Finding::warn(NAME, fact, AWAY));
    }
    findings
}

async fn within<T>(limit: Duration, check: impl Future<Output = Result<T, DnsError>>) -> Result<T, DnsError> {
    timeout(limit, check).await.unwrap_or(Err(DnsError::NoAnswer))
}

//! Whether bounces reach the envelope's sender. Many receivers refuse senders to which nothing can be sent.

use super::resolver::{Dns, DnsError};
use super::subject::Subject;
use crate::commands::doctor::report::Finding;

pub(super) const NAME: &str = "mx";

pub(super) async fn check(dns: &Dns, subject: &Subject<'_>) -> Result<Finding, DnsError> {
    let domain = subject.envelope;
    let hosts = dns.mx(domain).await?;
    let setting = if domain == subject.from { "MAIL_FROM" } else { "MAIL_BOUNCE_ADDRESS" };
    let lost = |why: String| {
        let remedy = format!(
            "publish the MX record of {domain}: \"10 \" and the host that takes its emails; or set {setting} to an address \
             that takes emails"
        );
        Finding::warn(
            NAME,
            format!("{why}, so no bounce arrives, and receivers may refuse the sender"),
            remedy,
        )
    };
    if hosts.is_empty() {
        let addresses = dns.addresses(domain).await?;
        return Ok(if addresses.is_empty() {
            lost(format!("{domain} has neither MX records nor an address"))
        } else {
            // RFC 5321, section 5.1.
            Finding::ok(NAME, format!("{domain} has no MX record; bounces go to its address"))
        });
    }
    if hosts.iter().all(String::is_empty) {
        return Ok(lost(format!("{domain} has a null MX, it takes no emails")));
    }
    for host in &hosts {
        if !dns.addresses(host).await?.is_empty() {
            return Ok(Finding::ok(NAME, format!("bounces to {domain} go to {host}")));
        }
    }
    Ok(lost(format!("no MX host of {domain} has an address")))
}

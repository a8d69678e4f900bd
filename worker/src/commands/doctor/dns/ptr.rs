//! The name of the sending address. Large receivers refuse addresses without a name that leads back to them.

use std::net::IpAddr;

use super::resolver::{Dns, DnsError};
use super::subject::Subject;
use crate::commands::doctor::report::Finding;

pub(super) const NAME: &str = "ptr";

pub(super) async fn check(dns: &Dns, subject: &Subject<'_>, address: IpAddr) -> Result<Finding, DnsError> {
    let names = dns.names(address).await?;
    let kind = if address.is_ipv4() { "A" } else { "AAAA" };
    let Some(first) = names.first() else {
        let wanted = wanted_name(subject);
        let remedy = format!(
            "set the reverse name (PTR) of {address} to {wanted}, where the address is rented: only its owner can. Then \
             publish the {kind} record of {wanted}: {address}"
        );
        return Ok(Finding::warn(
            NAME,
            format!("{address} has no name; large receivers refuse its emails"),
            remedy,
        ));
    };
    let mut confirmed = Vec::new();
    for name in &names {
        if dns.addresses(name).await?.contains(&address) {
            confirmed.push(name.as_str());
        }
    }
    let Some(name) = confirmed.first() else {
        let fact = format!("{address} is named {first}, but {first} does not lead back to it");
        return Ok(Finding::warn(NAME, fact, format!("publish the {kind} record of {first}: {address}")));
    };
    // The server that receivers talk to is MAIL_SERVER, or this client where MAIL_SERVER passes its EHLO on.
    let said = [subject.helo_name, subject.server];
    if confirmed.iter().any(|name| said.iter().any(|said| said.eq_ignore_ascii_case(name))) {
        return Ok(Finding::ok(NAME, format!("{address} is {name}, and {name} leads back to it")));
    }
    let fact = format!(
        "{address} is {name}, but EHLO says {}, and MAIL_SERVER is {}",
        subject.helo_name, subject.server
    );
    let remedy =
        format!("set MAIL_HELO_NAME={name}, and let the mail server at {address} say {name} in EHLO");
    Ok(Finding::warn(NAME, fact, remedy))
}

/// The name that the address should have.
fn wanted_name<'a>(subject: &Subject<'a>) -> &'a str {
    let is_name =
        |text: &&str| text.contains('.') && text.parse::<IpAddr>().is_err() && !text.starts_with('[');
    [subject.server, subject.helo_name].into_iter().find(is_name).unwrap_or(subject.from)
}

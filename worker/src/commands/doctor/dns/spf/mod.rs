//! SPF (RFC 7208): whether the record of the envelope sender's domain is valid, and covers the sending addresses.

mod load;
mod provider;
mod record;
mod verdict;

use std::net::IpAddr;

use bookly_shared::domain::MailServer;

use self::load::{Loaded, SpfError, load};
use self::provider::Provider;
use self::verdict::Verdict;
use super::resolver::{Dns, DnsError};
use super::subject::Subject;
use crate::commands::doctor::report::Finding;

pub(super) const NAME: &str = "spf";
pub(super) const NAME_OF_FALLBACK: &str = "spf_fallback";
/// Terms that need a look-up, and look-ups without an answer (RFC 7208, section 4.6.4).
const LOOKUP_LIMIT: u32 = 10;
const VOID_LIMIT: u32 = 2;

pub(super) async fn check(dns: &Dns, subject: &Subject<'_>) -> Result<Finding, DnsError> {
    let domain = subject.envelope;
    match load(dns, domain).await {
        Ok(None) => Ok(missing(subject)),
        Ok(Some(loaded)) => match flaw(&loaded, domain) {
            Some(finding) => Ok(finding),
            None => coverage(dns, subject, &loaded).await,
        },
        Err(SpfError::Dns(error)) => Err(error),
        Err(error) => {
            let remedy = match &error {
                SpfError::Several(domain) => format!("merge the records of {domain} into one TXT record"),
                SpfError::NoRecord { included, .. } => format!("remove {included} from the record, or correct its spelling"),
                SpfError::Endless => "remove the includes of providers that do not send for you".to_owned(),
                _ => "correct the record: terms are separated by spaces, such as ip4:192.0.2.1, include:_spf.example.com, ~all".to_owned(),
            };
            Ok(Finding::warn(NAME, format!("{domain}: {error}"), remedy))
        }
    }
}

/// Whether the record covers the fallback, too. `None` where there is no record that receivers use: the check
/// for the first server says so.
pub(super) async fn check_fallback(
    dns: &Dns,
    subject: &Subject<'_>,
    server: &str,
) -> Result<Option<Finding>, DnsError> {
    let loaded = match load(dns, subject.envelope).await {
        Ok(Some(loaded)) if flaw(&loaded, subject.envelope).is_none() => loaded,
        Err(SpfError::Dns(error)) => return Err(error),
        _ => return Ok(None),
    };
    // Of the sending addresses one is known at most, the first server's.
    let of_fallback = Subject { server, role: MailServer::Fallback, sending_ip: None, ..*subject };
    let finding = coverage(dns, &of_fallback, &loaded).await?;
    Ok(Some(Finding { name: NAME_OF_FALLBACK, ..finding }))
}

fn missing(subject: &Subject<'_>) -> Finding {
    let domain = subject.envelope;
    let provider = provider::of(subject.server);
    let mechanism = match (subject.sending_ip, provider) {
        (Some(address), _) => ip_term(address),
        (None, Some(provider)) => format!("include:{}", provider.include),
        (None, None) => match subject.server.parse() {
            Ok(address) => ip_term(address),
            Err(_) => format!("a:{}", subject.server),
        },
    };
    let fact = format!("{domain} has no SPF record");
    let record = format!("publish the TXT record of {domain}: \"v=spf1 {mechanism} ~all\"");
    let remedy = match (subject.sending_ip, provider) {
        (None, Some(provider)) if provider.replaces_envelope => {
            return replaced(provider, domain, &fact, &record);
        }
        (None, None) => {
            format!(
                "{record}, if {} itself sends to receivers; else the record that its documents name",
                subject.server
            )
        }
        _ => record,
    };
    Finding::warn(NAME, fact, remedy)
}

/// What makes receivers ignore the record, or the record useless.
fn flaw(loaded: &Loaded, domain: &str) -> Option<Finding> {
    if loaded.lookups > LOOKUP_LIMIT {
        let remedy = "remove the includes of providers that do not send for you, and write addresses (ip4:, ip6:) instead of a \
                      and mx";
        let fact = format!(
            "{domain} needs {} look-ups, {LOOKUP_LIMIT} are allowed: receivers do not use the record",
            loaded.lookups
        );
        return Some(Finding::warn(NAME, fact, remedy));
    }
    if loaded.void_lookups > VOID_LIMIT {
        let fact = format!(
            "{domain}: {} look-ups find nothing, {VOID_LIMIT} are allowed: receivers may not use the record",
            loaded.void_lookups
        );
        return Some(Finding::warn(NAME, fact, "remove a, mx and exists whose names have no addresses"));
    }
    loaded.policy.allows_all().then(|| {
        let remedy = "end the record with ~all or -all";
        Finding::warn(
            NAME,
            format!("{domain} lets every address of the world send (+all): receivers distrust it"),
            remedy,
        )
    })
}

/// Whether the record covers the addresses that emails come from, as far as they are known.
async fn coverage(dns: &Dns, subject: &Subject<'_>, loaded: &Loaded) -> Result<Finding, DnsError> {
    let domain = subject.envelope;
    let count = format!("{} of {LOOKUP_LIMIT} look-ups", loaded.lookups);
    if let Some(address) = subject.sending_ip {
        return Ok(named_address(domain, address, loaded, &count));
    }
    if let Some(provider) = provider::of(subject.server) {
        let (name, include) = (provider.name, provider.include);
        if loaded.included.iter().any(|domain| domain == include) {
            return Ok(Finding::ok(NAME, format!("{domain} includes {include} of {name}; {count}")));
        }
        let fact = format!("{domain} does not include {include} of {name}");
        let remedy = change(loaded, domain, &format!("include:{include}"));
        return Ok(if provider.replaces_envelope {
            replaced(provider, domain, &fact, &remedy)
        } else {
            Finding::warn(NAME, fact, remedy)
        });
    }
    let server = subject.server;
    let addresses = match server.parse() {
        Ok(address) => vec![address],
        Err(_) => dns.addresses(server).await?,
    };
    let outside = addresses.iter().find(|address| loaded.policy.verdict(**address) != Verdict::Pass);
    Ok(match (addresses.first(), outside) {
        (Some(_), None) => {
            let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
            Finding::ok(NAME, format!("{domain} covers {} of {server}; {count}", addresses.join(" and ")))
        }
        (_, outside) => {
            let why = match outside {
                Some(address) => {
                    format!("{address} of {server} is not covered, but emails may leave from another address")
                }
                None => format!("{server} has no address in the DNS"),
            };
            let record = outside.map(|address| change(loaded, domain, &ip_term(*address)));
            let itself = record.map(|record| format!("; if {server} itself sends to receivers, {record}"));
            let find_out = match subject.role {
                MailServer::First => {
                    "set DOCTOR_SENDING_IP to the address in the first Received line of an email that arrived"
                }
                MailServer::Fallback => {
                    "see spf= in Authentication-Results of an email that arrived by the fallback"
                }
            };
            let remedy = format!("{find_out}{}", itself.unwrap_or_default());
            Finding::warn(
                NAME,
                format!("cannot tell whether {domain} covers what you send: {why}; {count}"),
                remedy,
            )
        }
    })
}

fn named_address(domain: &str, address: IpAddr, loaded: &Loaded, count: &str) -> Finding {
    let remedy = change(loaded, domain, &ip_term(address));
    match loaded.policy.verdict(address) {
        Verdict::Pass => Finding::ok(NAME, format!("{domain} covers {address}; {count}")),
        Verdict::Fail => Finding::fail(
            NAME,
            format!("{domain} forbids {address} to send: receivers refuse its emails"),
            remedy,
        ),
        Verdict::SoftFail | Verdict::Neutral => {
            Finding::warn(NAME, format!("{domain} does not cover {address}; {count}"), remedy)
        }
        Verdict::CannotTell => {
            let fact = format!(
                "cannot tell whether {domain} covers {address}: the record has macros or ptr; {count}"
            );
            Finding::warn(
                NAME,
                fact,
                format!("see spf= in Authentication-Results of an email that arrived; to be sure, {remedy}"),
            )
        }
    }
}

/// The provider may send with an envelope sender of its own.
fn replaced(provider: &Provider, domain: &str, fact: &str, remedy: &str) -> Finding {
    let name = provider.name;
    Finding::warn(
        NAME,
        format!(
            "cannot tell: {fact}, but {name} may send with an envelope sender of its own, whose SPF counts then"
        ),
        format!(
            "look at Return-Path of an email that arrived: if it is at {domain}, {remedy}; else nothing is missing here"
        ),
    )
}

fn ip_term(address: IpAddr) -> String {
    let version = if address.is_ipv4() { 4 } else { 6 };
    format!("ip{version}:{address}")
}

/// The whole record with one more term, before the one that decides about all others.
fn change(loaded: &Loaded, domain: &str, term: &str) -> String {
    let is_last = |term: &str| {
        let term = term.to_ascii_lowercase();
        term.trim_start_matches(['+', '-', '~', '?']) == "all" || term.starts_with("redirect=")
    };
    let mut terms: Vec<&str> = loaded.record.split(' ').filter(|term| !term.is_empty()).collect();
    let at = terms.iter().position(|term| is_last(term)).unwrap_or(terms.len());
    terms.insert(at, term);
    format!("change the TXT record of {domain} to: \"{}\"", terms.join(" "))
}

//! Loads a policy with all records that it refers to, and counts the look-ups.

use std::net::IpAddr;

use ipnet::IpNet;

use super::record::{self, Mechanism, Prefixes, Record, Target};
use super::verdict::{Matcher, Policy, Verdict};
use crate::commands::doctor::dns::resolver::{Dns, DnsError};

/// Beyond it nothing is loaded: records may include each other.
const STOP: u32 = 50;
/// Hosts of one `mx` (RFC 7208, section 4.6.4).
const MX_LIMIT: usize = 10;

/// Why a policy is not valid. Receivers answer `permerror`.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpfError {
    #[error(transparent)]
    Dns(#[from] DnsError),
    #[error("{0} has more than one record that begins with v=spf1: receivers use none of them")]
    Several(String),
    #[error("\"{term}\" in the record of {domain} is not allowed: receivers do not use the record")]
    Syntax { domain: String, term: String },
    #[error(
        "\"{included}\" is referred to by {domain}, but has no SPF record: receivers do not use the record"
    )]
    NoRecord { domain: String, included: String },
    #[error("{0} has more than 10 MX hosts, which mx in an SPF record does not allow")]
    TooManyHosts(String),
    #[error("needs more than 50 look-ups, 10 are allowed; records that include each other have no end")]
    Endless,
}

/// What was loaded.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) policy: Policy,
    /// The text of the domain's own record.
    pub(super) record: String,
    /// For the worst case, an address that matches nothing.
    pub(super) lookups: u32,
    /// Look-ups without an answer.
    pub(super) void_lookups: u32,
    /// All domains whose records are part of it.
    pub(super) included: Vec<String>,
}

/// Loads the policy of a domain; `None` where it has no record.
///
/// # Errors
/// See [`SpfError`].
pub(super) async fn load(dns: &Dns, domain: &str) -> Result<Option<Loaded>, SpfError> {
    let Some(text) = text_of(dns, domain).await? else { return Ok(None) };
    let mut loader = Loader { dns, loaded: Loaded::default() };
    loader.loaded.policy = loader.policy(domain, &text).await?;
    loader.loaded.record = text;
    Ok(Some(loader.loaded))
}

async fn text_of(dns: &Dns, domain: &str) -> Result<Option<String>, SpfError> {
    let mut records = dns.txt(domain).await?.into_iter().filter(|text| record::is_spf(text));
    let first = records.next();
    if records.next().is_some() {
        return Err(SpfError::Several(domain.to_owned()));
    }
    Ok(first)
}

struct Loader<'a> {
    dns: &'a Dns,
    loaded: Loaded,
}

impl Loader<'_> {
    async fn policy(&mut self, domain: &str, text: &str) -> Result<Policy, SpfError> {
        let Record { directives, redirect } = record::parse(text)
            .map_err(|term| SpfError::Syntax { domain: domain.to_owned(), term: term.to_owned() })?;
        let has_all = directives.iter().any(|(_, mechanism)| *mechanism == Mechanism::All);
        let mut policy = Policy::default();
        for (verdict, mechanism) in directives {
            policy.directives.push((verdict, self.matcher(domain, mechanism).await?));
        }
        // `all` hides it (section 5.1).
        if let Some(redirect) = redirect.filter(|_| !has_all) {
            match self.included(domain, redirect).await? {
                Some(other) => policy.otherwise = Some(Box::new(other)),
                // What the other record says is not known: with this the verdict is `CannotTell`, without it Neutral.
                None => policy.directives.push((Verdict::Pass, Matcher::Unknown)),
            }
        }
        Ok(policy)
    }

    async fn matcher(&mut self, domain: &str, mechanism: Mechanism) -> Result<Matcher, SpfError> {
        Ok(match mechanism {
            Mechanism::All => Matcher::All,
            Mechanism::Ip(network) => Matcher::Networks(vec![network]),
            Mechanism::Ptr => {
                self.count()?;
                Matcher::Unknown
            }
            Mechanism::A { target, prefixes } => {
                self.count()?;
                let Some(name) = name(target, domain) else { return Ok(Matcher::Unknown) };
                Matcher::Networks(networks(&self.addresses(&name).await?, prefixes))
            }
            Mechanism::Mx { target, prefixes } => {
                self.count()?;
                let Some(name) = name(target, domain) else { return Ok(Matcher::Unknown) };
                Matcher::Networks(networks(&self.hosts(&name).await?, prefixes))
            }
            Mechanism::Exists(target) => {
                self.count()?;
                let Target::Name(name) = target else { return Ok(Matcher::Unknown) };
                let exists = self.addresses(&name).await?.iter().any(IpAddr::is_ipv4);
                if exists { Matcher::All } else { Matcher::Networks(Vec::new()) }
            }
            Mechanism::Include(target) => match self.included(domain, target).await? {
                Some(policy) => Matcher::Include(Box::new(policy)),
                None => Matcher::Unknown,
            },
        })
    }

    /// The policy of `include` and `redirect`; `None` where its domain depends on the email.
    async fn included(&mut self, domain: &str, target: Target) -> Result<Option<Policy>, SpfError> {
        self.count()?;
        let Target::Name(name) = target else { return Ok(None) };
        let text = text_of(self.dns, &name)
            .await?
            .ok_or_else(|| SpfError::NoRecord { domain: domain.to_owned(), included: name.clone() })?;
        self.loaded.included.push(name.clone());
        Box::pin(self.policy(&name, &text)).await.map(Some)
    }

    async fn hosts(&mut self, name: &str) -> Result<Vec<IpAddr>, SpfError> {
        let hosts = self.dns.mx(name).await?;
        if hosts.len() > MX_LIMIT {
            return Err(SpfError::TooManyHosts(name.to_owned()));
        }
        if hosts.is_empty() {
            self.loaded.void_lookups += 1;
        }
        let mut addresses = Vec::new();
        for host in hosts {
            addresses.extend(self.addresses(&host).await?);
        }
        Ok(addresses)
    }

    async fn addresses(&mut self, name: &str) -> Result<Vec<IpAddr>, SpfError> {
        let addresses = self.dns.addresses(name).await?;
        if addresses.is_empty() {
            self.loaded.void_lookups += 1;
        }
        Ok(addresses)
    }

    fn count(&mut self) -> Result<(), SpfError> {
        self.loaded.lookups += 1;
        if self.loaded.lookups > STOP { Err(SpfError::Endless) } else { Ok(()) }
    }
}

/// `None` for macros.
fn name(target: Option<Target>, domain: &str) -> Option<String> {
    match target {
        None => Some(domain.to_owned()),
        Some(Target::Name(name)) => Some(name),
        Some(Target::Macro) => None,
    }
}

fn networks(addresses: &[IpAddr], prefixes: Prefixes) -> Vec<IpNet> {
    let network = |address: &IpAddr| {
        let prefix = if address.is_ipv4() { prefixes.v4 } else { prefixes.v6 };
        IpNet::new(*address, prefix).ok()
    };
    addresses.iter().filter_map(network).collect()
}

//! Look-ups. A name without records is an empty answer; everything else that is no answer is an error.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Answered, NetError};
use hickory_resolver::proto::rr::{Name, RData, RecordType};

/// For one packet; it is sent twice.
const PACKET_TIMEOUT: Duration = Duration::from_secs(2);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum DnsError {
    /// The resolver cannot be reached, or is silent.
    #[error("the resolver does not answer")]
    NoAnswer,
    /// The resolver got no answer from the domain's servers, or refuses.
    #[error("{kind} of {name}: the resolver answers {code}")]
    Failed { kind: RecordType, name: String, code: String },
}

/// A resolver.
pub(super) struct Dns {
    resolver: TokioResolver,
    place: String,
}

impl Dns {
    /// The resolver at this address, or the system's.
    ///
    /// # Errors
    /// When the system's configuration cannot be read.
    pub(super) fn new(address: Option<SocketAddr>) -> Result<Dns, NetError> {
        let mut builder = match address {
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                server.connections.iter_mut().for_each(|connection| connection.port = address.port());
                let config = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio()?,
        };
        let options = builder.options_mut();
        options.timeout = PACKET_TIMEOUT;
        options.attempts = 1;
        // Receivers know nothing of this machine's /etc/hosts.
        options.use_hosts_file = ResolveHosts::Never;
        let place = address.map_or_else(|| "the system's resolver".to_owned(), |address| address.to_string());
        Ok(Dns { resolver: builder.build()?, place })
    }

    /// The resolver that is asked.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The texts of the TXT records, each with its strings joined (RFC 7208, section 3.3).
    pub(super) async fn txt(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let records = self.lookup(parsed(name), RecordType::TXT).await?;
        let texts = records.into_iter().filter_map(|record| match record {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// IPv4 and IPv6 addresses.
    pub(super) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, DnsError> {
        let (v4, v6) = tokio::join!(
            self.lookup(parsed(name), RecordType::A),
            self.lookup(parsed(name), RecordType::AAAA)
        );
        Ok(v4?.iter().chain(&v6?).filter_map(RData::ip_addr).collect())
    }

    /// The hosts of the MX records, best first. That of a null MX (RFC 7505) is empty.
    pub(super) async fn mx(&self, name: &str) -> Result<Vec<String>, DnsError> {
        let mut hosts: Vec<_> = self
            .lookup(parsed(name), RecordType::MX)
            .await?
            .into_iter()
            .filter_map(|record| match record {
                RData::MX(mx) => Some((mx.preference, shown(&mx.exchange))),
                _ => None,
            })
            .collect();
        hosts.sort();
        Ok(hosts.into_iter().map(|(_, host)| host).collect())
    }

    /// The names of an address.
    pub(super) async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError> {
        let records = self.lookup(Some(Name::from(address)), RecordType::PTR).await?;
        let names = records.into_iter().filter_map(|record| match record {
            RData::PTR(name) => Some(shown(&name)),
            _ => None,
        });
        Ok(names.collect())
    }

    /// A name that cannot be in the DNS has no records.
    async fn lookup(&self, name: Option<Name>, kind: RecordType) -> Result<Vec<RData>, DnsError> {
        let Some(mut name) = name else { return Ok(Vec::new()) };
        // Else the search list of /etc/resolv.conf is tried too.
        name.set_fqdn(true);
        match self.resolver.lookup(name.clone(), kind).await {
            Ok(lookup) => {
                let records = lookup.answers().iter().map(|record| record.data.clone());
                Ok(records.filter(|data| data.record_type() == kind).collect())
            }
            Err(error) if error.is_no_records_found() => Ok(Vec::new()),
            Err(NetError::Dns(Answered::ResponseCode(code))) => {
                Err(DnsError::Failed { kind, name: shown(&name), code: code.to_string() })
            }
            Err(_) => Err(DnsError::NoAnswer),
        }
    }
}

fn parsed(name: &str) -> Option<Name> {
    Name::from_ascii(name).ok()
}

fn shown(name: &Name) -> String {
    name.to_ascii().trim_end_matches('.').to_ascii_lowercase()
}

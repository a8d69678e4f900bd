//! A DNS server on loopback, with the records of a test.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

const TTL: u32 = 60;
/// The longest string of a TXT record, in bytes (RFC 1035, section 3.3.14).
const TXT_STRING: usize = 255;

/// Answers over UDP until it is dropped.
pub struct DnsServer {
    address: SocketAddr,
    task: Option<JoinHandle<()>>,
    /// Keeps the port of a silent server.
    _socket: Arc<UdpSocket>,
}

#[derive(Default)]
struct Zone {
    records: HashMap<(Name, RecordType), Vec<RData>>,
    names: HashSet<Name>,
    /// Names to which every answer is SERVFAIL.
    failing: HashSet<Name>,
}

impl DnsServer {
    /// Starts a server with these records, one a line: `name type value`. The type `SERVFAIL` makes a name fail.
    ///
    /// # Errors
    /// When a line cannot be read, or no port is free.
    pub async fn start(records: &str) -> Result<DnsServer> {
        let zone = Zone::read(records)?;
        let mut server = DnsServer::silent().await?;
        server.task = Some(tokio::spawn(serve(Arc::clone(&server._socket), zone)));
        Ok(server)
    }

    /// A server that never answers.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn silent() -> Result<DnsServer> {
        let socket = UdpSocket::bind("127.0.0.1:0").await?;
        Ok(DnsServer { address: socket.local_addr()?, task: None, _socket: Arc::new(socket) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn serve(socket: Arc<UdpSocket>, zone: Zone) {
    let mut packet = [0; 4096];
    while let Ok((length, client)) = socket.recv_from(&mut packet).await {
        let Ok(query) = Message::from_vec(&packet[..length]) else { continue };
        if let Ok(answer) = zone.answer(&query).to_vec() {
            // The client may be gone.
            let _ = socket.send_to(&answer, client).await;
        }
    }
}

impl Zone {
    fn read(records: &str) -> Result<Zone> {
        let mut zone = Zone::default();
        for line in records.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut parts = line.splitn(3, ' ');
            let (Some(name), Some(kind)) = (parts.next(), parts.next()) else { bail!("{line}") };
            let name = full(name)?;
            zone.names.insert(name.clone());
            if kind == "SERVFAIL" {
                zone.failing.insert(name);
                continue;
            }
            let data = data(kind, parts.next().unwrap_or_default()).with_context(|| line.to_owned())?;
            zone.records.entry((name, data.record_type())).or_default().push(data);
        }
        Ok(zone)
    }

    fn answer(&self, query: &Message) -> Message {
        let mut answer = Message::response(query.metadata.id, OpCode::Query);
        answer.metadata.recursion_available = true;
        let Some(question) = query.queries.first() else { return answer };
        answer.add_query(question.clone());
        let mut name = question.name().clone();
        if self.failing.contains(&name) {
            answer.metadata.response_code = ResponseCode::ServFail;
            return answer;
        }
        if !self.names.contains(&name) {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        while let Some([RData::CNAME(target)]) = self.of(&name, RecordType::CNAME) {
            answer.add_answer(Record::from_rdata(name, TTL, RData::CNAME(target.clone())));
            name = target.0.clone();
        }
        for data in self.of(&name, question.query_type()).unwrap_or_default() {
            answer.add_answer(Record::from_rdata(name.clone(), TTL, data.clone()));
        }
        answer
    }

    fn of(&self, name: &Name, kind: RecordType) -> Option<&[RData]> {
        self.records.get(&(name.clone(), kind)).map(Vec::as_slice)
    }
}

fn full(name: &str) -> Result<Name> {
    let mut name = Name::from_ascii(name)?;
    name.set_fqdn(true);
    Ok(name)
}

fn data(kind: &str, value: &str) -> Result<RData> {
    Ok(match kind {
        "A" => RData::A(A(value.parse()?)),
        "AAAA" => RData::AAAA(AAAA(value.parse()?)),
        "CNAME" => RData::CNAME(CNAME(full(value)?)),
        "PTR" => RData::PTR(PTR(full(value)?)),
        "MX" => {
            let (preference, host) = value.split_once(' ').context("a preference and a host")?;
            RData::MX(MX::new(preference.parse()?, full(host)?))
        }
        "TXT" => RData::TXT(TXT::from_bytes(value.as_bytes().chunks(TXT_STRING).collect())),
        _ => bail!("{kind} is not known here"),
    })
}

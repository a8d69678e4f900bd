//! What `doctor` needs beyond the settings of the service, to check the DNS.

use std::net::{IpAddr, SocketAddr};

use super::source::Source;
use super::{table, values};

/// What `doctor` needs to check the DNS.
#[derive(Debug, Clone, Default)]
pub struct DoctorSettings {
    /// The selector of the key that signs emails (RFC 6376, section 3.1).
    pub dkim_selector: Option<String>,
    /// The address that receivers see emails come from.
    pub sending_ip: Option<IpAddr>,
    /// The resolver to ask; `None` is the system's.
    pub dns: Option<SocketAddr>,
}

pub(super) fn read(source: &mut Source) -> DoctorSettings {
    DoctorSettings {
        dkim_selector: source.optional(&table::MAIL_DKIM_SELECTOR, selector),
        sending_ip: source.optional(&table::DOCTOR_SENDING_IP, address),
        dns: source.optional(&table::DOCTOR_DNS, values::socket_address),
    }
}

/// Labels of a name in the DNS: letters, digits, hyphens and underscores, 63 at most each.
fn selector(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    if text.len() <= 128 && text.split('.').all(is_label) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a selector alone is needed, for example s1: the part before ._domainkey".into())
    }
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "an IPv4 or IPv6 address is needed".into())
}

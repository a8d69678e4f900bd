//! The parsers of single settings. Every error says what would be right.

use std::fmt::{self, Display};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use url::{Host, Origin, Url};

/// The beginning of links in emails: scheme, host and a port that is not the default, without a trailing slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The URL of a service that only this machine can reach.
    pub fn on_this_machine(port: u16) -> Self {
        Self(if port == 80 { "http://localhost".into() } else { format!("http://localhost:{port}") })
    }

    /// Reads a host, host:port or URL. A bare host means https, unless it is this machine.
    ///
    /// # Errors
    /// For anything else: a path, a user, a scheme that is not http or https.
    pub fn parse(text: &str) -> Result<Self, String> {
        const NEEDED: &str =
            "a host, host:port, or a URL of these with http:// or https:// and without a path is needed";
        let url = if text.contains("://") { Url::parse(text).ok() } else { from_bare_host(text) };
        let url = url.filter(is_origin_only).ok_or(NEEDED)?;
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// As in links: `https://bookly.example.org`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether clients use TLS.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Whether only this machine reaches the service: `localhost` or a loopback address.
    pub fn is_this_machine(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.host().is_some_and(is_this_machine))
    }

    /// The `Origin` that a browser sends (RFC 6454, section 6.2).
    pub fn origin(&self) -> &str {
        &self.0
    }

    /// Replaces port 0, which `LISTEN` may ask for, with the port that the system chose.
    pub fn with_bound_port(self, port: u16) -> Self {
        if self == Self::on_this_machine(0) { Self::on_this_machine(port) } else { self }
    }
}

impl Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn from_bare_host(text: &str) -> Option<Url> {
    let bracketed = text.parse::<Ipv6Addr>().map(|address| format!("[{address}]"));
    let authority = bracketed.as_deref().unwrap_or(text);
    let mut url = Url::parse(&format!("https://{authority}")).ok()?;
    if url.host().is_some_and(is_this_machine) {
        // Parsed again, not changed by `set_scheme`: that would drop port 443, the default of https.
        url = Url::parse(&format!("http://{authority}")).ok()?;
    }
    Some(url)
}

/// Whether what is sent there cannot be read on the network: https, or http on this machine.
pub(super) fn is_by_tls_or_here(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(is_this_machine),
        _ => false,
    }
}

pub(super) fn is_this_machine(host: Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether the host is a name of letters, digits, `-`, `_` and dots, or an IP address. URLs allow more: a `;` would end a
/// rule of a page's policy, and `*` is a wildcard there.
pub(super) fn has_plain_host(url: &Url) -> bool {
    let is_plain =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match url.host() {
        Some(Host::Domain(name)) => is_plain(name),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

fn is_origin_only(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && has_plain_host(url)
        && url.path() == "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none()
}

/// Any text.
pub(super) fn text(text: &str) -> Result<String, String> {
    Ok(text.into())
}

/// A boolean as pydantic reads it.
pub(super) fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Ok(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Ok(false),
        _ => Err("true or false is needed".into()),
    }
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    number_in(1..=u16::MAX)(text).map_err(|_| "a port number from 1 to 65535 is needed".into())
}

pub(super) fn number_in<T: FromStr + PartialOrd + Display>(
    range: RangeInclusive<T>,
) -> impl FnOnce(&str) -> Result<T, String> {
    move |text| match text.parse() {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => Err(format!("a whole number from {} to {} is needed", range.start(), range.end())),
    }
}

/// A number of seconds, from a minute to a week.
pub(super) fn lifetime(text: &str) -> Result<Duration, String> {
    match number_in(60..=604_800)(text) {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => Err("a number of seconds from 60 to 604800 is needed".into()),
    }
}

pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let by_name = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
    by_name
        .map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .or_else(|| text.parse().ok())
        .ok_or_else(|| "an address and port such as 127.0.0.1:8000 or [::]:8000 is needed".into())
}

/// A host name or IP address, without a port; IPv6 without brackets.
pub(super) fn host(text: &str) -> Result<String, String> {
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    match Host::parse(text) {
        Ok(host) => Ok(host.to_string()),
        Err(_) => Err("a host name or IP address alone is needed, the port has a setting of its own".into()),
    }
}

pub(super) fn queue_name(text: &str) -> Result<String, String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text.into())
    } else {
        Err("1 to 64 letters, digits, dots, hyphens and underscores are needed".into())
    }
}

/// Networks or single addresses, separated by commas.
pub(super) fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let network = |item: &str| item.parse().or_else(|_| item.parse::<IpAddr>().map(IpNet::from)).ok();
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(network)
        .collect::<Option<_>>()
        .ok_or_else(|| "addresses or networks such as 10.0.0.0/8, separated by commas, are needed".into())
}

/// Schemes whose documents have no origin: browsers send `null` for them.
const WITHOUT_ORIGIN: [&str; 7] = ["about", "blob", "data", "file", "filesystem", "javascript", "null"];

/// An origin as browsers send it (RFC 6454): scheme, host and port, nothing else. The web views of apps have schemes of
/// their own: `capacitor://localhost`.
///
/// Browsers leave the scheme's own port out, and write a name with other letters as `xn--…`.
fn origin(item: &str) -> Option<String> {
    let item = item.strip_suffix('/').unwrap_or(item).to_ascii_lowercase();
    let (_, authority) =
        item.split_once("://").filter(|(_, rest)| !rest.contains(['/', '\\', '?', '#', '@']))?;
    let url = Url::parse(&item).ok().filter(|url| !WITHOUT_ORIGIN.contains(&url.scheme()))?;
    match url.origin() {
        origin @ Origin::Tuple(..) => has_plain_host(&url).then(|| origin.ascii_serialization()),
        Origin::Opaque(_) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            let own = format!("{}{port}", url.host_str().filter(|host| !host.is_empty())?);
            (authority == own && !own.contains('*')).then_some(item)
        }
    }
}

/// Origins, separated by commas.
pub(super) fn origins(text: &str) -> Result<Vec<String>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(origin)
        .collect::<Option<_>>()
        .ok_or_else(|| {
            let needed = "origins such as https://app.example.org or capacitor://localhost, separated by commas, are needed";
            let reason = if text.contains('*') { "; * is no wildcard here, so name each origin" } else { "" };
            format!("{needed}{reason}")
        })
}

pub(super) fn existing_folder(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    if path.is_dir() { Ok(path.into()) } else { Err("a folder that exists is needed".into()) }
}

/// A folder that may not exist yet.
pub(super) fn data_folder(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text);
    if path.exists() && !path.is_dir() {
        Err("a folder is needed, not a file".into())
    } else {
        Ok(path.into())
    }
}

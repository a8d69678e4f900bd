//! The database: `DATABASE_URL` means Postgres, without it SQLite under `DATA_DIR`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use url::{Host, ParseError, Url};

use super::source::Source;
use super::{table, values};
use crate::tls::Trust;

/// The database with accounts and emails.
#[derive(Debug, Clone)]
pub enum DatabaseSettings {
    /// A SQLite file in this folder.
    Sqlite {
        /// `DATA_DIR`.
        data_dir: PathBuf,
    },
    /// A Postgres server.
    Postgres {
        /// A `postgres://` URL that sqlx reads; the forms of SQLAlchemy and asyncpg are already translated.
        url: SecretString,
        /// The most connections of one process.
        pool_size: u32,
        /// The servers that are trusted, where the URL asks for a check.
        trust: Trust,
    },
}

/// The default of `DATABASE_POOL_SIZE`.
pub const DEFAULT_POOL_SIZE: u32 = 16;
/// Five batches hold a connection each while they have items; other statements need some too.
const MIN_POOL_SIZE: u32 = 7;

pub(super) fn read(source: &mut Source, data_dir: &Path, trust: Option<&Trust>) -> Option<DatabaseSettings> {
    let pool_size = source.optional(&table::DATABASE_POOL_SIZE, values::number_in(MIN_POOL_SIZE..=1000));
    if !source.is_set(&table::DATABASE_URL) {
        return Some(DatabaseSettings::Sqlite { data_dir: data_dir.to_owned() });
    }
    let url = source.secret(&table::DATABASE_URL, normalise)?;
    Some(DatabaseSettings::Postgres { url, pool_size: pool_size?, trust: trust?.clone() })
}

const NEEDED: &str = "a URL such as postgres://user:password@host:5432/database is needed";

/// The names of drivers that SQLAlchemy adds to the scheme.
const DRIVERS: [&str; 5] = ["asyncpg", "psycopg", "psycopg2", "psycopg_async", "pg8000"];

/// Changes a URL as libpq, SQLAlchemy and asyncpg accept it to one that sqlx connects with.
fn normalise(text: &str) -> Result<String, String> {
    let (scheme, rest) = text.trim().split_once(':').ok_or(NEEDED)?;
    let rest = rest.strip_prefix("//").ok_or(NEEDED);
    let (dialect, driver) = scheme.split_once('+').unwrap_or((scheme, "asyncpg"));
    match dialect {
        "postgres" | "postgresql" if DRIVERS.contains(&driver) => {}
        "sqlite" => {
            return Err("SQLite has no URL here; leave DATABASE_URL unset, and set DATA_DIR to the folder of its file".into());
        }
        _ => return Err(NEEDED.into()),
    }
    let rest = rest?;
    refuse_several_hosts(rest)?;
    let url = parse(rest).ok_or_else(|| {
        format!(
            "{NEEDED}; in the names and the password, characters such as # / ? @ are written as %23 %2F %3F %40"
        )
    })?;
    let url = with_known_parameters(with_plain_host(url)?)?;
    // The error of sqlx may quote a value, so it is not shown.
    PgConnectOptions::from_str(url.as_str())
        .map_err(|_| format!("{NEEDED}; a value of its parameters is not valid"))?;
    Ok(url.into())
}

/// libpq tries several hosts in turn, sqlx knows one.
fn refuse_several_hosts(rest: &str) -> Result<(), String> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    let query = rest.rsplit_once('?').map_or("", |(_, query)| query);
    let parameters = url::form_urlencoded::parse(query.as_bytes());
    let in_query: Vec<_> = parameters.filter(|(name, _)| name == "host" || name == "hostaddr").collect();
    let lists = in_query.iter().any(|(_, value)| value.contains(','));
    let repeats = in_query.iter().filter(|(name, _)| name == "host").count() > 1;
    if hosts.contains(',') || lists || repeats {
        return Err("several hosts are not supported; name one, such as a proxy or a DNS name that follows the primary".into());
    }
    Ok(())
}

/// SQLAlchemy reads a password literally up to the first `@`. Where that makes no valid URL, its reserved characters
/// are written as percent codes. A URL without a host gets one, which is taken out later.
fn parse(rest: &str) -> Option<Url> {
    let url = match Url::parse(&format!("postgres://{rest}")) {
        // `user:12?34@host` is a valid URL, of a host called user.
        Ok(url) => Some(url).filter(|url| !url.username().is_empty() || !before_query(rest).contains('@')),
        Err(ParseError::EmptyHost) => without_host(rest),
        Err(_) => with_literal_password(rest),
    };
    url.filter(is_read_as_meant)
}

fn with_literal_password(rest: &str) -> Option<Url> {
    let (user, rest) = rest.split_once(':')?;
    let (password, rest) = rest.split_once('@')?;
    // `user:a/b@c@host`: the password may go on after its first `@`.
    if before_query(rest).contains('@') {
        return None;
    }
    let host = if rest.is_empty() || rest.starts_with(['/', '?']) { NO_HOST } else { "" };
    let mut url = Url::parse(&format!("postgres://{user}@{host}{rest}")).ok()?;
    url.set_password(Some(password)).ok()?;
    Some(url)
}

/// A URL parser ends the host at the first `#`, `/` or `?`: in `user:pass@word/x@host/d` the host is `word`, and the rest
/// of the password and the true host are a path, a parameter or a fragment. No URL of Postgres has a fragment.
fn is_read_as_meant(url: &Url) -> bool {
    let parameters = url.query().into_iter().flat_map(|query| query.split('&'));
    let mut with_at = parameters.filter(|parameter| parameter.contains('@'));
    let has_known_name = |parameter: &str| parameter.split_once('=').is_some_and(|(name, _)| is_known(name));
    url.fragment().is_none() && !url.path().contains('@') && with_at.all(has_known_name)
}

/// Addresses are fine after the `?`: `?user=ann@example.org`.
fn before_query(rest: &str) -> &str {
    match rest.split_once("?") {
        Some((before, query)) if query.split('&').all(|pair| pair.contains('=')) => before,
        _ => rest,
    }
}

/// Stands for the host of a URL that has none: `postgres://user:password@/database?host=/socket`.
const NO_HOST: &str = "no-host.invalid";

fn without_host(rest: &str) -> Option<Url> {
    let end = rest.find('@')? + 1;
    Url::parse(&format!("postgres://{}{NO_HOST}{}", &rest[..end], &rest[end..])).ok()
}

/// sqlx takes an IPv6 address as a parameter only, and a user without a host too.
fn with_plain_host(mut url: Url) -> Result<Url, String> {
    if let Some(Host::Ipv6(address)) = url.host() {
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        url.set_host(Some("localhost")).map_err(|_| NEEDED)?;
        url.query_pairs_mut().clear().append_pair("host", &address.to_string()).extend_pairs(pairs);
    } else if url.host_str() == Some(NO_HOST) {
        // Unlike in a query, a plus sign stands for itself here.
        let decoded =
            |text: &str| percent_decode_str(text).decode_utf8().map(Cow::into_owned).map_err(|_| NEEDED);
        let (user, password) = (decoded(url.username())?, url.password().map(decoded).transpose()?);
        let path_and_query = url.as_str().split_once(NO_HOST).map_or("", |(_, rest)| rest).to_owned();
        let path_and_query = path_and_query.trim_start_matches('/');
        url = Url::parse(&format!("postgres:///{path_and_query}")).map_err(|_| NEEDED)?;
        url.query_pairs_mut().append_pair("user", &user);
        if let Some(password) = password {
            url.query_pairs_mut().append_pair("password", &password);
        }
    }
    Ok(url)
}

/// The parameters that sqlx reads.
const KNOWN: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

fn is_known(parameter: &str) -> bool {
    KNOWN.contains(&parameter) || parameter.starts_with("options[")
}

/// The values of `ssl=` in asyncpg, and of `sslmode=` in libpq and sqlx.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// The parameters that would connect to another place or with less security than wanted, each with the values that are
/// refused, or with none where all are, and the reason.
#[rustfmt::skip]
const REFUSED: [(&str, &[&str], &str); 11] = [
    ("service", &[], "service= is not supported; write host, port, user and database into the URL"),
    ("servicefile", &[], "service= is not supported; write host, port, user and database into the URL"),
    ("passfile", &[], "passfile= is not supported; set the variable PGPASSFILE, or write the password into the URL"),
    ("sslpassword", &[], "sslpassword= is not supported; decrypt the key file that sslkey names"),
    ("sslcrl", &[], "certificate revocation lists (sslcrl=, sslcrldir=) are not supported"),
    ("sslcrldir", &[], "certificate revocation lists (sslcrl=, sslcrldir=) are not supported"),
    ("sslnegotiation", &["direct"], "sslnegotiation=direct is not supported; leave it out"),
    ("gssencmode", &["require"], "gssencmode= with this value is not supported; leave it out"),
    ("require_auth", &[], "require_auth= with this value is not supported; leave it out"),
    ("requirepeer", &[], "requirepeer= with this value is not supported; leave it out"),
    ("target_session_attrs", &["read-only", "standby"],
     "target_session_attrs must allow a server that can be written: read-write, primary or any"),
];

/// # Errors
/// The reason why the parameter is refused.
fn refuse_parameter(name: &str, value: &str) -> Result<(), String> {
    for (refused, values, reason) in REFUSED {
        if refused == name && (values.is_empty() || values.contains(&value)) {
            return Err(reason.to_owned());
        }
    }
    Ok(())
}

/// Translates `ssl=`, refuses the parameters of [`REFUSED`], and removes what makes no difference. sqlx would log what it
/// ignores, with the values.
fn with_known_parameters(mut url: Url) -> Result<Url, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    let (mut mode, mut root) = (None, None);
    for (name, value) in pairs {
        refuse_parameter(&name, &value)?;
        let (name, value) = match (name.as_str(), value.as_str()) {
            ("ssl", "true" | "True" | "1") => {
                mode = Some("require".to_owned());
                continue;
            }
            ("ssl", "false" | "False" | "0") => {
                mode = Some("disable".to_owned());
                continue;
            }
            ("ssl" | "sslmode" | "ssl-mode", value) if SSL_MODES.contains(&value) => {
                mode = Some(value.to_owned());
                continue;
            }
            ("ssl", _) => return Err(format!("after ssl= one of {} is needed", SSL_MODES.join(", "))),
            ("sslrootcert" | "ssl-root-cert" | "ssl-ca", "system") => {
                root = Some(RootCertificates::System);
                continue;
            }
            ("sslrootcert" | "ssl-root-cert" | "ssl-ca", file) => {
                root = Some(RootCertificates::File);
                ("sslrootcert", file)
            }
            (name, value) if is_known(name) => (name, value),
            _ => continue,
        };
        url.query_pairs_mut().append_pair(name, value);
    }
    if let Some(mode) = ssl_mode(mode, root)? {
        url.query_pairs_mut().append_pair("sslmode", &mode);
    }
    Ok(url)
}

/// What `sslrootcert=` names.
#[derive(Clone, Copy, PartialEq)]
enum RootCertificates {
    /// The certificates that this program trusts anyway.
    System,
    File,
}

/// As libpq reads it: `sslrootcert=system` checks certificate and name, and `sslmode=require` with a file checks the
/// certificate. sqlx checks nothing in either case.
fn ssl_mode(mode: Option<String>, root: Option<RootCertificates>) -> Result<Option<String>, String> {
    match (mode.as_deref(), root) {
        (None | Some("verify-full"), Some(RootCertificates::System)) => Ok(Some("verify-full".to_owned())),
        (Some(_), Some(RootCertificates::System)) => {
            Err("sslrootcert=system needs sslmode=verify-full".to_owned())
        }
        (Some("require"), Some(RootCertificates::File)) => Ok(Some("verify-ca".to_owned())),
        _ => Ok(mode),
    }
}

#[cfg(test)]
mod tests;

//! The database: `DATABASE_URL` means Postgres, without it SQLite under `DATA_DIR`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

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
/// Four batches hold a connection each while they have items; other statements need some too.
const MIN_POOL_SIZE: u32 = 6;

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
        format!("{NEEDED}; in the user's name and password, characters such as # / ? @ are written as %23 %2F %3F %40")
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
    match Url::parse(&format!("postgres://{rest}")) {
        // `user:12?34@host` is a valid URL, of a host called user.
        Ok(url) => return (!url.username().is_empty() || !before_query(rest).contains('@')).then_some(url),
        Err(ParseError::EmptyHost) => return without_host(rest),
        Err(_) => {}
    }
    let (user, rest) = rest.split_once(':')?;
    let (password, rest) = rest.split_once('@')?;
    let host = if rest.is_empty() || rest.starts_with(['/', '?']) { NO_HOST } else { "" };
    let mut url = Url::parse(&format!("postgres://{user}@{host}{rest}")).ok()?;
    url.set_password(Some(password)).ok()?;
    Some(url)
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
        let decoded = |text: &str| percent_decode(text).ok_or(NEEDED);
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

fn percent_decode(text: &str) -> Option<String> {
    // A plus sign stands for itself here, not for a blank.
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
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

/// The values of `ssl=` in asyncpg, and of `sslmode=` in libpq and sqlx.
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Translates `ssl=`, refuses what would connect to another place or with less security than wanted, and removes what
/// makes no difference. sqlx would log what it ignores, with the values.
fn with_known_parameters(mut url: Url) -> Result<Url, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    let (mut mode, mut root) = (None, None);
    for (name, value) in pairs {
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
            ("service" | "servicefile", _) => {
                return Err(
                    "service= is not supported; write host, port, user and database into the URL".into()
                );
            }
            ("passfile", _) => {
                return Err("passfile= is not supported; set the variable PGPASSFILE, or write the password into the URL".into());
            }
            ("sslpassword", _) => {
                return Err("sslpassword= is not supported; decrypt the key file that sslkey names".into());
            }
            ("sslcrl" | "sslcrldir", _) => {
                return Err("certificate revocation lists (sslcrl=, sslcrldir=) are not supported".into());
            }
            ("sslnegotiation", "direct") => {
                return Err("sslnegotiation=direct is not supported; leave it out".into());
            }
            ("gssencmode", "require") | ("require_auth" | "requirepeer", _) => {
                return Err(format!("{name}= with this value is not supported; leave it out"));
            }
            ("target_session_attrs", "read-only" | "standby") => {
                return Err("target_session_attrs must allow a server that can be written: read-write, primary or any".into());
            }
            (name, value) if KNOWN.contains(&name) || name.starts_with("options[") => (name, value),
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
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_postgres_url_becomes_one_that_sqlx_reads() {
        for given in
            ["postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d", "postgresql+asyncpg://u:p@h:5432/d"]
        {
            assert_eq!(normalise(given).unwrap(), "postgres://u:p@h:5432/d");
        }
    }

    #[test]
    fn asyncpgs_ssl_parameter_becomes_sslmode() {
        let url = normalise("postgresql+asyncpg://u:p@h/d?ssl=require&application_name=x").unwrap();
        assert_eq!(url, "postgres://u:p@h/d?application_name=x&sslmode=require");
        assert!(normalise("postgres://u:p@h/d?ssl=perhaps").is_err());
        assert!(normalise("postgres://u:p@h/d?sslmode=perhaps").is_err());
    }

    #[test]
    fn a_password_that_sqlalchemy_reads_literally_keeps_its_characters() {
        let url = normalise("postgresql+asyncpg://user:p#s/s?w:d%25@host:5432/bookly").unwrap();
        let url = Url::parse(&url).unwrap();
        assert_eq!((url.username(), url.host_str(), url.port()), ("user", Some("host"), Some(5432)));
        assert_eq!(url.password(), Some("p%23s%2Fs%3Fw%3Ad%25"));
        assert_eq!(url.path(), "/bookly");
    }

    #[test]
    fn parameters_that_sqlx_would_log_are_removed() {
        let url = normalise("postgres://u:p@h/d?channel_binding=require&sslmode=require&x=y").unwrap();
        assert_eq!(url, "postgres://u:p@h/d?sslmode=require");
    }

    #[test]
    fn a_user_name_is_not_read_as_a_host() {
        assert!(normalise("postgres://user:12?34@host/d").unwrap_err().contains("%3F"));
    }

    /// The host, port, user, password and database that sqlx connects with.
    fn place(given: &str) -> (String, u16, String, Option<String>) {
        let url = normalise(given).unwrap_or_else(|error| panic!("{given}: {error}"));
        let options = PgConnectOptions::from_str(&url).unwrap();
        let host = options.get_socket().map(|socket| socket.display().to_string());
        let host = host.unwrap_or_else(|| options.get_host().to_owned());
        (
            host,
            options.get_port(),
            options.get_username().to_owned(),
            options.get_database().map(str::to_owned),
        )
    }

    #[test]
    fn an_ipv6_literal_is_a_host() {
        let database = Some("d".to_owned());
        assert_eq!(place("postgres://u:p@[::1]:5433/d"), ("::1".into(), 5433, "u".into(), database.clone()));
        assert_eq!(
            place("postgresql+asyncpg://u@[fd00::2]/d"),
            ("fd00::2".into(), 5432, "u".into(), database)
        );
        assert!(!normalise("postgres://u:p@[::1]/d?host=/run/x").unwrap().contains("[::1]"));
    }

    #[test]
    fn a_url_without_a_host_leads_to_a_socket() {
        let database = Some("d".to_owned());
        for given in [
            "postgresql+asyncpg://u:p%40w@/d?host=/cloudsql/a:b:c",
            "postgres://u:p%40w@/d?host=%2Fcloudsql%2Fa%3Ab%3Ac",
            "postgres:///d?host=/cloudsql/a:b:c&user=u&password=p%40w",
            "postgres://u:p#?w@/d?host=/cloudsql/a:b:c",
        ] {
            assert_eq!(
                place(given),
                ("/cloudsql/a:b:c".into(), 5432, "u".into(), database.clone()),
                "{given}"
            );
        }
        assert_eq!(place("postgres://u@%2Frun%2Fpostgresql/d").0, "/run/postgresql");
        assert_eq!(place("postgres:///d").3, database);
        assert_eq!(place("postgres://u+x@/d").2, "u+x");
    }

    #[test]
    fn what_sqlx_cannot_do_is_refused_with_the_reason() {
        for (given, reason) in [
            ("postgres://u:p@a,b:5433/d", "several hosts"),
            ("postgres://u:p@/d?host=a,b", "several hosts"),
            ("postgres://u:p@/d?host=a:1&host=b:2", "several hosts"),
            ("postgres://u:p@h/d?target_session_attrs=standby", "target_session_attrs"),
            ("postgres://h/d?service=mine", "service="),
            ("postgres://h/d?sslcrl=/x", "revocation"),
            ("postgres://h/d?sslpassword=x", "sslkey"),
            ("postgres://h/d?gssencmode=require", "gssencmode"),
            ("postgresql+oracle://h/d", "postgres://"),
            ("host=localhost dbname=d", "postgres://"),
        ] {
            let refusal = normalise(given).unwrap_err();
            assert!(refusal.contains(reason), "{given}: {refusal}");
        }
    }

    #[test]
    fn what_makes_no_difference_is_removed() {
        let given = "postgres://u:p@h/d?connect_timeout=5&target_session_attrs=read-write&ssl=False";
        assert_eq!(normalise(given).unwrap(), "postgres://u:p@h/d?sslmode=disable");
    }

    #[test]
    fn a_file_of_certificates_asks_for_the_check_that_libpq_makes() {
        for (given, wanted) in [
            ("sslrootcert=system", "sslmode=verify-full"),
            ("sslmode=verify-full&sslrootcert=system", "sslmode=verify-full"),
            ("ssl=require&sslrootcert=/ca.pem", "sslrootcert=%2Fca.pem&sslmode=verify-ca"),
            ("ssl-ca=/ca.pem&sslmode=verify-full", "sslrootcert=%2Fca.pem&sslmode=verify-full"),
            ("sslrootcert=/ca.pem", "sslrootcert=%2Fca.pem"),
            ("sslmode=require", "sslmode=require"),
        ] {
            assert_eq!(
                normalise(&format!("postgres://u:p@h/d?{given}")).unwrap(),
                format!("postgres://u:p@h/d?{wanted}")
            );
        }
        let weak = normalise("postgres://u:p@h/d?sslmode=require&sslrootcert=system").unwrap_err();
        assert!(weak.contains("verify-full"), "{weak}");
    }

    #[test]
    fn other_databases_are_refused() {
        assert!(normalise("sqlite:///bookly.db").unwrap_err().contains("DATA_DIR"));
        for given in ["mysql://u:p@h/d", "bookly", "postgres:u", "postgres://u:p@h:port/d"] {
            assert!(normalise(given).unwrap_err().contains("postgres://"), "{given}");
        }
    }
}

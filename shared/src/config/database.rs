//! The database: `DATABASE_URL` means Postgres, without it SQLite under `DATA_DIR`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use url::Url;

use super::source::Source;
use super::table;

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
    },
}

pub(super) fn read(source: &mut Source, data_dir: &Path) -> Option<DatabaseSettings> {
    if !source.is_set(&table::DATABASE_URL) {
        return Some(DatabaseSettings::Sqlite { data_dir: data_dir.to_owned() });
    }
    let url = source.secret(&table::DATABASE_URL, normalise)?;
    Some(DatabaseSettings::Postgres { url })
}

const NEEDED: &str = "a URL such as postgres://user:password@host:5432/database is needed";

/// Translates the forms of libpq, SQLAlchemy and asyncpg to a URL for sqlx.
fn normalise(text: &str) -> Result<String, String> {
    let (scheme, rest) = text.trim().split_once(':').ok_or(NEEDED)?;
    let rest = rest.strip_prefix("//").ok_or(NEEDED);
    match scheme {
        "postgres" | "postgresql" | "postgresql+asyncpg" | "postgres+asyncpg" => {}
        "sqlite" | "sqlite+aiosqlite" => {
            return Err(
                "SQLite has no URL here; remove DATABASE_URL and set DATA_DIR to the folder of its file"
                    .into(),
            );
        }
        _ => return Err(NEEDED.into()),
    }
    let url = parse(rest?).ok_or_else(|| {
        format!("{NEEDED}; in the user's name and password, characters such as # / ? @ are written as %23 %2F %3F %40")
    })?;
    let url = with_known_parameters(url)?;
    // The error of sqlx may quote the value, so it is not shown.
    PgConnectOptions::from_str(url.as_str())
        .map_err(|_| format!("{NEEDED}; sqlx does not understand its parameters"))?;
    Ok(url.into())
}

/// SQLAlchemy reads a password literally up to the first `@`. Where that is not a valid URL, the reserved characters of
/// the password are percent-encoded.
fn parse(rest: &str) -> Option<Url> {
    if let Ok(url) = Url::parse(&format!("postgres://{rest}")) {
        // `user:12?34@host` is a valid URL whose host is `user`.
        return (!url.username().is_empty() || !rest.contains('@')).then_some(url);
    }
    let (user, rest) = rest.split_once(':')?;
    let (password, rest) = rest.split_once('@')?;
    let mut url = Url::parse(&format!("postgres://{user}@{rest}")).ok()?;
    url.set_password(Some(password)).ok()?;
    Some(url)
}

/// The parameters that sqlx reads.
const KNOWN: [&str; 19] = [
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
    "ssl",
];

/// The values of `ssl=` (asyncpg) and `sslmode=` (libpq, sqlx).
const SSL_MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

/// Translates `ssl=`, and removes parameters that sqlx does not know: it would log them with their values.
fn with_known_parameters(mut url: Url) -> Result<Url, String> {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    url.set_query(None);
    for (name, value) in pairs {
        let (name, value) = match (name.as_str(), value.as_str()) {
            ("ssl", "true" | "True") => ("sslmode", "require"),
            ("ssl", mode) if SSL_MODES.contains(&mode) => ("sslmode", mode),
            ("ssl", _) => return Err(format!("after ssl= one of {} is needed", SSL_MODES.join(", "))),
            (name, value) if KNOWN.contains(&name) || name.starts_with("options[") => (name, value),
            _ => continue,
        };
        url.query_pairs_mut().append_pair(name, value);
    }
    Ok(url)
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
        assert_eq!(url, "postgres://u:p@h/d?sslmode=require&application_name=x");
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

    #[test]
    fn other_databases_are_refused() {
        assert!(normalise("sqlite:///bookly.db").unwrap_err().contains("DATA_DIR"));
        for given in ["mysql://u:p@h/d", "bookly", "postgres:u", "postgres://u:p@h:port/d"] {
            assert!(normalise(given).unwrap_err().contains("postgres://"), "{given}");
        }
    }
}

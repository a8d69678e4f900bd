//! Redis, from `REDIS_URL` or from `REDIS_HOST` and `REDIS_PORT`. Needs Postgres.

use redis::IntoConnectionInfo;
use secrecy::SecretString;
use url::Url;

use super::source::Source;
use super::{table, values};

pub(super) fn read(source: &mut Source) -> Option<SecretString> {
    let by_url = source.is_set(&table::REDIS_URL);
    if !by_url && !source.is_set(&table::REDIS_HOST) {
        return None;
    }
    if !source.is_set(&table::DATABASE_URL) {
        let setting = if by_url { &table::REDIS_URL } else { &table::REDIS_HOST };
        source.refuse(
            setting,
            "is set, but DATABASE_URL is not",
            "worker processes need a database that they can share, and SQLite is a file of one process; \
             set DATABASE_URL to Postgres, or remove Redis",
        );
    }
    if by_url {
        return source.secret(&table::REDIS_URL, checked);
    }
    let host = source.optional(&table::REDIS_HOST, values::host);
    let port = source.optional(&table::REDIS_PORT, values::port);
    let (host, port) = (host?, port?);
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("redis://{host}:{port}/0").into())
}

const NEEDED: &str = "a URL such as redis://host:6379/0 or rediss://user:password@host:6380/0 is needed";
const ENCODED: &str =
    "; in the user's name and password, characters such as # / ? @ are written as %23 %2F %3F %40";

fn checked(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.ends_with("#insecure") {
        return Err("rediss:// without #insecure is needed: SSL_CERT_FILE adds the certificate of an authority of your own, or a self-signed one".into());
    }
    if text.into_connection_info().is_err() || !is_read_as_meant(text) {
        let encoded = if text.contains('@') { ENCODED } else { "" };
        return Err(format!("{NEEDED}{encoded}"));
    }
    Ok(text.into())
}

/// A URL parser ends the host at the first `#`, `/` or `?`: in `redis://default:18530#x@host` the host is `default`, and
/// the rest of the password and the true host are a fragment that is ignored.
fn is_read_as_meant(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else { return false };
    let socket = matches!(url.scheme(), "unix" | "redis+unix" | "valkey+unix");
    let parameters: &[&str] = if socket { &["db", "user", "pass", "protocol"] } else { &["protocol"] };
    let query = url.query_pairs().all(|(name, _)| parameters.contains(&&*name));
    url.fragment().is_none() && query && (socket || !url.path().contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redis_url_is_taken_as_it_is() {
        for url in [
            "redis://localhost",
            "redis://localhost:6379/0",
            "rediss://user:p%23s%2Fs@host:6380/1",
            "redis://:password@host:6379",
            "redis://:p@ss@host:6379",
            "rediss://:password@cache.windows.net:6380/0?protocol=resp3",
            "redis://[::1]:6379/0",
            "redis+unix:///run/redis.sock?db=1&pass=x",
        ] {
            assert_eq!(checked(url).as_deref(), Ok(url));
        }
    }

    #[test]
    fn a_password_with_reserved_characters_is_refused_with_the_remedy() {
        for url in [
            "redis://default:18530#x@host",
            "redis://default:18530#x@host:6379/0",
            "redis://default:18530?x@host:6379/0",
            "redis://default:18530/x@host:6379/0",
            "redis://default:1/x@host",
            "redis://default:a#x@host",
            "redis://default:a?x@host",
            "redis://default:a/x@host",
        ] {
            let needed = checked(url).unwrap_err();
            assert!(needed.contains("%23 %2F %3F %40"), "{url}: {needed}");
        }
    }

    #[test]
    fn an_unchecked_certificate_is_refused_with_the_remedy() {
        assert!(checked("rediss://host:6380/0#insecure").unwrap_err().contains("SSL_CERT_FILE"));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in [
            "http://host",
            "host:6379",
            "redis://host:port/0",
            "redis://host/zero",
            "redis://host?db=1",
            "redis://host#0",
        ] {
            assert!(checked(url).unwrap_err().starts_with(NEEDED), "{url}");
        }
    }
}

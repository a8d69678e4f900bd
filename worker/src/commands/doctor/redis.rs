//! Redis: whether it accepts jobs, and whether it keeps them.

use std::collections::HashMap;

use bookly_shared::config::Settings;
use bookly_shared::queue::RedisQueue;
use bookly_shared::tls::{CertificateProblem, with_reason};
use redis::{ErrorKind, RedisError, ServerErrorKind};
use secrecy::SecretString;

use super::report::{Finding, Status};

const NAME: &str = "redis";

pub(super) async fn check(url: &SecretString, settings: &Settings) -> Vec<Finding> {
    let queue_name = &settings.queue_name;
    let queue = match RedisQueue::new(url, queue_name, &settings.trust) {
        Ok(queue) => queue,
        Err(error) => {
            return vec![Finding::fail(NAME, error.to_string(), "write it as redis://host:6379/0")];
        }
    };
    let place = queue.connection().server().place();
    let server = match info(&queue).await {
        Ok(info) => judge(&info, &place, queue_name),
        Err(error) if is_refused(&error) => Finding::warn(
            NAME,
            format!("{place}: INFO is not allowed, so the server's settings are not checked"),
            "allow the user of REDIS_URL to run INFO",
        ),
        Err(error) => Finding::fail(NAME, format!("{place}: {}", with_reason(&error)), remedy(&error)),
    };
    if server.status == Status::Fail {
        return vec![server];
    }
    match queue.check_access().await {
        Ok(()) => vec![server],
        Err(denied) => {
            let remedy = if is_refused(&denied.error) {
                access_remedy(queue_name)
            } else {
                remedy(&denied.error).to_owned()
            };
            vec![Finding::fail(NAME, format!("{place}: {denied}"), remedy)]
        }
    }
}

fn is_refused(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
}

fn access_remedy(queue: &str) -> String {
    format!(
        "give the user of REDIS_URL these keys and channels: ~{queue}:* ~core:apalis:queues:list &{queue}:* \
         (the last key is fixed in apalis-redis; docs/operations.md has a whole ACL rule)"
    )
}

/// Uses `INFO`, which managed servers allow where they refuse `CONFIG`.
async fn info(queue: &RedisQueue) -> Result<HashMap<String, String>, RedisError> {
    let text: String = redis::cmd("INFO").query_async(&mut queue.connection()).await?;
    Ok(read(&text))
}

fn read(info: &str) -> HashMap<String, String> {
    let pairs = info.lines().filter_map(|line| line.trim_end().split_once(':'));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn remedy(error: &RedisError) -> &'static str {
    match CertificateProblem::of(error) {
        Some(CertificateProblem::Expired) => {
            return "renew the certificate of Redis, and check the clock of this machine";
        }
        Some(CertificateProblem::Name) => {
            return "write a name into REDIS_URL that the certificate contains as subjectAltName; a commonName alone does not count";
        }
        Some(CertificateProblem::Authority) => {
            return "set SSL_CERT_FILE to the certificate (PEM) of the authority, or use one of a public authority";
        }
        Some(CertificateProblem::IsAuthority) => {
            return "Redis shows a self-signed certificate: set SSL_CERT_FILE to a file that holds this very certificate (PEM)";
        }
        None => {}
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => {
            "correct user and password in REDIS_URL (redis://user:password@host:6379/0)"
        }
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "wait until Redis has loaded its data",
        // A server that needs a password says NOAUTH, for which the library has no kind.
        _ if error.code() == Some("NOAUTH") => {
            "add the password to REDIS_URL (redis://:password@host:6379/0)"
        }
        _ if error.is_timeout() => {
            "the server hangs, or the network drops packets: check the server and the firewalls"
        }
        _ => {
            "start Redis, or correct REDIS_URL (or REDIS_HOST and REDIS_PORT); meanwhile sign-ups work, and workers find due \
             emails in the database"
        }
    }
}

fn judge(info: &HashMap<String, String>, place: &str, queue: &str) -> Finding {
    let value = |name: &str| info.get(name).map(String::as_str).unwrap_or_default();
    let number = |name: &str| value(name).parse::<u64>().unwrap_or_default();
    let append_only = if value("aof_enabled") == "1" { "on" } else { "off" };
    let policy = value("maxmemory_policy");
    let fact = format!(
        "Redis {} at {place}, maxmemory-policy {policy}, append-only {append_only}, keys begin with {queue}:",
        value("redis_version"),
    );
    let (limit, used) = (number("maxmemory"), number("used_memory"));
    if value("role") == "slave" {
        return Finding::fail(
            NAME,
            format!("{fact}; it is a replica"),
            "REDIS_URL must name the primary: a replica accepts no jobs",
        );
    }
    if limit > 0 && policy == "noeviction" && used >= limit {
        return Finding::fail(
            NAME,
            format!("{fact}; its memory is full"),
            "raise maxmemory, or find what else fills this Redis",
        );
    }
    if limit > 0 && policy != "noeviction" {
        let remedy = "set maxmemory-policy noeviction: Redis may drop jobs, which delays their emails by seconds (none is lost)";
        return Finding::warn(NAME, fact, remedy);
    }
    Finding::ok(NAME, fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_info_is_judged() {
        let well = "# Server\r\nredis_version:7.2.4\r\nrole:master\r\nmaxmemory:0\r\nused_memory:9\r\n\
                    maxmemory_policy:noeviction\r\naof_enabled:1\r\n";
        let judged = |info: &str| judge(&read(info), "db:6379", "bookly");
        let finding = judged(well);
        assert_eq!(finding.status, Status::Ok);
        assert!(
            finding.fact.starts_with("Redis 7.2.4 at db:6379, maxmemory-policy noeviction, append-only on")
        );
        for (from, to, status) in [
            ("role:master", "role:slave", Status::Fail),
            ("maxmemory:0", "maxmemory:9", Status::Fail),
            ("maxmemory:0", "maxmemory:10", Status::Ok),
            ("policy:noeviction", "policy:allkeys-lru", Status::Ok),
            ("aof_enabled:1", "aof_enabled:0", Status::Ok),
        ] {
            assert_eq!(judged(&well.replace(from, to)).status, status, "{to}");
        }
        let evicting = well.replace("maxmemory:0", "maxmemory:10").replace("noeviction", "allkeys-lru");
        assert_eq!(judged(&evicting).status, Status::Warn);
    }
}

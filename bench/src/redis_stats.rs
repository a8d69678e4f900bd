//! What Redis says of itself.

use std::collections::BTreeMap;

use anyhow::Context;
use bookly_e2e::redis_server::RedisServer;

/// Memory in MB (10⁶ bytes) that it holds data in.
pub(crate) async fn memory_mb(redis: &RedisServer) -> anyhow::Result<f64> {
    let info: String = redis.ask(&["INFO", "memory"]).await?;
    Ok(field(&info, "used_memory:").context("used_memory")? / 1e6)
}

/// How many commands it has processed since it started, those within scripts too.
pub(crate) async fn commands(redis: &RedisServer) -> anyhow::Result<f64> {
    let info: String = redis.ask(&["INFO", "stats"]).await?;
    field(&info, "total_commands_processed:").context("total_commands_processed")
}

/// How often each command was called since it started.
pub(crate) async fn calls(redis: &RedisServer) -> anyhow::Result<BTreeMap<String, f64>> {
    Ok(read_calls(&redis.ask::<String>(&["INFO", "commandstats"]).await?))
}

fn field(info: &str, name: &str) -> Option<f64> {
    info.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}

/// Lines like `cmdstat_client|setinfo:calls=2,usec=…`.
fn read_calls(info: &str) -> BTreeMap<String, f64> {
    let line = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
    };
    info.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_calls_are_read() {
        let info = "# Commandstats\r\ncmdstat_get:calls=12,usec=3,usec_per_call=0.25\r\ncmdstat_client|setinfo:calls=2,usec=9\r\n";
        let calls = read_calls(info);
        assert_eq!(calls.get("get"), Some(&12.0));
        assert_eq!(calls.get("client|setinfo"), Some(&2.0));
        assert_eq!(calls.len(), 2);
        assert_eq!(
            field("used_memory:1048576\r\nused_memory_human:1.00M\r\n", "used_memory:"),
            Some(1_048_576.0)
        );
    }
}

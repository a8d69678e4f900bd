//! `doctor` with a Redis that answers but cannot be used.

use bookly_e2e::stack::run;

use super::doctor::{check, examined, fails};
use super::*;

/// The password of the Redis in these tests.
const PASSWORD: &str = "redis-password";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_or_wrong_password_is_not_reported_as_a_server_that_is_away() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let redis = stack.redis()?;
        redis.ask::<String>(&["CONFIG", "SET", "requirepass", PASSWORD]).await?;
        fails(stack, &[], "redis", "NOAUTH", "add the password to REDIS_URL").await?;
        let with = |password: &str| redis.url().replacen("//", &format!("//:{password}@"), 1);
        fails(stack, &[("REDIS_URL", &with("wrong"))], "redis", "", "correct user and password").await?;
        let (finished, report) = examined(stack, &[("REDIS_URL", &with(PASSWORD))]).await?;
        assert_eq!(check(&report, "redis")?["status"], "ok", "{report:#}");
        assert!(!finished.output.contains(PASSWORD), "{finished:?}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_may_drop_jobs_is_a_warning_and_one_that_accepts_none_a_failure() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0), async |stack| {
        let redis = stack.redis()?;
        redis
            .ask::<String>(&["CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru"])
            .await?;
        let (finished, report) = examined(stack, &[]).await?;
        let found = check(&report, "redis")?;
        assert!(finished.status.success() && found["status"] == "warn", "{report:#}");
        assert!(found["remedy"].as_str().context("remedy")?.contains("noeviction"), "{report:#}");
        redis.ask::<String>(&["CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction"]).await?;
        fails(stack, &[], "redis", "memory is full", "raise maxmemory").await?;
        redis.ask::<String>(&["CONFIG", "SET", "maxmemory", "0"]).await?;
        redis.ask::<String>(&["REPLICAOF", "127.0.0.1", "1"]).await?;
        fails(stack, &[], "redis", "replica", "primary").await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_a_needed_key_channel_or_command_is_a_failure_that_names_it() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(0).with("QUEUE_NAME", "bookly"), async |stack| {
        let redis = stack.redis()?;
        let url = redis.url().replacen("//", &format!("//bookly:{PASSWORD}@"), 1);
        let own = [("REDIS_URL", url.as_str())];
        let user = async |rule: &str| {
            let password = format!(">{PASSWORD}");
            let command = ["ACL", "SETUSER", "bookly", "reset", "on", &password];
            let rule = rule.split_whitespace();
            redis.ask::<String>(&command.into_iter().chain(rule).collect::<Vec<_>>()).await
        };
        for (rule, missing) in [
            ("~core:apalis:queues:list &bookly:* +@all", "write keys that match bookly:*"),
            ("~bookly* &bookly* +@all", "write the key core:apalis:queues:list"),
            ("~bookly:* ~core:apalis:queues:list &bookly:* +@all -eval", "run scripts"),
            ("~bookly:* ~core:apalis:queues:list resetchannels +@all", "publish to channels"),
        ] {
            user(rule).await?;
            let remedy = "~bookly:* ~core:apalis:queues:list &bookly:*";
            fails(stack, &own, "redis", missing, remedy).await.with_context(|| rule.to_owned())?;
        }
        user("~bookly:* ~core:apalis:queues:list &bookly:* +@all -@dangerous +info").await?;
        assert_eq!(check(&examined(stack, &own).await?.1, "redis")?["status"], "ok");
        user("~bookly:* ~core:apalis:queues:list &bookly:* +@all -info").await?;
        assert_eq!(check(&examined(stack, &own).await?.1, "redis")?["status"], "warn");
        Ok(())
    })
    .await
}

//! Delivery over Redis and SMTP: no email is lost during outages, and no request waits for an email.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use bookly_e2e::forge;
use bookly_e2e::person::new_address;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::redis_server::RedisServer;
use bookly_e2e::smtp_server::{Fault, ReceivedMail, Stage};
use bookly_e2e::stack::{JWT_SECRET, MAIL_USER, STOP_LIMIT, run};
use futures_util::{StreamExt, TryStreamExt, stream};

/// Mails in the test of many; a larger number can be given.
const MANY_VARIABLE: &str = "E2E_QUEUED_MAILS";
/// More than the 8,000 at which apalis-redis' fetch script fails.
const MANY: usize = 9_000;
/// For the test of many, on a slow machine.
const LONG: Duration = Duration::from_secs(600);
/// For everything to arrive after a worker was killed: leases run out in 15 s.
const RECOVERY: Duration = Duration::from_secs(120);
/// A request that waited for a mail server or Redis would be slower by far more than this factor.
const NOT_SLOWER_THAN: u32 = 10;
const VERIFY: &str = "Verify your email";

fn full(workers: usize) -> StackOptions {
    StackOptions::new(Kind::Full).workers(workers)
}

/// Signs people up, a few at a time, and returns their addresses.
async fn sign_up_many(stack: &Stack, count: usize) -> Result<Vec<String>> {
    let sign_up = async |_| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        anyhow::Ok(person.email)
    };
    stream::iter(0..count).map(sign_up).buffer_unordered(8).try_collect().await
}

/// The median time of a sign-up.
async fn time_of_a_sign_up(stack: &Stack) -> Result<Duration> {
    let mut times = Vec::new();
    for _ in 0..11 {
        let begin = Instant::now();
        stack.sign_up(&Person::new()).await?;
        times.push(begin.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// How many different mails each address got, and how many copies.
fn by_address(mails: &[ReceivedMail]) -> BTreeMap<String, (usize, HashSet<String>)> {
    let mut found: BTreeMap<String, (usize, HashSet<String>)> = BTreeMap::new();
    for mail in mails {
        let (copies, ids) = found.entry(mail.to.concat()).or_default();
        *copies += 1;
        ids.extend(mail.message_id());
    }
    found
}

/// Every address got its mail, and what came twice is one mail by its Message-ID.
fn all_arrived(stack: &Stack, addresses: &[String]) -> Result<()> {
    let found = by_address(&stack.mails()?);
    for address in addresses {
        let (_, ids) = found.get(address).with_context(|| format!("{address} got no mail"))?;
        assert_eq!(ids.len(), 1, "{address} got copies that do not look like copies");
    }
    Ok(())
}

fn each_once(stack: &Stack, count: usize) -> Result<()> {
    let found = by_address(&stack.mails()?);
    assert_eq!(found.len(), count);
    let twice: Vec<_> = found.iter().filter(|(_, (copies, _))| *copies != 1).collect();
    assert!(twice.is_empty(), "came more than once: {twice:?}");
    Ok(())
}

async fn rows_are_sent(stack: &Stack, count: usize) -> Result<()> {
    stack.settled().await?;
    let sent = stack.sql().number("SELECT count(*) FROM emails WHERE state = 'sent'", "").await?;
    assert_eq!(usize::try_from(sent)?, count);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_log_in_over_starttls() -> Result<()> {
    run(full(2), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let mail = stack.mail(&person.email, VERIFY).await?;
        assert!(mail.tls);
        assert_eq!(mail.auth_user.as_deref(), Some(MAIL_USER));
        assert_eq!(mail.from, "bookly@bookly.test");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_workers_send_each_mail_once() -> Result<()> {
    run(full(3), async |stack| {
        let addresses = sign_up_many(stack, 60).await?;
        stack.smtp()?.wait_for_total(60, LIMIT).await?;
        rows_are_sent(stack, 60).await?;
        all_arrived(stack, &addresses)?;
        each_once(stack, 60)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_do_not_wait_for_a_mail_server_that_hangs() -> Result<()> {
    run(full(2), async |stack| {
        let well = time_of_a_sign_up(stack).await?;
        stack.settled().await?;
        let before = stack.smtp()?.count(Stage::FinalDot);
        stack.smtp()?.set_fault(Fault::HangAt(Stage::FinalDot));
        stack.sign_up(&Person::new()).await?;
        stack.smtp()?.wait_for_stage(Stage::FinalDot, before + 1, LIMIT).await?;
        let hanging = time_of_a_sign_up(stack).await?;
        assert!(hanging < well * NOT_SLOWER_THAN, "{hanging:?}, without the hang {well:?}");
        stack.smtp()?.clear_faults();
        rows_are_sent(stack, 23).await?;
        each_once(stack, 23)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_ups_do_not_wait_for_a_redis_that_hangs() -> Result<()> {
    run(full(2), async |stack| {
        let well = time_of_a_sign_up(stack).await?;
        stack.redis()?.hang()?;
        let hanging = time_of_a_sign_up(stack).await?;
        assert!(hanging < well * NOT_SLOWER_THAN, "{hanging:?}, without the hang {well:?}");
        let ready = stack.api().get("//health/ready").expect(200).await?;
        assert_eq!(ready["degraded"], json!(["redis"]), "{ready}");
        stack.redis()?.go_on()?;
        stack.smtp()?.wait_for_total(22, LIMIT).await?;
        rows_are_sent(stack, 22).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_wait_for_a_mail_server_that_is_away() -> Result<()> {
    run(full(2), async |stack| {
        let away = Fault::RefuseGreeting(421, "come back later".to_owned());
        stack.smtp()?.set_fault(away);
        let addresses = sign_up_many(stack, 10).await?;
        stack.smtp()?.wait_for_stage(Stage::Greeting, 2, LIMIT).await?;
        stack.smtp()?.clear_faults();
        stack.smtp()?.wait_for_total(10, RECOVERY).await?;
        rows_are_sent(stack, 10).await?;
        all_arrived(stack, &addresses)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_killed_in_the_middle_of_a_hundred_sign_ups_loses_none() -> Result<()> {
    run(full(1), async |stack| {
        // So that some mails are always in the worker's hands.
        stack.smtp()?.set_fault(Fault::DelayAt(Stage::FinalDot, Duration::from_millis(150)));
        let kill_and_start_again = async {
            stack.smtp()?.wait_for_total(20, LIMIT).await?;
            stack.kill_worker(0)?;
            stack.start_worker().await
        };
        let (addresses, _) = tokio::try_join!(sign_up_many(stack, 100), kill_and_start_again)?;
        until("all hundred to arrive", RECOVERY, async || {
            let found = by_address(&stack.mails()?);
            Ok(addresses.iter().all(|address| found.contains_key(address)).then_some(()))
        })
        .await?;
        stack.smtp()?.clear_faults();
        rows_are_sent(stack, 100).await?;
        all_arrived(stack, &addresses)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_redis_loses_no_mail() -> Result<()> {
    run(full(0), async |stack| {
        let addresses = sign_up_many(stack, 20).await?;
        let pushed = until("jobs to be in Redis", LIMIT, async || {
            Ok(Some(stack.redis()?.ask::<i64>(&["DBSIZE"]).await?).filter(|keys| *keys > 0))
        });
        pushed.await?;
        stack.redis()?.ask::<String>(&["FLUSHALL"]).await?;
        stack.start_worker().await?;
        stack.smtp()?.wait_for_total(20, RECOVERY).await?;
        rows_are_sent(stack, 20).await?;
        all_arrived(stack, &addresses)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_worker_sends_what_thousands_wait_for() -> Result<()> {
    let given = std::env::var(MANY_VARIABLE).ok().map(|text| text.parse()).transpose()?;
    let many: usize = given.unwrap_or(MANY);
    run(full(0), async |stack| {
        let insert = format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, context, state, due_at, deadline_at, created_at)
             SELECT gen_random_uuid(), 'welcome', 'kim-' || n || '@people.test', 'kim-' || n || '@people.test',
                    '{{}}', 'queued', now(), now() + interval '1 day', now() FROM generate_series(1, {many}) n"
        );
        assert_eq!(stack.sql().run(&insert, "").await?, many as u64);
        stack.start_worker().await?;
        stack.smtp()?.wait_for_total(many, LONG).await?;
        rows_are_sent(stack, many).await?;
        each_once(stack, many)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_a_worker_finish_the_mail_in_its_hands() -> Result<()> {
    run(full(1), async |stack| {
        stack.smtp()?.set_fault(Fault::HangAt(Stage::FinalDot));
        stack.sign_up(&Person::new()).await?;
        stack.smtp()?.wait_for_stage(Stage::FinalDot, 1, LIMIT).await?;
        let worker = stack.workers().remove(0);
        worker.signal("TERM")?;
        worker.log().line(LIMIT, |line| line.contains("finishing the emails in flight")).await?;
        stack.smtp()?.clear_faults();
        let status = worker.exited(STOP_LIMIT).await?;
        assert!(status.success(), "{status}");
        rows_are_sent(stack, 1).await?;
        each_once(stack, 1)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_with_nothing_to_do_stops_at_once_with_0() -> Result<()> {
    run(full(2), async |stack| {
        for worker in stack.workers() {
            worker.signal("TERM")?;
            let status = worker.exited(STOP_LIMIT).await?;
            assert!(status.success(), "{status}");
        }
        stack.stop_api().await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_can_be_followed_from_the_request_to_the_servers_250() -> Result<()> {
    run(full(2), async |stack| {
        let person = Person::new();
        let id = format!("e2e-{}", uuid::Uuid::new_v4().simple());
        let request = stack.api().post("/auth/signup").header("X-Request-Id", &id).json(&person);
        let answer = request.answer().await?;
        assert_eq!((answer.status.as_u16(), answer.header("x-request-id")), (201, id.as_str()));
        stack.mail(&person.email, VERIFY).await?;
        let is_it = |event: &Value| event["message"] == "email sent" && event.to_string().contains(&id);
        let sent = until("the worker's log line", LIMIT, async || {
            Ok(stack.workers().iter().flat_map(|worker| worker.log().events()).find(is_it))
        });
        let sent = sent.await?;
        assert!(sent["reply"].as_str().context("the server's words")?.starts_with("250"), "{sent}");
        let in_api = stack.api_process().log().events();
        assert!(in_api.iter().any(|event| event.to_string().contains(&id)), "the API logs the same id");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_redis_nor_a_row_holds_a_token_a_link_a_code_or_a_password() -> Result<()> {
    run(full(0), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.ask_for_reset(&person.email).expect(200).await?;
        let stored = until("jobs to be in Redis", LIMIT, async || {
            let keys: Vec<String> = stack.redis()?.ask(&["KEYS", "*"]).await?;
            let mut stored = Vec::new();
            for key in keys {
                // A push moves its job from one key to another.
                let Some(values) = values(stack.redis()?, &key).await? else { return Ok(None) };
                stored.extend(values);
            }
            Ok(Some(stored).filter(|stored| !stored.is_empty()))
        });
        let mut stored = stored.await?;
        stack.start_worker().await?;
        stack.link(&person.email, "Reset Your Password").await?;
        stack.settled().await?;
        stored.extend(stack.sql().texts("SELECT emails::text FROM emails", "").await?);
        stored.extend(stack.sql().texts("SELECT users::text FROM users", "").await?);
        let code = stack.code(&person.email, "Reset Your Password").await?;
        let wrong = forge::wrong_code(&code);
        let verify =
            |code: &str| stack.api().post("/auth/verify").json(&json!({"email": person.email, "code": code}));
        verify(&code).refused(400, "invalid_code").await?;
        verify(&wrong).refused(400, "invalid_code").await?;
        stored.extend(stack.sql().texts("SELECT code_tries::text FROM code_tries", "").await?);
        stored.extend(stack.sql().texts("SELECT email_code_tries::text FROM email_code_tries", "").await?);
        for secret in ["eyJ", "/api/v1/auth", person.password.as_str(), JWT_SECRET] {
            assert!(!stored.iter().any(|text| text.contains(secret)), "{secret} in {stored:#?}");
        }
        stored.extend(stack.logs().into_iter().map(|(_, log)| log.text()));
        for code in [code, wrong] {
            for secret in [code.replace(' ', ""), code] {
                assert!(!stored.iter().any(|text| text.contains(&secret)), "{secret} in {stored:#?}");
            }
        }
        Ok(())
    })
    .await
}

/// What a key holds, whatever its type; `None` if there is no such key any more.
async fn values(redis: &RedisServer, key: &str) -> Result<Option<Vec<String>>> {
    let kind: String = redis.ask(&["TYPE", key]).await?;
    let command: &[&str] = match kind.as_str() {
        "hash" => &["HGETALL", key],
        "list" => &["LRANGE", key, "0", "-1"],
        "zset" => &["ZRANGE", key, "0", "-1"],
        "set" => &["SMEMBERS", key],
        "none" => return Ok(None),
        _ => return Ok(redis.ask::<Option<String>>(&["GET", key]).await?.map(|value| vec![value])),
    };
    let values: Vec<Vec<u8>> = redis.ask(command).await?;
    Ok(Some(values.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_refused_for_good_is_visible_and_can_be_retried() -> Result<()> {
    run(full(1), async |stack| {
        let person = Person::new();
        let refusal = Fault::reply(Stage::RcptTo, 550, "5.1.1 no such mailbox");
        stack.smtp()?.set_fault(refusal.only_to(&person.email));
        stack.sign_up(&person).await?;
        stack.settled().await?;
        let mail = async |arguments: &[&str]| {
            stack.command("bookly-worker", &[&["mail"], arguments].concat()).await?.succeeded()
        };
        let list = mail(&["list", "--state", "failed", "--to", &person.email]).await?;
        let row = list.lines().find(|line| line.contains(&person.email)).context(list.clone())?;
        let id = row.split_whitespace().next().context("an id")?;
        let shown = mail(&["show", id]).await?;
        assert!(shown.contains("550") && shown.contains("no such mailbox"), "{shown}");
        stack.smtp()?.clear_faults();
        mail(&["retry", id]).await?;
        stack.mail(&person.email, VERIFY).await?;
        stack.settled().await?;
        let again = stack.command("bookly-worker", &["mail", "retry", id]).await?;
        assert!(!again.status.success(), "a sent mail is not sent again");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_tries_the_mail_server_with_one_command() -> Result<()> {
    run(full(0), async |stack| {
        let address = new_address();
        let said = stack.command("bookly-worker", &["mail", "test", &address]).await?.succeeded()?;
        assert!(said.contains("250"), "{said}");
        stack.mail(&address, "Welcome to our app").await?;
        stack.smtp()?.set_fault(Fault::reply(Stage::MailFrom, 550, "5.7.1 not you"));
        let refused = stack.command("bookly-worker", &["mail", "test", &address]).await?;
        assert!(!refused.status.success() && refused.log.contains("5.7.1 not you"), "{refused:?}");
        Ok(())
    })
    .await
}

//! Neither the content nor the time of an answer tells whether an address has an account.
//!
//! Times are compared as distributions, never with a number of milliseconds: 200 samples of each class, in one
//! shuffled order, so that whatever slows the machine down slows all classes down alike. Two classes count as
//! different when a sample of one is larger than a sample of the other with a likelihood outside 0.35 to 0.65
//! (Mann–Whitney). For classes that are alike it deviates from 0.5 by 0.029 (one sigma, 200 against 200), so the
//! bounds are five sigmas away; a shift of half the spread's width crosses them. The few samples
//! that a busy machine makes a hundred times longer change a mean, but hardly change ranks.
#![allow(clippy::print_stdout, reason = "the distributions are worth reading beside the verdict")]

use std::time::Instant;

use bookly_e2e::client::Answer;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use bookly_e2e::timing::Times;
use reqwest::RequestBuilder;

/// Of each class.
const SAMPLES: usize = 200;
/// Until connections, caches and prepared statements are warm.
const WARM_UP: usize = 20;
const ALIKE: std::ops::Range<f64> = 0.35..0.65;
/// An account's failures that cost no wait.
const FREE: usize = 5;
/// Headers that are different in every answer.
const OF_EVERY_ANSWER: [&str; 3] = ["x-request-id", "date", "retry-after"];

/// Requests of one kind, which must look like those of the others.
struct Class<'a> {
    name: &'static str,
    request: Box<dyn Fn(usize) -> RequestBuilder + 'a>,
}

fn class<'a>(name: &'static str, request: impl Fn(usize) -> RequestBuilder + 'a) -> Class<'a> {
    Class { name, request: Box::new(request) }
}

/// What a client sees of an answer, without its time.
fn seen(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let told_apart = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        let value = if OF_EVERY_ANSWER.contains(&name.as_str()) { "" } else { value.to_str().unwrap_or("?") };
        (name.to_string(), value.to_owned())
    };
    let mut headers: Vec<_> = answer.headers.iter().map(told_apart).collect();
    headers.sort();
    (answer.status.as_u16(), answer.body.clone(), headers)
}

/// Sends all classes' requests in one shuffled order and fails when any two classes differ.
async fn compare(what: &str, classes: &[Class<'_>]) -> Result<()> {
    let mut order: Vec<(usize, usize)> =
        (0..classes.len()).flat_map(|class| (0..SAMPLES).map(move |sample| (class, sample))).collect();
    // A random UUID is used as a random number.
    order.sort_by_cached_key(|_| uuid::Uuid::new_v4());
    let mut times: Vec<Times> = classes.iter().map(|class| Times::of(class.name)).collect();
    let mut first = None;
    for (class, sample) in order {
        let request = (classes[class].request)(sample);
        let begin = Instant::now();
        let answer = request.answer().await?;
        times[class].samples.push(begin.elapsed());
        let seen = seen(&answer);
        let first = first.get_or_insert_with(|| seen.clone());
        ensure!(*first == seen, "{what}, {}: {seen:?} and not {first:?}", classes[class].name);
    }
    for times in &times {
        println!("{what}: {times}");
    }
    for (index, one) in times.iter().enumerate() {
        for other in &times[index + 1..] {
            let likely = one.larger_than(other);
            println!("{what}: {} > {}: {likely:.3}", one.name, other.name);
            ensure!(
                ALIKE.contains(&likely),
                "{what}: {} and {} can be told apart: {likely:.3}",
                one.name,
                other.name
            );
        }
    }
    Ok(())
}

/// Addresses of one class: the mark of the tests' addresses, the class, a number.
fn address(class: &str, number: usize) -> String {
    format!("kim-{class}-{number}@people.test")
}

/// Makes accounts with the addresses of a class by copies of one account, which need no hashing.
async fn settle_in(stack: &Stack, class: &str, count: usize, verified: bool) -> Result<()> {
    let somebody = Person::new();
    stack.sign_up(&somebody).await?;
    let uid = match stack.kind() {
        Kind::Full => "gen_random_uuid()",
        Kind::Embedded => "randomblob(16)",
    };
    let sql = format!(
        "WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n < {count})
         INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, is_verified,
                            password_hash, auth_changed_at, created_at, update_at)
         SELECT {uid}, username, 'kim-{class}-' || n || '@people.test', 'kim-{class}-' || n || '@people.test',
                first_name, last_name, role, {verified}, password_hash, auth_changed_at, created_at, update_at
         FROM users, series WHERE email = $1"
    );
    ensure!(stack.sql().run(&sql, &somebody.email).await? as usize == count + 1);
    Ok(())
}

/// The same, with mailboxes that get no email.
async fn settle_in_suppressed(stack: &Stack) -> Result<()> {
    settle_in(stack, "suppressed", SAMPLES, true).await?;
    let entries = "INSERT INTO suppressions (mailbox, reason, source, created_at)
                   SELECT email_canonical, 'operator', 'test', created_at FROM users WHERE email LIKE $1";
    ensure!(stack.sql().run(entries, "kim-suppressed-%").await? as usize == SAMPLES + 1);
    Ok(())
}

fn ask<'a>(stack: &'a Stack, endpoint: &'a str) -> impl Fn(String) -> RequestBuilder + Copy + 'a {
    move |email| stack.api().post(endpoint).json(&json!({"email": email}))
}

fn guess(stack: &Stack, email: &str) -> RequestBuilder {
    stack.api().post("/auth/login").json(&json!({"email": email, "password": new_password()}))
}

fn try_code(stack: &Stack, endpoint: &str, email: &str) -> RequestBuilder {
    let password = new_password();
    let body = json!({"email": email, "code": "0000 0000", "new_password": password, "confirm_new_password": password});
    stack.api().post(endpoint).json(&body)
}

/// Wrong codes: of addresses that were mailed a code, or would have been, and of others.
async fn codes_tell_nothing(stack: &Stack, asked: &str, endpoint: &str) -> Result<()> {
    let addresses = SAMPLES / FREE;
    settle_in(stack, "known", SAMPLES, true).await?;
    settle_in(stack, "unverified", SAMPLES, false).await?;
    settle_in_suppressed(stack).await?;
    let ask = ask(stack, asked);
    for class in ["known", "unverified", "unknown", "suppressed"] {
        for number in 0..addresses {
            ask(address(class, number)).expect(200).await?;
        }
    }
    stack.settled().await?;
    for number in 0..WARM_UP {
        try_code(stack, endpoint, &address("warm", number)).refused(400, "invalid_code").await?;
    }
    let guess = |class, number| try_code(stack, endpoint, &address(class, number));
    let all = [
        class("known", |n| guess("known", n / FREE)),
        class("unverified", |n| guess("unverified", n / FREE)),
        class("unknown", |n| guess("unknown", n / FREE)),
        class("suppressed", |n| guess("suppressed", n / FREE)),
        class("known, no email", |n| guess("known", addresses + n / FREE)),
        class("unknown, no email", |n| guess("unknown", addresses + n / FREE)),
    ];
    compare(&format!("{:?} {endpoint}", stack.kind()), &all).await?;
    // One more than an address has.
    for (class, number) in ["known", "unknown"].into_iter().flat_map(|class| (0..11).map(move |n| (class, n)))
    {
        guess(class, SAMPLES)
            .refused(400, "invalid_code")
            .await
            .with_context(|| format!("{class} {number}"))?;
    }
    let none_left = [
        class("known, no try left", |_| guess("known", SAMPLES)),
        class("unknown, no try left", |_| guess("unknown", SAMPLES)),
    ];
    compare(&format!("{:?} {endpoint}", stack.kind()), &none_left).await
}

/// Both requests that mail a link to the owner of an address.
async fn links_tell_nothing(stack: &Stack, endpoint: &str) -> Result<()> {
    settle_in(stack, "known", SAMPLES, true).await?;
    settle_in(stack, "unverified", SAMPLES, false).await?;
    settle_in_suppressed(stack).await?;
    let ask = ask(stack, endpoint);
    let (known, unknown) = (address("known", SAMPLES), new_address());
    for email in [&known, &unknown].into_iter().cycle().take(WARM_UP) {
        ask(email.clone()).expect(200).await?;
    }
    stack.settled().await?;
    let all = [
        class("known", |n| ask(address("known", n))),
        class("unverified", |n| ask(address("unverified", n))),
        class("unknown", |n| ask(address("unknown", n))),
        class("suppressed", |n| ask(address("suppressed", n))),
        class("known, throttled", |_| ask(known.clone())),
        class("unknown, throttled", |_| ask(unknown.clone())),
    ];
    compare(&format!("{:?} {endpoint}", stack.kind()), &all).await
}

both! {
    async fn a_reset_request_tells_nothing(stack: &Stack) {
        links_tell_nothing(stack, "/auth/password-reset-request").await?;
    }

    async fn a_request_for_a_new_link_tells_nothing(stack: &Stack) {
        links_tell_nothing(stack, "/auth/resend-verification").await?;
    }

    async fn a_wrong_reset_code_tells_nothing(stack: &Stack) {
        codes_tell_nothing(stack, "/auth/password-reset-request", "/auth/password-reset-confirm").await?;
    }

    async fn a_wrong_verification_code_tells_nothing(stack: &Stack) {
        codes_tell_nothing(stack, "/auth/resend-verification", "/auth/verify").await?;
    }

    async fn a_failed_login_tells_nothing(stack: &Stack) {
        settle_in(stack, "known", SAMPLES, true).await?;
        settle_in(stack, "unverified", SAMPLES, false).await?;
        for n in 0..WARM_UP {
            guess(stack, &address("warm", n)).refused(400, "invalid_email_or_password").await?;
        }
        let all = [
            class("known", |n| guess(stack, &address("known", n / FREE))),
            class("unverified", |n| guess(stack, &address("unverified", n / FREE))),
            class("unknown", |n| guess(stack, &address("unknown", n / FREE))),
        ];
        compare(&format!("{:?} login", stack.kind()), &all).await?;
    }

    async fn a_login_that_must_wait_tells_nothing(stack: &Stack) {
        settle_in(stack, "known", 0, true).await?;
        settle_in(stack, "unverified", 0, false).await?;
        let names = ["known", "unverified", "unknown"];
        for name in names.into_iter().cycle().take(FREE * names.len()) {
            guess(stack, &address(name, 0)).refused(400, "invalid_email_or_password").await?;
        }
        // For the wait to be longer than the test.
        stack.sql().run("UPDATE login_failures SET failures = 1000", "").await?;
        for name in names.into_iter().cycle().take(WARM_UP) {
            guess(stack, &address(name, 0)).refused(429, "too_many_requests").await?;
        }
        let all = names.map(|name| class(name, move |_| guess(stack, &address(name, 0))));
        compare(&format!("{:?} login, throttled", stack.kind()), &all).await?;
    }

    async fn health_and_metrics_tell_strangers_nothing(stack: &Stack) {
        let stranger = |path: &str| stack.api().get(path).header("X-Forwarded-For", "198.51.100.7");
        stranger("//metrics").refused(404, "not_found").await?;
        assert_eq!(stranger("//health/live").expect(200).await?, json!({"status": "live"}));
        assert_eq!(stranger("//health/ready").expect(200).await?, json!({"status": "ready"}));
        for path in ["//health/ready", "/auth/me", "//nothing"] {
            let answer = stranger(path).answer().await?;
            for header in ["server", "x-powered-by", "via"] {
                assert_eq!(answer.header(header), "", "{header} at {path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_with_a_wrong_token_sees_no_metrics() -> Result<()> {
    let options = StackOptions::new(Kind::Embedded).with("METRICS_TOKEN", "a-token-for-the-scraper");
    run(options, async |stack| {
        let stranger = || stack.api().get("//metrics").header("X-Forwarded-For", "198.51.100.7");
        stranger().refused(401, "not_authenticated").await?;
        stranger().bearer_auth("a-token-for-the-scrapes").refused(401, "not_authenticated").await?;
        let scraped = stranger().bearer_auth("a-token-for-the-scraper").answer().await?;
        assert!(scraped.status == 200 && !scraped.body.contains('@'), "{scraped:?}");
        Ok(())
    })
    .await
}

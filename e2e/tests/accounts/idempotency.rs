//! Requests that are sent again with the same `Idempotency-Key`.

use std::time::Duration;

use bookly_e2e::client::Answer;
use bookly_e2e::forge;
use bookly_e2e::person::new_address;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use futures_util::future::try_join_all;
use reqwest::RequestBuilder;
use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

const VERIFY: &str = "Verify your email";
const RESET: &str = "Reset Your Password";
const RETRIES: usize = 20;

/// A new key, with the quotes that the draft asks for.
fn new_key() -> String {
    format!("\"{}\"", uuid::Uuid::new_v4())
}

fn keyed(request: RequestBuilder, key: &str) -> RequestBuilder {
    request.header("Idempotency-Key", key)
}

fn sign_up(api: &Api, person: &Person, key: &str) -> RequestBuilder {
    keyed(api.post("/auth/signup").json(person), key)
}

fn resend(api: &Api, email: &str, key: &str) -> RequestBuilder {
    keyed(api.post("/auth/resend-verification").json(&json!({"email": email})), key)
}

fn ask_for_reset(stack: &Stack, email: &str, key: &str) -> RequestBuilder {
    keyed(stack.ask_for_reset(email), key)
}

/// Makes every key older than it is.
async fn age(stack: &Stack, seconds: u32) -> Result<()> {
    let older = match stack.kind() {
        Kind::Full => format!("reserved_at - interval '{seconds} seconds'"),
        // As sqlx writes times: to the microsecond, with +00:00.
        Kind::Embedded => {
            format!("strftime('%Y-%m-%dT%H:%M:%f', reserved_at, '-{seconds} seconds') || '000+00:00'")
        }
    };
    stack.sql().run(&format!("UPDATE idempotency_keys SET reserved_at = {older}"), "").await?;
    Ok(())
}

async fn keys(stack: &Stack) -> Result<i64> {
    stack.sql().number("SELECT count(*) FROM idempotency_keys", "").await
}

/// The answer without what is its own: its id and its date.
fn same(one: &Answer, other: &Answer) -> Result<()> {
    let headers = |answer: &Answer| {
        let own = ["x-request-id", "date"];
        let all = answer.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let mut all: Vec<String> = all.map(|header| format!("{header:?}")).collect();
        all.sort();
        all
    };
    let seen = |answer: &Answer| (answer.status, answer.body.clone(), headers(answer));
    ensure!(seen(one) == seen(other), "{one:?} and {other:?}");
    ensure!(one.header("x-request-id") != other.header("x-request-id"), "each request has an id of its own");
    Ok(())
}

both! {
    async fn a_client_that_retries_twenty_times_at_once_makes_one_account_and_one_mail(stack: &Stack) {
        let (apis, _process) = stack.apis().await?;
        let (person, key) = (Person::new(), new_key());
        // The first attempt times out: the client goes away without an answer.
        let impatient = sign_up(stack.api(), &person, &key).timeout(Duration::from_millis(3));
        assert!(impatient.send().await.is_err());
        let retries = (0..RETRIES).map(|number| sign_up(&apis[number % apis.len()], &person, &key).answer());
        for answer in try_join_all(retries).await? {
            match answer.status.as_u16() {
                201 => {}
                409 => assert_eq!(answer.json()?["error_code"], "request_in_progress"),
                _ => panic!("{answer:?}"),
            }
        }
        let first = until("an answer", LIMIT, async || {
            let answer = sign_up(stack.api(), &person, &key).answer().await?;
            Ok(Some(answer).filter(|answer| answer.status != 409))
        });
        let first = first.await?;
        assert_eq!((first.status.as_u16(), first.json()?["user"]["email"].as_str()), (201, Some(person.email.as_str())));
        for api in &apis {
            same(&first, &sign_up(api, &person, &key).answer().await?)?;
        }
        stack.mail(&person.email, VERIFY).await?;
        stack.settled().await?;
        assert_eq!(stack.mails_to(&person.email)?.len(), 1);
        let accounts = "SELECT count(*) FROM users WHERE email = $1";
        assert_eq!(stack.sql().number(accounts, &person.email).await?, 1);
    }

    async fn each_of_the_five_calls_answers_again_and_mails_nothing_more(stack: &Stack) {
        let admin = stack.admin().await?;
        let (person, unverified, invited, moved) = (Person::new(), Person::new(), new_address(), new_address());
        stack.sign_up(&unverified).await?;
        stack.mail(&unverified.email, VERIFY).await?;
        let change = json!({"new_email": moved, "password": admin.person.password});
        let with_token = |path: &str, body: &Value| stack.api().post(path).bearer_auth(&admin.tokens.access).json(body);
        let page = stack.api().submit("/auth/password-reset-request", &[("email", admin.person.email.as_str())]);
        let calls = [
            (stack.api().post("/auth/signup").json(&person), &person.email, VERIFY, 1),
            (stack.api().post("/auth/resend-verification").json(&json!({"email": unverified.email})), &unverified.email, VERIFY, 2),
            (stack.ask_for_reset(&admin.person.email), &admin.person.email, RESET, 1),
            (page, &admin.person.email, RESET, 2),
            (with_token("/auth/email-change-request", &change), &moved, "Confirm your new email address", 1),
            (with_token("/auth/send_mail", &json!({"addresses": [invited]})), &invited, "Welcome to our app", 1),
        ];
        for (call, to, subject, nth) in calls {
            let call = keyed(call, &new_key());
            let again = || call.try_clone().context("a body that can be sent again");
            let first = again()?.answer().await?;
            ensure!(first.status.is_success(), "{first:?}");
            stack.nth_mail(to, subject, nth).await?;
            for _ in 0..3 {
                same(&first, &again()?.answer().await?)?;
            }
            stack.settled().await?;
            let mails = stack.mails_to(to)?.into_iter().filter(|mail| mail.subject().as_deref() == Some(subject));
            assert_eq!(mails.count(), nth, "{subject}");
        }
    }

    async fn without_a_key_nothing_is_stored_and_a_repeated_request_is_another_one(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.api().post("/auth/signup").json(&person).refused(403, "user_exists").await?;
        stack.ask_for_reset(&person.email).expect(200).await?;
        assert_eq!(keys(stack).await?, 0);
    }

    async fn another_body_is_refused_and_a_key_is_visible_and_short(stack: &Stack) {
        let (email, key) = (new_address(), "k".repeat(255));
        ask_for_reset(stack, &email, &key).expect(200).await?;
        ask_for_reset(stack, &new_address(), &key).refused(422, "idempotency_key_reused").await?;
        resend(stack.api(), &new_address(), &key).expect(200).await.context("another path, another key")?;
        for malformed in [String::new(), "k".repeat(256), "a b".into(), "a\tb".into()] {
            let refused = ask_for_reset(stack, &email, &malformed).refused(400, "invalid_idempotency_key").await;
            refused.with_context(|| malformed.clone())?;
        }
        let two = keyed(ask_for_reset(stack, &email, "a"), "b");
        two.refused(400, "invalid_idempotency_key").await?;
        // As on every page with a form, an error is a page.
        let form = stack.api().submit("/auth/password-reset-request", &[("email", &email)]);
        assert!(keyed(form, &key).page(422).await?.contains("was sent with another body"));
    }

    async fn errors_of_the_request_itself_are_stored_and_others_are_not(stack: &Stack) {
        let (person, key) = (Person::new(), new_key());
        let wrong = || keyed(stack.api().post("/auth/signup").json(&json!({"email": "nobody"})), &key);
        let first = wrong().answer().await?;
        assert_eq!(first.status, 422);
        same(&first, &wrong().answer().await?)?;
        sign_up(stack.api(), &person, &key).refused(422, "idempotency_key_reused").await?;
        assert_eq!(keys(stack).await?, 1);
        // The address is taken now, and may be free tomorrow.
        stack.sign_up(&person).await?;
        let key = new_key();
        sign_up(stack.api(), &person, &key).refused(403, "user_exists").await?;
        assert_eq!(keys(stack).await?, 1);
        stack.sql().run("DELETE FROM users WHERE email = $1", &person.email).await?;
        sign_up(stack.api(), &person, &key).expect(201).await?;
    }

    async fn who_may_is_checked_before_a_key_is_looked_up(stack: &Stack) {
        let (admin, member) = (stack.admin().await?, stack.member().await?);
        let (address, key) = (new_address(), new_key());
        let send = |access: &str, key: &str| {
            let request = stack.api().post("/auth/send_mail").bearer_auth(access);
            keyed(request.json(&json!({"addresses": [address]})), key)
        };
        send(&admin.tokens.access, &key).expect(200).await?;
        send(&member.tokens.access, &key).refused(403, "insufficient_permissions").await?;
        send(&member.tokens.access, "a b").refused(403, "insufficient_permissions").await?;
        send("no token", &key).refused(401, "invalid_token").await?;
        let other = stack.admin().await?;
        send(&other.tokens.access, &key).expect(200).await.context("another caller's key")?;
        assert_eq!(keys(stack).await?, 2);
        stack.settled().await?;
        assert_eq!(stack.mails_to(&address)?.len(), 2);
        stack.api().post("/auth/logout").bearer_auth(&admin.tokens.access).expect(200).await?;
        send(&admin.tokens.access, &key).refused(401, "token_revoked").await?;
    }

    async fn each_network_has_its_own_keys_and_a_429_is_not_stored(stack: &Stack, TRUSTED_PROXIES = "127.0.0.0/8", RATE_LIMIT = "on") {
        let (person, key) = (Person::new(), new_key());
        let from = |client: &str| sign_up(stack.api(), &person, &key).header("X-Forwarded-For", client);
        from("2001:db8::1").expect(201).await?;
        from("2001:db8::2").expect(201).await.context("the same /64")?;
        from("2001:db8:0:1::1").refused(403, "user_exists").await?;
        // Sixty requests at once and one a second, the repeated ones among them. On a busy machine Redis may be too
        // slow for a while, and the process then counts for itself, from the beginning.
        let key = new_key();
        let reset = || ask_for_reset(stack, &person.email, &key).header("X-Forwarded-For", "192.0.2.1");
        let first = reset().answer().await?;
        let many = try_join_all((0..200).map(|_| reset().answer())).await?;
        assert!(many.iter().any(|answer| answer.status == 429), "the limit of the client holds");
        let wait: u64 = many.iter().map(|answer| answer.header("retry-after").parse().unwrap_or(0)).max().unwrap_or(0);
        tokio::time::sleep(Duration::from_secs(wait)).await;
        same(&first, &reset().answer().await?)?;
    }

    async fn a_request_under_way_is_told_and_is_forgotten_after_a_minute_and_an_answer_after_a_day(stack: &Stack) {
        let (email, key) = (new_address(), new_key());
        ask_for_reset(stack, &email, &key).expect(200).await?;
        stack.sql().run("UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL", "").await?;
        age(stack, 30).await?;
        ask_for_reset(stack, &email, &key).refused(409, "request_in_progress").await?;
        age(stack, 30).await?;
        ask_for_reset(stack, &email, &key).expect(200).await?;
        let rows = "SELECT count(*) FROM emails WHERE recipient = $1";
        assert_eq!(stack.sql().number(rows, &email).await?, 2);
        age(stack, 24 * 3600 - 30).await?;
        ask_for_reset(stack, &email, &key).expect(200).await?;
        assert_eq!(stack.sql().number(rows, &email).await?, 2);
        age(stack, 30).await?;
        ask_for_reset(stack, &email, &key).expect(200).await?;
        assert_eq!(stack.sql().number(rows, &email).await?, 3);
    }

    async fn no_stored_answer_holds_a_token_link_code_or_password(stack: &Stack) {
        let (person, key) = (Person::new(), new_key());
        sign_up(stack.api(), &person, &key).expect(201).await?;
        let weak = json!({"password": "pa55word", "email": person.email}).to_string();
        let refused = stack.api().post("/auth/signup").header(header::CONTENT_TYPE, "application/json").body(weak.clone());
        keyed(refused, &new_key()).refused(422, "validation_error").await?;
        ask_for_reset(stack, &person.email, &new_key()).expect(200).await?;
        let form = stack.api().submit("/auth/password-reset-request", &[("email", person.email.as_str())]);
        keyed(form, &new_key()).page(200).await?;
        let rows = "SELECT concat_ws(' ', caller, operation, key, status, CAST(headers AS text), body) FROM idempotency_keys";
        let rows = stack.sql().texts(rows, "").await?;
        assert_eq!(rows.len(), 4, "{rows:?}");
        let (link, code) = (stack.link(&person.email, VERIFY).await?, stack.code(&person.email, VERIFY).await?);
        let token = forge::token_of(&link);
        for secret in [person.password.as_str(), "pa55word", token, "eyJ", &code, &code.replace(' ', "")] {
            assert!(!rows.iter().any(|row| row.contains(secret)), "{secret} in {rows:#?}");
        }
        let hex = match stack.kind() {
            Kind::Full => "encode(body_mac, 'hex')",
            Kind::Embedded => "lower(hex(body_mac))",
        };
        let macs = stack.sql().texts(&format!("SELECT {hex} FROM idempotency_keys"), "").await?;
        let hash: String = Sha256::digest(weak).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(macs.iter().all(|mac| mac.len() == 64 && *mac != hash), "no plain hash of a body");
    }
}

/// Keeps sign-ups from their end, between the reservation of their key and their commit, until the connection is closed.
async fn hold_sign_ups(stack: &Stack) -> Result<PgConnection> {
    let mut held = PgConnection::connect(&stack.settings()["DATABASE_URL"]).await?;
    sqlx::raw_sql("BEGIN; LOCK TABLE base_mailbox_counts IN EXCLUSIVE MODE").execute(&mut held).await?;
    Ok(held)
}

/// Sends a sign-up and waits until it is held.
async fn held_sign_up(stack: &Stack, person: &Person, key: &str) -> Result<JoinHandle<Result<Answer>>> {
    let sent = tokio::spawn(sign_up(stack.api(), person, key).answer());
    let waits = "SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("the sign-up to wait", LIMIT, async || {
        Ok((stack.sql().number(waits, "").await? == 1).then_some(()))
    })
    .await?;
    Ok(sent)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_first_request_is_under_way_the_others_are_told_at_every_process() -> Result<()> {
    run(StackOptions::new(Kind::Full), async |stack| {
        let (person, key) = (Person::new(), new_key());
        let (_process, other) = stack.another_api().await?;
        let held = hold_sign_ups(stack).await?;
        let first = held_sign_up(stack, &person, &key).await?;
        for api in [stack.api(), &other] {
            sign_up(api, &person, &key).refused(409, "request_in_progress").await?;
            sign_up(api, &Person::new(), &key).refused(422, "idempotency_key_reused").await?;
        }
        held.close().await?;
        let first = first.await??;
        assert_eq!(first.status, 201);
        same(&first, &sign_up(&other, &person, &key).answer().await?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_in_the_middle_blocks_nobody_after_a_minute() -> Result<()> {
    run(StackOptions::new(Kind::Full), async |stack| {
        let (person, key) = (Person::new(), new_key());
        let held = hold_sign_ups(stack).await?;
        let lost = held_sign_up(stack, &person, &key).await?;
        stack.restart_api().await?;
        assert!(lost.await?.is_err());
        held.close().await?;
        sign_up(stack.api(), &person, &key).refused(409, "request_in_progress").await?;
        age(stack, 60).await?;
        let first = sign_up(stack.api(), &person, &key).answer().await?;
        assert_eq!(first.status, 201, "{first:?}");
        same(&first, &sign_up(stack.api(), &person, &key).answer().await?)?;
        stack.mail(&person.email, VERIFY).await?;
        stack.settled().await?;
        assert_eq!(stack.mails_to(&person.email)?.len(), 1);
        Ok(())
    })
    .await
}

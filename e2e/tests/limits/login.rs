//! How fast passwords can be tried.

use std::time::Duration;

use bookly_e2e::client::Answer;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use futures_util::future::try_join_all;
use reqwest::RequestBuilder;

/// Counts every password that was hashed or compared.
const HASHES: &str = "bookly_hash_queue_wait_seconds_count";
/// The addresses of the attacker, and of the owner: one address and another one of the same network.
const GUESSER: &str = "198.51.100.66";
const HOME: &str = "192.0.2.1";
const SAME_HOME: &str = "192.0.2.77";

fn from(client: &str, request: RequestBuilder) -> RequestBuilder {
    request.header("X-Forwarded-For", client)
}

fn log_in(api: &Api, email: &str, password: &str) -> RequestBuilder {
    api.post("/auth/login").json(&json!({"email": email, "password": password}))
}

/// Guesses until the answer is 429, and returns its Retry-After, in seconds.
async fn guess_until_stopped(api: &Api, email: &str) -> Result<u64> {
    for tried in 0..=5 {
        let answer = from(GUESSER, log_in(api, email, &new_password())).answer().await?;
        match answer.status.as_u16() {
            429 => {
                ensure!(tried == 5, "stopped after {tried} failures: {answer:?}");
                ensure!(answer.json()?["error_code"] == "too_many_requests", "{answer:?}");
                return Ok(answer.header("retry-after").parse()?);
            }
            400 => {}
            _ => anyhow::bail!("{answer:?}"),
        }
    }
    anyhow::bail!("six wrong passwords and no wait")
}

both! {
    async fn guessing_is_stopped_before_anything_is_hashed_for_every_address_alike(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let person = Person::new();
        stack.sign_up(&person).await?;
        for email in [&person.email, &new_address()] {
            guess_until_stopped(stack.api(), email).await?;
            let hashed = stack.metric(HASHES).await?;
            for password in [&person.password, &new_password()].into_iter().cycle().take(10) {
                log_in(stack.api(), &email.to_uppercase(), password).refused(429, "too_many_requests").await?;
            }
            assert_eq!(stack.metric(HASHES).await?, hashed, "nothing was hashed");
        }
    }

    async fn who_waits_as_long_as_told_may_try_again_and_then_waits_longer(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let email = new_address();
        let wait = guess_until_stopped(stack.api(), &email).await?;
        tokio::time::sleep(Duration::from_secs(wait)).await;
        log_in(stack.api(), &email, &new_password()).refused(400, "invalid_email_or_password").await?;
        let longer: u64 = log_in(stack.api(), &email, &new_password()).answer().await?.header("retry-after").parse()?;
        assert!(longer > wait, "{wait} s, then {longer} s");
    }

    async fn where_the_owner_logged_in_lately_others_guesses_do_not_matter(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let person = Person::new();
        stack.sign_up_and_verify(&person).await?;
        from(HOME, stack.log_in_as(&person)).expect(200).await?;
        guess_until_stopped(stack.api(), &person.email).await?;
        from(SAME_HOME, stack.log_in_as(&person)).expect(200).await?;
        from(GUESSER, stack.log_in_as(&person)).refused(429, "too_many_requests").await?;
    }

    async fn a_network_is_forgotten_after_thirty_days(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let person = Person::new();
        stack.sign_up_and_verify(&person).await?;
        from(HOME, stack.log_in_as(&person)).expect(200).await?;
        let month_ago = (std::time::SystemTime::now() - Duration::from_secs(31 * 86_400)).into();
        let month_ago: chrono::DateTime<chrono::Utc> = month_ago;
        let set = match stack.kind() {
            Kind::Full => "UPDATE login_networks SET last_login_at = $1::timestamptz",
            Kind::Embedded => "UPDATE login_networks SET last_login_at = $1",
        };
        stack.sql().run(set, &month_ago.to_rfc3339()).await?;
        guess_until_stopped(stack.api(), &person.email).await?;
        from(HOME, stack.log_in_as(&person)).refused(429, "too_many_requests").await?;
    }

    async fn a_login_makes_failures_forgotten(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        for _ in 0..2 {
            for _ in 0..4 {
                let wrong = log_in(stack.api(), &person.email, &new_password());
                wrong.refused(400, "invalid_email_or_password").await?;
            }
            stack.log_in(&person).await?;
        }
    }

    async fn a_reset_makes_failures_forgotten_and_its_network_known(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let person = Person::new();
        stack.sign_up(&person).await?;
        guess_until_stopped(stack.api(), &person.email).await?;
        stack.ask_for_reset(&person.email).expect(200).await.context("a stopped login stops no reset")?;
        let link = stack.link(&person.email, "Reset Your Password").await?;
        let changed = person.with_password(&new_password());
        from(HOME, stack.reset(&link, &changed.password)).expect(200).await?;
        guess_until_stopped(stack.api(), &person.email).await?;
        from(HOME, stack.log_in_as(&changed)).expect(200).await?;
    }

    async fn fifty_guesses_at_once_are_five(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let guesses = (0..50).map(|_| log_in(stack.api(), &person.email, &new_password()).answer());
        let answers: Vec<Answer> = try_join_all(guesses).await?;
        let with = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        assert_eq!((with(400), with(429)), (5, 45));
    }

    async fn guesses_are_counted_whichever_process_they_come_to(stack: &Stack, TRUSTED_PROXIES = "127.0.0.1") {
        let email = new_address();
        guess_until_stopped(stack.api(), &email).await?;
        if stack.kind() == Kind::Full {
            let (_process, api) = stack.another_api().await?;
            log_in(&api, &email, &new_password()).refused(429, "too_many_requests").await?;
        }
        stack.restart_api().await?;
        log_in(stack.api(), &email, &new_password()).refused(429, "too_many_requests").await?;
    }

    async fn a_session_does_not_help_to_guess_the_password(stack: &Stack) {
        let member = stack.member().await?;
        let new = new_password();
        let change = |current: &str| {
            let body = json!({"current_password": current, "new_password": new, "confirm_new_password": new});
            stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access).json(&body)
        };
        let move_to = |password: &str| {
            let body = json!({"new_email": new_address(), "password": password});
            stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access).json(&body)
        };
        for _ in 0..2 {
            change(&new_password()).refused(400, "invalid_email_or_password").await?;
            move_to(&new_password()).refused(400, "invalid_email_or_password").await?;
        }
        change(&new_password()).refused(400, "invalid_email_or_password").await?;
        let hashed = stack.metric(HASHES).await?;
        change(&member.person.password).refused(429, "too_many_requests").await?;
        move_to(&member.person.password).refused(429, "too_many_requests").await?;
        assert_eq!(stack.metric(HASHES).await?, hashed, "nothing was hashed");
    }
}

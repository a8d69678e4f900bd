//! Many requests that hash at the same time: memory and waits stay bounded, and requests that do not hash are answered as
//! usual.
#![allow(clippy::print_stdout, reason = "what it took is worth reading beside the verdict")]

use std::num::NonZero;
use std::thread::available_parallelism;

use bookly_e2e::client::Answer;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use futures_util::FutureExt;
use futures_util::future::{join_all, try_join_all};
use tokio::sync::oneshot;

/// How many passwords may wait for each core.
const WAITING_PER_CORE: usize = 64;
/// One word with every letter replaced by a similar sign: the most expensive kind for an estimator of passwords.
const COSTLY: &str = "(4@8c{[<eg69hi!|l17$5t+xz2";

/// 70 MB on two cores; each further core works in a block of 19 MiB of its own.
fn memory_limit() -> u64 {
    30_000_000 + 20_000_000 * cores() as u64
}

fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

both! {
    async fn sixty_four_sign_ups_at_once_take_less_than_70_mb_beside_the_program(stack: &Stack) {
        let people: Vec<Person> = (0..64).map(|_| Person::new()).collect();
        let sign_up = |person| stack.api().post("/auth/signup").json(person).patient_answer();
        let answers = try_join_all(people.iter().map(sign_up)).await?;
        assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
        let peak = stack.api_process().peak_memory_beside_the_program_kib()? * 1024;
        println!("{:?}: {:.1} MB at most", stack.kind(), peak as f64 / 1e6);
        assert!(peak < memory_limit(), "{peak} bytes");
        stack.settled().await?;
        assert_eq!(stack.mails()?.len(), 64);
    }

    async fn others_are_answered_while_passwords_wait_to_be_hashed(stack: &Stack) {
        let member = stack.member().await?;
        let people: Vec<Person> = (0..64).map(|_| Person::new()).collect();
        let crowd = join_all(people.iter().map(|person| stack.api().post("/auth/signup").json(person).answer()));
        let (done, mut is_done) = oneshot::channel();
        let crowd = async {
            let answers = crowd.await;
            let _ = done.send(());
            answers
        };
        let others = async {
            for _ in 0..2 {
                stack.api().get("//health/ready").expect(200).await?;
                stack.me(&member.tokens.access).expect(200).await?;
                stack.api().get("/auth/verify/x").refused(400, "invalid_token").await?;
            }
            anyhow::Ok((&mut is_done).now_or_never().is_none())
        };
        let (answers, before) = tokio::join!(crowd, others);
        assert!(before?, "six answers, one after the other, come before the crowd is through");
        let answers: Vec<Answer> = answers.into_iter().collect::<Result<_>>()?;
        // On a busy machine the last ones may have waited too long.
        assert!(answers.iter().all(|answer| answer.status == 201 || answer.status == 503), "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_its_queue_the_crowd_is_told_to_come_again() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let count = 2 * cores() * (1 + WAITING_PER_CORE);
        let guess = || {
            let body = json!({"email": new_address(), "password": new_password()});
            stack.api().post("/auth/login").json(&body).answer()
        };
        let answers: Vec<Answer> = try_join_all((0..count).map(|_| guess())).await?;
        let busy: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
        assert!(answers.iter().all(|answer| answer.status == 400 || answer.status == 503));
        assert!(!busy.is_empty() && busy.len() < count, "{} of {count}", busy.len());
        for answer in busy {
            assert!(answer.header("retry-after").parse::<u64>()? >= 1, "{answer:?}");
            let body = answer.json()?;
            assert_eq!(body["error_code"], "unavailable");
            assert_eq!(body["resolution"], "Too many passwords are waiting to be checked");
        }
        assert!(stack.metric("bookly_hash_queue_refused_total").await? >= 1.0);
        Ok(())
    })
    .await
}

/// Such passwords, tried in full, keep a core busy for seconds each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_costly_to_judge_holds_nobody_up() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let costly: String = COSTLY.chars().cycle().take(128).collect();
        let ordinary = time_of(stack, new_password).await?;
        let costly = time_of(stack, || costly.clone()).await?;
        println!("eight sign-ups: {ordinary:.2?} with ordinary passwords, {costly:.2?} with costly ones");
        assert!(costly < 20 * ordinary, "{costly:?} against {ordinary:?}");
        Ok(())
    })
    .await
}

async fn time_of(stack: &Stack, password: impl Fn() -> String) -> Result<std::time::Duration> {
    let begin = std::time::Instant::now();
    for _ in 0..8 {
        stack.sign_up(&Person::new().with_password(&password())).await?;
    }
    Ok(begin.elapsed())
}

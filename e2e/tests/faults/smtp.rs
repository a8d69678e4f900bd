//! Faults of the mail server, with real processes: no email is lost, and copies exist only after lost answers.
//!
//! Every test prints a line: fault, accepted, arrived, failed visibly, came twice, suppressed, seconds.

use std::time::{Duration, Instant};

use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::{MAIL_USER, run};

/// Longer than any time limit of the worker before the final dot.
const PATIENCE: Duration = Duration::from_secs(200);

fn full() -> StackOptions {
    StackOptions::new(Kind::Full)
}

/// A sign-up with an address that the test chose before.
async fn sign_up(stack: &Stack, tally: &Tally<'_>, person: &Person) -> Result<()> {
    stack.sign_up(person).await?;
    tally.accept(&person.email);
    Ok(())
}

/// Waits until every worker that met the fault has logged an error.
async fn alarm(stack: &Stack, words: &str) -> Result<()> {
    until("an alarm in a worker's log", LIMIT, async || {
        let mut events = stack.workers().into_iter().flat_map(|worker| worker.log().events());
        let found = events.any(|event| event["level"] == "ERROR" && event.to_string().contains(words));
        Ok(found.then_some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_burns_no_attempts_and_what_waited_flows_at_the_configured_pace() -> Result<()> {
    const WAITING: usize = 5_000;
    const RATE: usize = 125;
    run(full().with("WORKER_RATE", RATE.to_string()), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let tally = Tally::begin(stack, "SMTP: connections refused, 5,000 mails wait");
        smtp.close_port().await;
        tally.queue(WAITING).await?;
        until("probes that fail", LIMIT, async || {
            let lines = stack.workers().into_iter().flat_map(|worker| worker.log().lines());
            let probes = lines.filter(|line| line.contains("the mail server still cannot be used")).count();
            Ok((probes >= 3).then_some(()))
        })
        .await?;
        let tried = "SELECT count(*) FROM emails WHERE attempts > 1 OR (state = 'queued' AND attempts > 0)";
        assert_eq!(stack.sql().number(tried, "").await?, 0, "an outage burnt attempts");
        let lines = stack.workers().into_iter().flat_map(|worker| worker.log().lines());
        let hit = lines.filter(|line| line.contains("email not sent, will be tried again")).count();
        assert!(hit <= 2 * 16, "{hit} mails ran against the closed port instead of waiting");
        smtp.open_port();
        let figures = tally.settle().await?;
        assert_eq!(figures, Figures { accepted: WAITING, arrived: WAITING, ..Figures::default() });
        let mails = smtp.mails();
        let took = mails[WAITING - 1].at - mails[0].at;
        let at_least = Duration::from_secs((WAITING / (2 * RATE)) as u64);
        assert!(took >= at_least.mul_f64(0.8), "{WAITING} mails in {took:?}: faster than configured");
        let tried_once = "SELECT count(*) FROM emails WHERE attempts = 1";
        assert_eq!(stack.sql().number(tried_once, "").await?, WAITING as i64);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_421_at_the_greeting_makes_the_workers_wait() -> Result<()> {
    let fault = Fault::RefuseGreeting(421, "4.3.2 shutting down".to_owned());
    the_server_cannot_be_used("SMTP: 421 at the greeting", fault, "421").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_is_refused_raises_an_alarm_and_the_mail_waits() -> Result<()> {
    let fault = Fault::reply(Stage::Auth, 535, "5.7.8 wrong user or password");
    the_server_cannot_be_used("SMTP: 535 on AUTH", fault, "535").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_for_another_host_gets_neither_login_nor_mail() -> Result<()> {
    the_server_cannot_be_used("SMTP: certificate for another host", Fault::WrongHostCertificate, "TLS").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_ran_out_gets_neither_login_nor_mail() -> Result<()> {
    the_server_cannot_be_used("SMTP: certificate ran out", Fault::ExpiredCertificate, "TLS").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_starttls_nothing_is_sent_in_clear() -> Result<()> {
    the_server_cannot_be_used("SMTP: STARTTLS not offered", Fault::NoStartTls, "STARTTLS").await
}

/// Three sign-ups while the server as a whole cannot be used: they wait, nothing is sent without encryption, and
/// an error is logged. When the fault is gone they arrive at their first attempt.
async fn the_server_cannot_be_used(name: &str, fault: Fault, words: &str) -> Result<()> {
    run(full(), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let logs_in = matches!(fault, Fault::Reply { stage: Stage::Auth, .. });
        smtp.set_fault(fault.clone());
        let tally = Tally::begin(stack, name);
        for _ in 0..3 {
            tally.sign_up().await?;
        }
        alarm(stack, words).await?;
        let connected = smtp.connections_total();
        until("probes", LIMIT, async || Ok((smtp.connections_total() >= connected + 2).then_some(())))
            .await?;
        assert_eq!(smtp.count(Stage::MailFrom), 0, "a mail was begun");
        assert!(logs_in || smtp.auth_attempts() == 0, "the password was sent to a server that is not proven");
        let tried = "SELECT count(*) FROM emails WHERE state = 'queued' AND attempts > 0";
        assert_eq!(stack.sql().number(tried, "").await?, 0, "an outage burnt attempts");
        smtp.clear_faults();
        let figures = tally.settle().await?;
        assert_eq!(figures, Figures { accepted: 3, arrived: 3, ..Figures::default() });
        assert!(smtp.mails().iter().all(|mail| mail.tls && mail.auth_user.as_deref() == Some(MAIL_USER)));
        assert_eq!(stack.sql().number("SELECT count(*) FROM emails WHERE attempts = 1", "").await?, 3);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_greylisted_mail_is_sent_at_the_second_attempt() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let (greylisted, tally) = (Person::new(), Tally::begin(stack, "SMTP: 451 greylisting"));
        let later = Fault::reply(Stage::RcptTo, 451, "4.7.1 greylisted, try again later");
        stack.smtp()?.set_fault(later.only_to(&greylisted.email).times(1));
        sign_up(stack, &tally, &greylisted).await?;
        let other = tally.sign_up().await?;
        assert_eq!(tally.settle().await?, Figures { accepted: 2, arrived: 2, ..Figures::default() });
        assert_eq!(stack.sql().of_mail(&greylisted.email, "attempts").await?, "2");
        assert_eq!(stack.sql().of_mail(&other.email, "attempts").await?, "1");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recipient_that_is_refused_fails_at_once_and_visibly() -> Result<()> {
    let fault = Fault::reply(Stage::RcptTo, 550, "5.1.1 no such user");
    the_mail_is_refused("SMTP: 550 for the recipient", fault, "RCPT TO: 550 5.1.1 no such user").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_is_too_big_fails_at_once_and_visibly() -> Result<()> {
    let fault = Fault::reply(Stage::FinalDot, 552, "5.3.4 too big");
    the_mail_is_refused("SMTP: 552 after the message", fault, "552 5.3.4 too big").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_sender_opens_the_circuit_and_no_email_fails() -> Result<()> {
    for (stage, code, text) in [
        (Stage::MailFrom, 550, "5.4.5 Daily user sending limit exceeded"),
        (Stage::MailFrom, 553, "5.7.1 not owned by user"),
        (Stage::FinalDot, 550, "5.7.60 SendAsDenied"),
    ] {
        run(full(), async |stack: &Stack| {
            let smtp = stack.smtp()?;
            smtp.set_fault(Fault::reply(stage, code, text));
            let tally = Tally::begin(stack, &format!("SMTP: {code} {text}"));
            for _ in 0..3 {
                tally.sign_up().await?;
            }
            alarm(stack, text).await?;
            let reached = smtp.count(stage);
            until("probes", LIMIT, async || Ok((smtp.count(stage) > reached).then_some(()))).await?;
            let unharmed =
                "SELECT count(*) FROM emails WHERE state IN ('queued', 'sending') AND attempts <= 1";
            assert_eq!(stack.sql().number(unharmed, "").await?, 3, "an email failed, or used up attempts");
            smtp.clear_faults();
            let figures = tally.settle().await?;
            assert_eq!(figures, Figures { accepted: 3, arrived: 3, ..Figures::default() });
            assert_eq!(stack.sql().number("SELECT count(*) FROM emails WHERE attempts = 1", "").await?, 3);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_addresses_that_are_refused_do_not_stop_other_emails() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let tally = Tally::begin(stack, "SMTP: 504 for three recipients");
        let odd: Vec<Person> = (0..3).map(|_| Person::new()).collect();
        for person in &odd {
            let fault = Fault::reply(Stage::RcptTo, 504, "5.5.2 need fully-qualified hostname");
            smtp.set_fault(fault.only_to(&person.email).times(2));
            sign_up(stack, &tally, person).await?;
        }
        for _ in 0..5 {
            let other = tally.sign_up().await?;
            smtp.wait_for_mail_to(&other.email, Duration::from_secs(5)).await?;
        }
        assert_eq!(tally.settle().await?, Figures { accepted: 8, arrived: 8, ..Figures::default() });
        for person in &odd {
            assert_eq!(stack.sql().of_mail(&person.email, "attempts").await?, "3");
        }
        Ok(())
    })
    .await
}

/// The circuit opens after a minute without an acceptance, and the first accepted email closes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_every_email_is_refused_for_a_minute_the_circuit_opens_and_nothing_is_lost() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let tally = Tally::begin(stack, "SMTP: 504 for every recipient, for a minute");
        smtp.set_fault(Fault::reply(Stage::RcptTo, 504, "5.5.2 need fully-qualified hostname"));
        for _ in 0..3 {
            tally.sign_up().await?;
        }
        // Each worker counts its own minute, and the fifth attempt comes minutes after the fourth.
        let due_now = "UPDATE emails SET due_at = created_at WHERE state = 'queued'";
        until("an alarm in a worker's log", PATIENCE, async || {
            stack.sql().run(due_now, "").await?;
            let mut events = stack.workers().into_iter().flat_map(|worker| worker.log().events());
            let found = events.any(|event| event["level"] == "ERROR" && event.to_string().contains("5.5.2"));
            Ok(found.then_some(()))
        })
        .await?;
        let failed = "SELECT count(*) FROM emails WHERE state = 'failed'";
        assert_eq!(stack.sql().number(failed, "").await?, 0);
        smtp.clear_faults();
        // More than once: an attempt that was refused just before has not written its own time yet.
        until("every email is sent", PATIENCE, async || {
            stack.sql().run(due_now, "").await?;
            let open = "SELECT count(*) FROM emails WHERE state <> 'sent'";
            Ok((stack.sql().number(open, "").await? == 0).then_some(()))
        })
        .await?;
        assert_eq!(tally.settle().await?, Figures { accepted: 3, arrived: 3, ..Figures::default() });
        Ok(())
    })
    .await
}

/// One mail is refused for good, another is not: one attempt, and the operator sees the reason.
async fn the_mail_is_refused(name: &str, fault: Fault, reason: &str) -> Result<()> {
    run(full(), async |stack: &Stack| {
        let (refused, tally) = (Person::new(), Tally::begin(stack, name));
        stack.smtp()?.set_fault(fault.clone().only_to(&refused.email));
        sign_up(stack, &tally, &refused).await?;
        tally.sign_up().await?;
        assert_eq!(
            tally.settle().await?,
            Figures { accepted: 2, arrived: 1, failed: 1, twice: 0, ..Figures::default() }
        );
        let id = stack.sql().of_mail(&refused.email, "id").await?;
        let shown = stack.command("bookly-worker", &["mail", "show", &id]).await?.succeeded()?;
        let shows = |name: &str, value: &str| {
            shown.lines().any(|line| line.starts_with(name) && line.ends_with(value))
        };
        assert!(shows("state", "failed") && shows("attempts", " 1"), "{shown}");
        assert!(shows("last error", reason), "{shown}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_in_data_is_given_up_and_asked_again() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let (hung, tally) = (Person::new(), Tally::begin(stack, "SMTP: hangs in DATA for 60 s"));
        smtp.set_fault(Fault::HangAt(Stage::Data).only_to(&hung.email).times(1));
        sign_up(stack, &tally, &hung).await?;
        smtp.wait_for_stage(Stage::Data, 1, LIMIT).await?;
        let other = tally.sign_up().await?;
        smtp.wait_for_mail_to(&other.email, LIMIT).await?;
        smtp.wait_for_mail_to(&hung.email, PATIENCE).await?;
        assert_eq!(tally.settle().await?, Figures { accepted: 2, arrived: 2, ..Figures::default() });
        // The lease was renewed all the time: no other worker claimed the email.
        assert_eq!(stack.sql().of_mail(&hung.email, "lost_leases").await?, "0");
        assert_eq!(stack.sql().of_mail(&hung.email, "attempts").await?, "2");
        Ok(())
    })
    .await
}

/// Some servers greet after 30 s on purpose. 12 s is longer than most clients wait, and makes the test shorter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_banner_is_waited_for() -> Result<()> {
    run(full(), async |stack: &Stack| {
        stack.smtp()?.set_fault(Fault::SlowGreeting(Duration::from_secs(12)));
        let tally = Tally::begin(stack, "SMTP: banner after 12 s");
        let person = tally.sign_up().await?;
        assert_eq!(tally.settle().await?, Figures { accepted: 1, arrived: 1, ..Figures::default() });
        assert_eq!(stack.sql().of_mail(&person.email, "attempts").await?, "1");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_sends_a_copy_and_the_third_ends_it() -> Result<()> {
    run(full(), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let (once, always) = (Person::new(), Person::new());
        let tally = Tally::begin(stack, "SMTP: closed after the final dot, once and thrice").may_come_twice();
        smtp.set_fault(Fault::CloseAt(Stage::FinalDot).only_to(&once.email).times(1));
        smtp.set_fault(Fault::CloseAt(Stage::FinalDot).only_to(&always.email));
        sign_up(stack, &tally, &once).await?;
        sign_up(stack, &tally, &always).await?;
        // A fault of minutes must not end the email, so the last copy comes late.
        let before_last_copy = "SELECT count(*) FROM emails WHERE recipient = $1 AND state = 'queued' \
                                AND lost_answers = 2 AND due_at > now() + interval '7 minutes'";
        until("the wait before the last copy", PATIENCE, async || {
            Ok((stack.sql().number(before_last_copy, &always.email).await? == 1).then_some(()))
        })
        .await?;
        stack.sql().run("UPDATE emails SET due_at = created_at WHERE recipient = $1", &always.email).await?;
        assert_eq!(
            tally.settle().await?,
            Figures { accepted: 2, arrived: 2, failed: 0, twice: 3, ..Figures::default() }
        );
        assert_eq!(stack.mails_to(&once.email)?.len(), 2);
        assert_eq!(stack.mails_to(&always.email)?.len(), 3);
        assert_eq!(stack.sql().of_mail(&once.email, "state").await?, "sent");
        assert_eq!(stack.sql().of_mail(&always.email, "state").await?, "failed");
        let reason = stack.sql().of_mail(&always.email, "last_error").await?;
        assert!(reason.contains("outcome unknown"), "{reason}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_recipients_hold_nobody_up_while_a_slot_is_free() -> Result<()> {
    const SLOTS: usize = 2 * 4;
    run(full().with("WORKER_CONCURRENCY", "4"), async |stack: &Stack| {
        let smtp = stack.smtp()?;
        let tally = Tally::begin(stack, "SMTP: 7 of 8 slots hang after the final dot");
        for _ in 0..SLOTS - 1 {
            let slow = Person::new();
            smtp.set_fault(Fault::HangAt(Stage::FinalDot).only_to(&slow.email));
            sign_up(stack, &tally, &slow).await?;
        }
        smtp.wait_for_stage(Stage::FinalDot, SLOTS - 1, LIMIT).await?;
        let began = Instant::now();
        for _ in 0..20 {
            let person = tally.sign_up().await?;
            smtp.wait_for_mail_to(&person.email, LIMIT).await?;
        }
        let hanging = "SELECT count(*) FROM emails WHERE state = 'sending' AND lost_leases = 0";
        assert!(stack.sql().number(hanging, "").await? >= (SLOTS - 1) as i64, "after {:?}", began.elapsed());
        smtp.clear_faults();
        assert_eq!(tally.settle().await?, Figures { accepted: 27, arrived: 27, ..Figures::default() });
        Ok(())
    })
    .await
}

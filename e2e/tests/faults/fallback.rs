//! Two mail servers, with faults of one or both: no email is lost, and copies exist only after lost answers.
//!
//! Every test prints a line: fault, accepted, arrived, failed visibly, came twice, suppressed, seconds.

use std::time::Duration;

use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, SmtpServer, Stage};
use bookly_e2e::stack::{SECOND_MAIL_USER, run};
use bookly_e2e::token_server::{MAILBOX, TokenAnswer, TokenServer, grants};
use sqlx::{Connection, PgConnection};

/// Several retries, each after three times the wait of the one before.
const PATIENCE: Duration = Duration::from_secs(100);

fn two_servers(kind: Kind) -> StackOptions {
    StackOptions::new(kind).two_mail_servers()
}

/// A sign-up with an address that the test chose before.
async fn sign_up(stack: &Stack, tally: &Tally<'_>, person: &Person) -> Result<()> {
    stack.sign_up(person).await?;
    tally.accept(&person.email);
    Ok(())
}

/// Signs people up until a server gets an email.
async fn used(server: &SmtpServer, tally: &Tally<'_>) -> Result<()> {
    let before = server.mails_total();
    until("a server that is used", PATIENCE, async || {
        let person = tally.sign_up().await?;
        let came = server.wait_for_mail_to(&person.email, Duration::from_secs(2)).await;
        Ok((came.is_ok() || server.mails_total() > before).then_some(()))
    })
    .await
}

async fn the_second_gets_everything_while_the_first_is_away(kind: Kind) -> Result<()> {
    run(two_servers(kind), async |stack: &Stack| {
        let (first, second) = (stack.smtp()?, stack.second_smtp()?);
        let tally = Tally::begin(stack, "two servers: the first is away, and comes back");
        tally.sign_up().await?;
        first.wait_for_total(1, LIMIT).await?;
        assert_eq!(second.connections_total(), 0, "the second server is used while the first one works");
        first.close_port().await;
        for _ in 0..5 {
            tally.sign_up().await?;
        }
        second.wait_for_total(5, LIMIT).await?;
        assert!(second.mails().iter().all(|mail| mail.auth_user.as_deref() == Some(SECOND_MAIL_USER)));
        first.open_port();
        used(first, &tally).await?;
        let figures = tally.settle().await?;
        assert_eq!((figures.arrived, figures.failed, figures.twice), (figures.accepted, 0, 0));
        let counted = "SELECT count(*) FROM emails WHERE attempts <> 1";
        assert_eq!(stack.sql().number(counted, "").await?, 0, "an outage counted as an attempt");
        Ok(())
    })
    .await
}

on_both!(the_second_gets_everything_while_the_first_is_away);

async fn while_both_are_away_emails_wait_and_the_one_that_comes_back_first_gets_them(
    kind: Kind,
) -> Result<()> {
    run(two_servers(kind), async |stack: &Stack| {
        let (first, second) = (stack.smtp()?, stack.second_smtp()?);
        let tally = Tally::begin(stack, "two servers: both are away, and the second comes back");
        first.set_fault(Fault::RefuseGreeting(421, "4.3.2 shutting down".to_owned()));
        second.close_port().await;
        tally.queue(300).await?;
        until("an alarm about each server", LIMIT, async || {
            let events = stack.logs().into_iter().flat_map(|(_, log)| log.events());
            let mut alarms = events.filter(|event| event["level"] == "ERROR");
            Ok(alarms.any(|event| event["server"] == "fallback").then_some(()))
        })
        .await?;
        let burnt = "SELECT count(*) FROM emails WHERE attempts > 1 OR (state = 'queued' AND attempts > 0)";
        assert_eq!(stack.sql().number(burnt, "").await?, 0, "an outage burnt attempts");
        second.open_port();
        let figures = tally.settle().await?;
        assert_eq!(figures, Figures { accepted: 300, arrived: 300, ..Figures::default() });
        assert_eq!(second.mails_total(), 300);
        Ok(())
    })
    .await
}

on_both!(while_both_are_away_emails_wait_and_the_one_that_comes_back_first_gets_them);

/// The first server takes access tokens, the second one a password.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_gets_everything_while_there_is_no_access_token_for_the_first() -> Result<()> {
    let tokens = TokenServer::start().await?;
    tokens.answer(TokenAnswer::Refusal);
    let [grant, ..] = grants(tokens.url());
    let options = two_servers(Kind::Embedded).access_tokens(tokens.access_tokens());
    let options = grant.iter().fold(options, |options, (name, value)| options.with(name, value));
    run(options, async |stack: &Stack| {
        let (first, second) = (stack.smtp()?, stack.second_smtp()?);
        let tally = Tally::begin(stack, "two servers: no access token for the first");
        for _ in 0..5 {
            tally.sign_up().await?;
        }
        second.wait_for_total(5, LIMIT).await?;
        assert!(second.mails().iter().all(|mail| mail.auth_user.as_deref() == Some(SECOND_MAIL_USER)));
        assert_eq!(first.connections_total(), 0, "the first server can do nothing without a token");
        tokens.answer(TokenAnswer::Token);
        used(first, &tally).await?;
        assert!(first.mails().iter().all(|mail| mail.auth_user.as_deref() == Some(MAILBOX)));
        let figures = tally.settle().await?;
        assert_eq!((figures.arrived, figures.failed, figures.twice), (figures.accepted, 0, 0));
        Ok(())
    })
    .await
}

async fn what_the_second_refuses_is_retried_and_what_it_may_have_is_not_sent_by_the_first(
    kind: Kind,
) -> Result<()> {
    run(two_servers(kind), async |stack: &Stack| {
        let (first, second) = (stack.smtp()?, stack.second_smtp()?);
        let tally = Tally::begin(stack, "two servers: the second refuses one and loses an answer");
        let tally = tally.may_come_twice();
        let (refused, lost) = (Person::new(), Person::new());
        second.set_fault(Fault::reply(Stage::RcptTo, 550, "5.1.1 no such user").only_to(&refused.email));
        second.set_fault(Fault::CloseAt(Stage::FinalDot).only_to(&lost.email).times(1));
        first.close_port().await;
        sign_up(stack, &tally, &refused).await?;
        until("the refusal", LIMIT, async || {
            let error = stack.sql().of_mail(&refused.email, "last_error").await?;
            Ok(error.contains("5.1.1").then_some(()))
        })
        .await?;
        assert_ne!(stack.sql().of_mail(&refused.email, "state").await?, "failed");
        sign_up(stack, &tally, &lost).await?;
        second.wait_for_mail_to(&lost.email, LIMIT).await?;
        second.close_port().await;
        first.open_port();
        first.wait_for_mail_to(&refused.email, PATIENCE).await?;
        used(first, &tally).await?;
        // It is claimed, and waits for the second server.
        let held = "fencing_token - (SELECT count(*) FROM email_attempts WHERE email_id = emails.id)";
        until("a claim that was no attempt", PATIENCE, async || {
            Ok((stack.sql().of_mail(&lost.email, held).await? != "0").then_some(()))
        })
        .await?;
        assert!(stack.smtp()?.mails().iter().all(|mail| !mail.is_to(&lost.email)));
        second.open_port();
        second.wait_for_nth_mail_to(&lost.email, 2, PATIENCE).await?;
        let figures = tally.settle().await?;
        assert_eq!((figures.arrived, figures.failed, figures.twice), (figures.accepted, 0, 1));
        assert!(stack.smtp()?.mails().iter().all(|mail| !mail.is_to(&lost.email)));
        let id = if kind == Kind::Embedded { "hex(id)" } else { "id" };
        let id = stack.sql().of_mail(&refused.email, id).await?;
        let shown = stack.command("bookly-worker", &["mail", "show", &id]).await?.succeeded()?;
        assert!(shown.contains("fallback server: ") && shown.contains("first server: "), "{shown}");
        Ok(())
    })
    .await
}

on_both!(what_the_second_refuses_is_retried_and_what_it_may_have_is_not_sent_by_the_first);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_that_cannot_be_written_at_once_is_written_later() -> Result<()> {
    run(two_servers(Kind::Full).workers(1), async |stack: &Stack| {
        let (first, second) = (stack.smtp()?, stack.second_smtp()?);
        let tally =
            Tally::begin(stack, "two servers: an answer is lost while the row is locked").may_come_twice();
        let lost = Person::new();
        second.set_fault(Fault::HangAt(Stage::FinalDot).only_to(&lost.email));
        first.close_port().await;
        sign_up(stack, &tally, &lost).await?;
        second.wait_for_stage(Stage::FinalDot, 1, PATIENCE).await?;
        let mut holder = PgConnection::connect(&stack.settings()["DATABASE_URL"]).await?;
        let mut row = holder.begin().await?;
        sqlx::query("SELECT 1 FROM emails FOR UPDATE").execute(&mut *row).await?;
        second.close_port().await;
        second.clear_faults();
        let workers = stack.workers();
        workers[0].log().line(LIMIT, |line| line.contains("cannot be written yet")).await?;
        row.rollback().await?;
        until("the binding", LIMIT, async || {
            let bound_to = stack.sql().of_mail(&lost.email, "coalesce(bound_to, '')").await?;
            Ok((bound_to == "fallback").then_some(()))
        })
        .await?;
        first.open_port();
        used(first, &tally).await?;
        second.open_port();
        second.wait_for_nth_mail_to(&lost.email, 2, PATIENCE).await?;
        let figures = tally.settle().await?;
        assert_eq!((figures.arrived, figures.failed, figures.twice), (figures.accepted, 0, 1));
        Ok(())
    })
    .await
}

async fn a_first_server_that_comes_and_goes_and_a_killed_worker_lose_nothing(kind: Kind) -> Result<()> {
    // Of one process, or of two.
    let waiting = if kind == Kind::Embedded { 1_000 } else { 2_000 };
    run(two_servers(kind).with("WORKER_RATE", "100"), async |stack: &Stack| {
        let (first, second) = (stack.smtp()?, stack.second_smtp()?);
        let tally = Tally::begin(stack, "two servers: the first flaps, a worker is killed").may_come_twice();
        tally.queue(waiting).await?;
        for round in 0..4 {
            first.close_port().await;
            let before = second.mails_total();
            second.wait_for_total(before + 50, PATIENCE).await?;
            if round == 1 {
                match kind {
                    Kind::Embedded => stack.restart_api().await?,
                    Kind::Full => {
                        stack.kill_worker(0)?;
                        stack.start_worker().await?;
                    }
                }
            }
            first.open_port();
            let before = first.mails_total();
            first.wait_for_total(before + 50, PATIENCE).await?;
        }
        let figures = tally.settle().await?;
        assert_eq!((figures.accepted, figures.arrived, figures.failed), (waiting, waiting, 0));
        // Both servers together lost so many answers, or workers.
        let lost = "SELECT coalesce(sum(lost_answers + lost_leases), 0) FROM emails";
        let lost = stack.sql().number(lost, "").await?;
        assert!(figures.twice as i64 <= lost, "{figures:?}, {lost} lost answers and workers");
        Ok(())
    })
    .await
}

on_both!(a_first_server_that_comes_and_goes_and_a_killed_worker_lose_nothing);

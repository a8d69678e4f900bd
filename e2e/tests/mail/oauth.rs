//! The login at the mail server with access tokens, by the real binary: each grant, refusals, and token servers that
//! are slow or answer wrongly.

use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use bookly_e2e::token_server::{MAILBOX, TOKEN_MARKS, TokenAnswer, TokenServer, grants};

const VERIFY: &str = "Verify your email";
const CANNOT_BE_USED: &str = "the mail server cannot be used";

fn options(tokens: &TokenServer, settings: &[(&'static str, String)]) -> StackOptions {
    let options = StackOptions::new(Kind::Embedded).mail_server().access_tokens(tokens.access_tokens());
    settings.iter().fold(options, |options, (name, value)| options.with(name, value.clone()))
}

/// Signs a person up, and returns the address.
async fn sign_up(stack: &Stack) -> Result<String> {
    let person = Person::new();
    stack.sign_up(&person).await?;
    Ok(person.email)
}

async fn arrives(stack: &Stack, address: &str) -> Result<()> {
    let mail = stack.mail(address, VERIFY).await?;
    ensure!(mail.tls && mail.auth_user.as_deref() == Some(MAILBOX), "{mail:?}");
    Ok(())
}

/// After an outage of seconds the next attempt is seconds away.
async fn due_now(stack: &Stack) -> Result<()> {
    stack.sql().run("UPDATE emails SET due_at = created_at WHERE state = 'queued'", "").await.map(drop)
}

/// The email waits, and the outage counts as no attempt.
async fn waits(stack: &Stack, address: &str) -> Result<()> {
    until("the email to wait", LIMIT, async || {
        Ok((stack.sql().of_mail(address, "state").await? == "queued").then_some(()))
    })
    .await?;
    ensure!(stack.sql().of_mail(address, "attempts").await? == "0", "the outage counts as an attempt");
    Ok(())
}

/// No row holds a piece of a secret, as it is or in base64.
async fn rows_hold_no_secret(stack: &Stack) -> Result<()> {
    for texts in [
        "SELECT coalesce(reply, '') FROM email_attempts",
        "SELECT coalesce(last_error, '') || coalesce(reply, '') || context FROM emails",
    ] {
        let texts = stack.sql().texts(texts, "").await?.concat();
        for secret in TOKEN_MARKS {
            ensure!(!texts.contains(secret), "{texts}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_email_is_sent_with_each_grant() -> Result<()> {
    let tokens = TokenServer::start().await?;
    for grant in grants(tokens.url()) {
        run(options(&tokens, &grant), async |stack| arrives(stack, &sign_up(stack).await?).await).await?;
    }
    assert_eq!((tokens.requests(), tokens.wrong_requests()), (3, Vec::new()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_is_fetched_again_once_and_then_emails_wait() -> Result<()> {
    let tokens = TokenServer::start().await?;
    let [refresh_token, ..] = grants(tokens.url());
    run(options(&tokens, &refresh_token), async |stack| {
        arrives(stack, &sign_up(stack).await?).await?;
        tokens.access_tokens().revoke();
        stack.smtp()?.drop_connections();
        arrives(stack, &sign_up(stack).await?).await?;
        assert_eq!((tokens.requests(), stack.smtp()?.auth_attempts()), (2, 3));

        tokens.access_tokens().refuse_all(true);
        stack.smtp()?.drop_connections();
        let waiting = sign_up(stack).await?;
        let log = stack.api_process().log().clone();
        let line = log.line(LIMIT, |line| line.contains(CANNOT_BE_USED)).await?;
        ensure!(line.contains("535 5.7.8 token not accepted: [redacted] [redacted]"), "{line}");
        waits(stack, &waiting).await?;
        tokens.access_tokens().refuse_all(false);
        due_now(stack).await?;
        arrives(stack, &waiting).await?;
        assert_eq!(tokens.requests(), 2, "the refusals asked the token server again");
        rows_hold_no_secret(stack).await
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_server_that_is_slow_or_lies_delays_nothing_but_emails() -> Result<()> {
    let tokens = TokenServer::start().await?;
    tokens.answer(TokenAnswer::Nothing);
    let [refresh_token, ..] = grants(tokens.url());
    run(options(&tokens, &refresh_token), async |stack| {
        tokens.asked_more_than(0, LIMIT).await?;
        let waiting = sign_up(stack).await?;
        stack.api().get("//health/ready").expect(200).await?;
        assert_eq!(stack.smtp()?.connections_total(), 0);

        tokens.answer(TokenAnswer::Refusal);
        let log = stack.api_process().log().clone();
        let line = log.line(LIMIT, |line| line.contains(CANNOT_BE_USED)).await?;
        ensure!(line.contains("answers 400 invalid_grant"), "{line}");
        waits(stack, &waiting).await?;
        stack.api().get("//health/ready").expect(200).await?;

        tokens.answer(TokenAnswer::Rotated);
        due_now(stack).await?;
        arrives(stack, &waiting).await?;
        log.line(LIMIT, |line| line.contains("the token server replaced the refresh token")).await?;
        tokens.access_tokens().revoke();
        stack.smtp()?.drop_connections();
        arrives(stack, &sign_up(stack).await?).await?;
        assert_eq!(tokens.wrong_requests(), Vec::<String>::new(), "the new refresh token is used");
        rows_hold_no_secret(stack).await
    })
    .await
}

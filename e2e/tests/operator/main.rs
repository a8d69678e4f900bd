//! The operator's commands: the real binary against real servers.
#![expect(clippy::unwrap_used, reason = "a panic fails the test")]

mod admin;
mod audit;
mod bounces;
mod doctor;
mod doctor_dns;
mod doctor_embedded;
mod doctor_redis;
mod doctor_smtp;
mod doctor_token;
mod documents;
mod files;
mod mails;
mod screen;
mod settings;
mod trust;

use std::path::Path;

use bookly_e2e::poll::LIMIT;
use bookly_e2e::prelude::*;
use bookly_e2e::process::{Finished, Process, Settings};
use bookly_e2e::stack::{JWT_SECRET, MAIL_PASSWORD};
use bookly_e2e::token_server::TOKEN_MARK;
use bookly_e2e::{postgres, stack};

const WORKER: &str = "bookly-worker";
/// An email that is due then stays queued until the test ends.
const NEVER: &str = "2999-01-01T00:00:00+00:00";

/// Runs a command of the worker with these settings, in this folder.
async fn run_in(folder: &Path, settings: &Settings, arguments: &[&str]) -> Result<Finished> {
    let name = format!("command-{}", uuid::Uuid::new_v4().simple());
    let finished = Process::start(WORKER, arguments, settings, folder, &name)?.finished(LIMIT).await?;
    ensure!(!finished.log.contains("panicked"), "{arguments:?}: {finished:?}");
    for secret in [JWT_SECRET, MAIL_PASSWORD, postgres::PASSWORD, TOKEN_MARK] {
        let shown = finished.output.contains(secret) || finished.log.contains(secret);
        ensure!(!shown, "{arguments:?} shows {secret}: {finished:?}");
    }
    Ok(finished)
}

/// Runs a command of the worker on a stack.
async fn command(stack: &Stack, arguments: &[&str]) -> Result<Finished> {
    run_in(stack.folder(), stack.settings(), arguments).await
}

/// The output of a command that succeeds.
async fn said(stack: &Stack, arguments: &[&str]) -> Result<String> {
    command(stack, arguments).await?.succeeded().with_context(|| format!("{arguments:?}"))
}

/// The `--json` document of a command that succeeds.
async fn json_of(stack: &Stack, arguments: &[&str]) -> Result<Value> {
    let output = said(stack, &[arguments, &["--json"]].concat()).await?;
    serde_json::from_str(&output).with_context(|| format!("{arguments:?} answers no JSON: {output}"))
}

/// The error of a command that fails with exit code 1 and an empty standard output.
async fn impossible(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let finished = command(stack, arguments).await?;
    ensure!(finished.status.code() == Some(1), "{arguments:?}: {finished:?}");
    ensure!(finished.output.is_empty(), "{arguments:?}: {finished:?}");
    ensure!(finished.log.starts_with("error: "), "{arguments:?}: {finished:?}");
    Ok(finished.log)
}

/// Signs up a person and waits for the email.
async fn signed_up(stack: &Stack) -> Result<Person> {
    let person = Person::new();
    stack.sign_up(&person).await?;
    stack.mail(&person.email, "Verify your email").await?;
    stack.settled().await?;
    Ok(person)
}

/// The id of the only email to an address.
async fn id_of(stack: &Stack, address: &str) -> Result<String> {
    let listed = json_of(stack, &["mail", "list", "--to", address]).await?;
    ensure!(listed["emails"].as_array().map(Vec::len) == Some(1), "{listed}");
    Ok(listed["emails"][0]["id"].as_str().context("an id")?.to_owned())
}

/// Queues the email to an address again, due after the end of the test.
async fn queue_for_later(stack: &Stack, address: &str) -> Result<()> {
    let sql = format!(
        "UPDATE emails SET state = 'queued', due_at = '{NEVER}', deadline_at = '{NEVER}', closed_at = NULL WHERE recipient = $1"
    );
    ensure!(stack.sql().run(&sql, address).await? == 1, "no email to {address}");
    Ok(())
}

/// Marks the email to an address as failed.
async fn mark_failed(stack: &Stack, address: &str) -> Result<()> {
    let sql = "UPDATE emails SET state = 'failed', last_error = 'RCPT TO: 550 no such mailbox' WHERE recipient = $1";
    ensure!(stack.sql().run(sql, address).await? == 1, "no email to {address}");
    Ok(())
}

/// Runs a test on both kinds of stack, without worker processes.
async fn on_both(test: impl AsyncFn(&Stack) -> Result<()>) -> Result<()> {
    for kind in [Kind::Embedded, Kind::Full] {
        stack::run(StackOptions::new(kind).workers(0), &test).await.with_context(|| format!("{kind:?}"))?;
    }
    Ok(())
}

//! The operator's commands, run as an operator runs them: the real binary against the real servers.
#![expect(clippy::unwrap_used, reason = "in tests a panic is the verdict")]

mod doctor;
mod doctor_embedded;
mod doctor_redis;
mod doctor_smtp;
mod documents;
mod files;
mod mails;
mod screen;

use std::path::Path;

use bookly_e2e::poll::LIMIT;
use bookly_e2e::prelude::*;
use bookly_e2e::process::{Finished, Process, Settings};
use bookly_e2e::stack::{JWT_SECRET, MAIL_PASSWORD};
use bookly_e2e::{postgres, stack};

const WORKER: &str = "bookly-worker";
/// A mail that is due then waits for the rest of the test.
const NEVER: &str = "2999-01-01T00:00:00+00:00";

/// Runs a command of the worker with these settings, in this folder.
async fn run_in(folder: &Path, settings: &Settings, arguments: &[&str]) -> Result<Finished> {
    let name = format!("command-{}", uuid::Uuid::new_v4().simple());
    let finished = Process::start(WORKER, arguments, settings, folder, &name)?.finished(LIMIT).await?;
    ensure!(!finished.log.contains("panicked"), "{arguments:?}: {finished:?}");
    for secret in [JWT_SECRET, MAIL_PASSWORD, postgres::PASSWORD] {
        let shown = finished.output.contains(secret) || finished.log.contains(secret);
        ensure!(!shown, "{arguments:?} shows {secret}: {finished:?}");
    }
    Ok(finished)
}

/// Runs a command of the worker on a stack.
async fn command(stack: &Stack, arguments: &[&str]) -> Result<Finished> {
    run_in(stack.folder(), stack.settings(), arguments).await
}

/// What a command that succeeds says.
async fn said(stack: &Stack, arguments: &[&str]) -> Result<String> {
    command(stack, arguments).await?.succeeded().with_context(|| format!("{arguments:?}"))
}

/// The document that a command which succeeds answers with `--json`.
async fn json_of(stack: &Stack, arguments: &[&str]) -> Result<Value> {
    let output = said(stack, &[arguments, &["--json"]].concat()).await?;
    serde_json::from_str(&output).with_context(|| format!("{arguments:?} answers no JSON: {output}"))
}

/// What a command that is not possible says, with exit code 1 and nothing on standard output.
async fn impossible(stack: &Stack, arguments: &[&str]) -> Result<String> {
    let finished = command(stack, arguments).await?;
    ensure!(finished.status.code() == Some(1), "{arguments:?}: {finished:?}");
    ensure!(finished.output.is_empty(), "{arguments:?}: {finished:?}");
    ensure!(finished.log.starts_with("error: "), "{arguments:?}: {finished:?}");
    Ok(finished.log)
}

/// Signs somebody up whose mail has come.
async fn signed_up(stack: &Stack) -> Result<Person> {
    let person = Person::new();
    stack.sign_up(&person).await?;
    stack.mail(&person.email, "Verify your email").await?;
    stack.settled().await?;
    Ok(person)
}

/// The id of the one mail to an address.
async fn id_of(stack: &Stack, address: &str) -> Result<String> {
    let listed = json_of(stack, &["mail", "list", "--to", address]).await?;
    ensure!(listed["mails"].as_array().map(Vec::len) == Some(1), "{listed}");
    Ok(listed["mails"][0]["id"].as_str().context("an id")?.to_owned())
}

/// Makes the mail to an address wait for ever, as one whose attempt failed for now.
async fn let_wait(stack: &Stack, address: &str) -> Result<()> {
    let sql = format!(
        "UPDATE emails SET state = 'queued', due_at = '{NEVER}', deadline_at = '{NEVER}', closed_at = NULL WHERE recipient = $1"
    );
    ensure!(stack.sql().run(&sql, address).await? == 1, "no mail to {address}");
    Ok(())
}

/// Makes the mail to an address one that was given up.
async fn let_fail(stack: &Stack, address: &str) -> Result<()> {
    let sql = "UPDATE emails SET state = 'failed', last_error = 'RCPT TO: 550 no such mailbox' WHERE recipient = $1";
    ensure!(stack.sql().run(sql, address).await? == 1, "no mail to {address}");
    Ok(())
}

/// Both kinds of stack, without workers of their own.
async fn on_both(test: impl AsyncFn(&Stack) -> Result<()>) -> Result<()> {
    for kind in [Kind::Embedded, Kind::Full] {
        stack::run(StackOptions::new(kind).workers(0), &test).await.with_context(|| format!("{kind:?}"))?;
    }
    Ok(())
}

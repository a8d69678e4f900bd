//! The promise, in numbers: accepted, arrived, visibly failed and duplicate emails.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::ensure;
use parking_lot::Mutex;

use crate::person::{ADDRESS_MARK, Person};
use crate::poll::until;
use crate::stack::Stack;

/// The longest wait until all emails are closed. Longer than any fault takes.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);

/// Counts the emails of one test on one stack. Every recipient gets only one.
pub struct Tally<'a> {
    stack: &'a Stack,
    fault: String,
    began: Instant,
    may_come_twice: bool,
    accepted: Mutex<BTreeSet<String>>,
}

/// The result of a fault. `arrived + failed = accepted`: no email is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Emails whose request was answered with 2xx.
    pub accepted: usize,
    /// Accepted emails that arrived at least once.
    pub arrived: usize,
    /// Accepted emails that did not arrive, with the reason in their row.
    pub failed: usize,
    /// Further copies, with the Message-ID of the first one.
    pub twice: usize,
}

impl<'a> Tally<'a> {
    /// Begins to count and to measure the time.
    pub fn begin(stack: &'a Stack, fault: &str) -> Tally<'a> {
        let (fault, began) = (fault.to_owned(), Instant::now());
        Tally { stack, fault, began, may_come_twice: false, accepted: Mutex::default() }
    }

    /// Allows copies, for faults that lose the reply of the mail server or the worker that got it.
    pub fn may_come_twice(self) -> Tally<'a> {
        Tally { may_come_twice: true, ..self }
    }

    /// Counts an email to this recipient as accepted.
    pub fn accept(&self, recipient: &str) {
        self.accepted.lock().insert(recipient.to_lowercase());
    }

    /// Removes recipients whose rows the test itself cancelled.
    pub fn take_back(&self, recipients: &[String]) {
        let mut accepted = self.accepted.lock();
        for recipient in recipients {
            accepted.remove(&recipient.to_lowercase());
        }
    }

    /// Signs up a new person and counts the email.
    pub async fn sign_up(&self) -> anyhow::Result<Person> {
        let person = Person::new();
        self.stack.sign_up(&person).await?;
        self.accept(&person.email);
        Ok(person)
    }

    /// Inserts welcome emails without jobs, as an API does that is killed right after its commit, and counts them
    /// as accepted. Full stack only.
    pub async fn queue(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let sql = format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, context, state, due_at, deadline_at, created_at)
             SELECT gen_random_uuid(), 'welcome', address, address, '{{}}', 'queued', now(), now() + interval '1 day', now()
             FROM (SELECT '{ADDRESS_MARK}' || gen_random_uuid() || '@people.test' AS address
                   FROM generate_series(1, {count})) AS addresses RETURNING recipient"
        );
        let recipients = self.stack.sql().texts(&sql, "").await?;
        recipients.iter().for_each(|recipient| self.accept(recipient));
        Ok(recipients)
    }

    /// Waits until all emails are closed, counts them, prints the result, and checks the promise.
    pub async fn settle(self) -> anyhow::Result<Figures> {
        let sql = self.stack.sql();
        until("all mails to be closed", SETTLE_LIMIT, async || {
            // An error means that the database is still away.
            Ok((sql.open_mails().await.ok() == Some(0)).then_some(()))
        })
        .await?;
        let seconds = self.began.elapsed().as_secs_f64();
        let came = self.ids_by_recipient()?;
        let why = "SELECT recipient FROM emails WHERE state = 'failed' AND last_error IS NOT NULL";
        let given_up: BTreeSet<String> =
            sql.texts(why, "").await?.iter().map(|address| address.to_lowercase()).collect();
        let accepted = self.accepted.lock().clone();
        let (arrived, missing): (Vec<_>, Vec<_>) = accepted.iter().partition(|one| came.contains_key(*one));
        let (failed, lost): (Vec<_>, Vec<_>) = missing.into_iter().partition(|one| given_up.contains(*one));
        let figures = Figures {
            accepted: accepted.len(),
            arrived: arrived.len(),
            failed: failed.len(),
            twice: came.values().map(|ids| ids.len() - 1).sum(),
        };
        self.print(figures, seconds);
        ensure!(lost.is_empty(), "{}: lost, the mails to {lost:?}", self.fault);
        ensure!(self.may_come_twice || figures.twice == 0, "{}: came twice: {figures:?}", self.fault);
        for (recipient, ids) in &came {
            let same = ids.iter().all(|id| *id == ids[0]);
            ensure!(same, "{}: copies to {recipient} have several Message-IDs: {ids:?}", self.fault);
        }
        Ok(figures)
    }

    fn ids_by_recipient(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let mut came: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in self.stack.mails()? {
            let id = mail.message_id().unwrap_or_default();
            for to in &mail.to {
                came.entry(to.to_lowercase()).or_default().push(id.clone());
            }
        }
        Ok(came)
    }

    /// Not by `println!`, which the test runner captures: the output of a run contains the whole table.
    fn print(&self, figures: Figures, seconds: f64) {
        let Figures { accepted, arrived, failed, twice } = figures;
        let fault = &self.fault;
        let line = format!("| {fault} | {accepted} | {arrived} | {failed} | {twice} | {seconds:.1} |\n");
        // A closed pipe does not matter.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }
}

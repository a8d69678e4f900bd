//! The promise, counted: what was accepted, what arrived of it, what failed visibly, what came twice.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::person::{ADDRESS_MARK, Person};
use crate::poll::until;
use crate::stack::Stack;

/// Longest wait for everything to be sent or given up. Far beyond what any fault takes.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);

/// Counts the mails of one test on one stack. Every recipient gets one mail only.
pub struct Tally<'a> {
    stack: &'a Stack,
    fault: String,
    began: Instant,
    may_come_twice: bool,
    accepted: Mutex<BTreeSet<String>>,
}

/// What a fault did to the mails. `arrived + failed = accepted`: none is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Mails whose request was answered with 2xx.
    pub accepted: usize,
    /// Of these, mails that came at least once.
    pub arrived: usize,
    /// Of these, mails that never came and whose row says why.
    pub failed: usize,
    /// Copies beyond the first, all with the first one's Message-ID.
    pub twice: usize,
}

impl<'a> Tally<'a> {
    /// Begins to count, and to take the time.
    pub fn begin(stack: &'a Stack, fault: &str) -> Tally<'a> {
        let (fault, began) = (fault.to_owned(), Instant::now());
        Tally { stack, fault, began, may_come_twice: false, accepted: Mutex::default() }
    }

    /// For faults that lose the mail server's answer, or the worker that got it: nothing else excuses a copy.
    pub fn may_come_twice(self) -> Tally<'a> {
        Tally { may_come_twice: true, ..self }
    }

    /// Counts a mail to this recipient, whose request was answered with 2xx.
    pub fn accept(&self, recipient: &str) {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).insert(recipient.to_lowercase());
    }

    /// Counts these no more: the test itself cancelled their rows.
    pub fn take_back(&self, recipients: &[String]) {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        for recipient in recipients {
            accepted.remove(&recipient.to_lowercase());
        }
    }

    /// Signs somebody new up, and counts the mail.
    ///
    /// # Errors
    /// When the answer is not 201.
    pub async fn sign_up(&self) -> anyhow::Result<Person> {
        let person = Person::new();
        self.stack.sign_up(&person).await?;
        self.accept(&person.email);
        Ok(person)
    }

    /// Writes rows of welcome mails that nobody rings for, as an API leaves them that is killed right after its
    /// commit, and counts them as accepted. Full stack only.
    ///
    /// # Errors
    /// When the database is away.
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

    /// Waits until no mail is under way, counts, prints the line, and holds it against the promise.
    ///
    /// # Errors
    /// When a mail is lost, or came twice without an excuse or with another Message-ID, or all takes too long.
    pub async fn settle(self) -> anyhow::Result<Figures> {
        let sql = self.stack.sql();
        until("all mails to be closed", SETTLE_LIMIT, async || {
            // A database that is not back yet has not closed them.
            Ok((sql.open_mails().await.ok() == Some(0)).then_some(()))
        })
        .await?;
        let seconds = self.began.elapsed().as_secs_f64();
        let came = self.ids_by_recipient()?;
        let why = "SELECT recipient FROM emails WHERE state = 'failed' AND last_error IS NOT NULL";
        let given_up: BTreeSet<String> =
            sql.texts(why, "").await?.iter().map(|address| address.to_lowercase()).collect();
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone();
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

    /// Past the test runner's capture, so that the table of a whole run can be read off its output.
    fn print(&self, figures: Figures, seconds: f64) {
        let Figures { accepted, arrived, failed, twice } = figures;
        let fault = &self.fault;
        let line = format!("| {fault} | {accepted} | {arrived} | {failed} | {twice} | {seconds:.1} |\n");
        // Nobody reads it: then nobody misses it.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    }
}

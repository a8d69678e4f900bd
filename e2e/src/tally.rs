//! The promise, in numbers: accepted, arrived, visibly failed, suppressed and duplicate emails.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::ensure;
use parking_lot::Mutex;

use crate::person::{Person, new_address};
use crate::poll::until;
use crate::smtp_server::ReceivedMail;
use crate::stack::{Kind, Stack};

/// The longest wait until all emails are closed. Longer than any fault takes.
const SETTLE_LIMIT: Duration = Duration::from_secs(300);

/// Counts the emails of one test on one stack. Every recipient gets only one.
pub struct Tally<'a> {
    stack: &'a Stack,
    fault: String,
    began: Instant,
    may_come_twice: bool,
    /// The Message-IDs of emails that came before.
    earlier: BTreeSet<String>,
    accepted: Mutex<BTreeSet<String>>,
}

/// The result of a fault. `arrived + failed + suppressed = accepted`: no email is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Emails whose request was answered with 2xx.
    pub accepted: usize,
    /// Accepted emails that arrived at least once.
    pub arrived: usize,
    /// Accepted emails that did not arrive, with the reason in their row.
    pub failed: usize,
    /// Further copies, with the Message-ID of the first one.
    pub twice: usize,
    /// Accepted emails that were not sent, because their mailbox gets none. The reason is in their row.
    pub suppressed: usize,
}

impl<'a> Tally<'a> {
    /// Begins to count and to measure the time. Emails that came before do not count.
    pub fn begin(stack: &'a Stack, fault: &str) -> Tally<'a> {
        let (fault, began) = (fault.to_owned(), Instant::now());
        let earlier = stack.mails().unwrap_or_default();
        let earlier = earlier.iter().filter_map(ReceivedMail::message_id).collect();
        Tally { stack, fault, began, may_come_twice: false, earlier, accepted: Mutex::default() }
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

    /// Inserts welcome emails to new addresses without jobs, as an API does that is killed right after its commit, and
    /// counts them as accepted.
    pub async fn queue(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let recipients: Vec<String> = (0..count).map(|_| new_address()).collect();
        self.queue_to(&recipients).await?;
        Ok(recipients)
    }

    /// The same to these addresses.
    pub async fn queue_to(&self, recipients: &[String]) -> anyhow::Result<()> {
        let values = match self.stack.kind() {
            Kind::Full => {
                "gen_random_uuid(), 'welcome', value, value, '{}', 'queued', now(), now() + interval '1 day', now()
                 FROM json_array_elements_text($1::json) AS addresses (value)"
            }
            Kind::Embedded => {
                "randomblob(16), 'welcome', value, value, '{}', 'queued', strftime('%FT%H:%M:%f+00:00', 'now'),
                 strftime('%FT%H:%M:%f+00:00', 'now', '+1 day'), strftime('%FT%H:%M:%f+00:00', 'now') FROM json_each($1)"
            }
        };
        let sql = format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, context, state, due_at, deadline_at, created_at)
             SELECT {values}"
        );
        self.stack.sql().run(&sql, &serde_json::to_string(recipients)?).await?;
        recipients.iter().for_each(|recipient| self.accept(recipient));
        Ok(())
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
        let given_up = self.recipients_of("state = 'failed' AND last_error IS NOT NULL").await?;
        let unwanted = self.recipients_of("state = 'cancelled' AND last_error LIKE 'suppressed: %'").await?;
        let accepted = self.accepted.lock().clone();
        let (arrived, missing): (Vec<_>, Vec<_>) = accepted.iter().partition(|one| came.contains_key(*one));
        let (failed, missing): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|one| given_up.contains(*one));
        let (suppressed, lost): (Vec<_>, Vec<_>) =
            missing.into_iter().partition(|one| unwanted.contains(*one));
        let figures = Figures {
            accepted: accepted.len(),
            arrived: arrived.len(),
            failed: failed.len(),
            twice: came.values().map(|ids| ids.len() - 1).sum(),
            suppressed: suppressed.len(),
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

    /// In small letters.
    async fn recipients_of(&self, condition: &str) -> anyhow::Result<BTreeSet<String>> {
        let sql = format!("SELECT recipient FROM emails WHERE {condition}");
        Ok(self.stack.sql().texts(&sql, "").await?.iter().map(|address| address.to_lowercase()).collect())
    }

    fn ids_by_recipient(&self) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
        let mut came: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mail in self.stack.mails()? {
            let id = mail.message_id().unwrap_or_default();
            if self.earlier.contains(&id) {
                continue;
            }
            for to in &mail.to {
                came.entry(to.to_lowercase()).or_default().push(id.clone());
            }
        }
        Ok(came)
    }

    fn print(&self, figures: Figures, seconds: f64) {
        let Figures { accepted, arrived, failed, twice, suppressed } = figures;
        let fault = &self.fault;
        note(&format!(
            "| {fault} | {accepted} | {arrived} | {failed} | {twice} | {suppressed} | {seconds:.1} |"
        ));
    }
}

/// Prints a line, not by `println!`, which the test runner captures: the output of a run contains the whole table.
pub fn note(line: &str) {
    // A closed pipe does not matter.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

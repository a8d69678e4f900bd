//! The emails of a stack, at the mail server or in the folder of `.eml` files.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use mail_parser::MessageParser;

use super::installation::Stack;
use crate::poll::{LIMIT, until};
use crate::smtp_server::{ReceivedMail, SmtpServer};

impl Stack {
    /// Waits for the first email to an address with this subject.
    pub async fn mail(&self, to: &str, subject: &str) -> anyhow::Result<ReceivedMail> {
        self.nth_mail(to, subject, 1).await
    }

    /// Waits for the `nth` email to an address with this subject, counted from 1.
    pub async fn nth_mail(&self, to: &str, subject: &str, nth: usize) -> anyhow::Result<ReceivedMail> {
        let what = format!("mail {nth} {subject:?} to {to}");
        let wanted = |mail: &ReceivedMail| mail.subject().as_deref() == Some(subject);
        until(&what, LIMIT, async || {
            Ok(self.mails_to(to)?.into_iter().filter(wanted).nth(nth.saturating_sub(1)))
        })
        .await
    }

    /// Waits for an email as [`Stack::mail`] does, and returns its link.
    pub async fn link(&self, to: &str, subject: &str) -> anyhow::Result<String> {
        self.nth_link(to, subject, 1).await
    }

    /// Waits for the `nth` email, and returns its link.
    pub async fn nth_link(&self, to: &str, subject: &str, nth: usize) -> anyhow::Result<String> {
        let mail = self.nth_mail(to, subject, nth).await?;
        mail.link("/api/v1/auth/").with_context(|| format!("no link in {:?}", mail.text()))
    }

    /// Waits for an email as [`Stack::mail`] does, and returns its code.
    pub async fn code(&self, to: &str, subject: &str) -> anyhow::Result<String> {
        self.nth_code(to, subject, 1).await
    }

    /// Waits for the `nth` email, and returns its code.
    pub async fn nth_code(&self, to: &str, subject: &str, nth: usize) -> anyhow::Result<String> {
        let mail = self.nth_mail(to, subject, nth).await?;
        mail.code().with_context(|| format!("no code in {:?}", mail.text()))
    }

    /// The emails to an address so far, in their order.
    pub fn mails_to(&self, to: &str) -> anyhow::Result<Vec<ReceivedMail>> {
        let mut mails = self.mails()?;
        mails.retain(|mail| mail.is_to(to));
        Ok(mails)
    }

    /// All emails so far; with two mail servers those of the first one come first.
    pub fn mails(&self) -> anyhow::Result<Vec<ReceivedMail>> {
        match &self.smtp {
            Some(smtp) => Ok([Some(smtp), self.second_smtp.as_ref()]
                .into_iter()
                .flatten()
                .flat_map(SmtpServer::mails)
                .collect()),
            None => stored(&Path::new(&self.settings["DATA_DIR"]).join("mail")),
        }
    }

    /// Waits until every row is sent, failed or cancelled.
    pub async fn settled(&self) -> anyhow::Result<()> {
        self.settled_within(LIMIT).await
    }

    /// The same with another time limit, for faults after which leases have to run out.
    pub async fn settled_within(&self, within: Duration) -> anyhow::Result<()> {
        until("all mails to be closed", within, async || {
            Ok((self.sql().open_mails().await? == 0).then_some(()))
        })
        .await
    }
}

fn stored(folder: &Path) -> anyhow::Result<Vec<ReceivedMail>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
    // The names are UUIDv7, so their order is that of the requests.
    paths.sort();
    paths.iter().map(|path| Ok(as_received(fs::read(path)?))).collect()
}

fn as_received(data: Vec<u8>) -> ReceivedMail {
    let parsed = MessageParser::default().parse(&data);
    let addresses = |list: Option<&mail_parser::Address<'_>>| -> Vec<String> {
        let all = list.iter().flat_map(|list| list.iter());
        all.filter_map(|one| one.address().map(str::to_owned)).collect()
    };
    let to = addresses(parsed.as_ref().and_then(|mail| mail.to()));
    let from = addresses(parsed.as_ref().and_then(|mail| mail.from())).concat();
    ReceivedMail { from, to, data, at: Instant::now(), tls: false, auth_user: None, answered: true }
}

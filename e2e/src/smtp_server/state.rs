//! What the server received, and waiting for more of it.

use std::{collections::VecDeque, time::Duration};

use anyhow::Context;
use parking_lot::Mutex;
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;

use super::{
    fault::{Faults, Stage},
    mail::ReceivedMail,
};

/// Counters and mails.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) mails: VecDeque<ReceivedMail>,
    pub(super) mails_total: usize,
    pub(super) open: usize,
    pub(super) total: usize,
    pub(super) peak: usize,
    stages: [usize; Stage::COUNT],
    sessions: CancellationToken,
}

impl Seen {
    pub(super) fn reached(&self, stage: Stage) -> usize {
        self.stages[stage as usize]
    }
}

/// [`Seen`], shared, with a signal at each change.
#[derive(Default)]
pub(super) struct State {
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
    pub(super) faults: Faults,
}

impl State {
    pub(super) fn read<T>(&self, look: impl FnOnce(&Seen) -> T) -> T {
        look(&self.seen.lock())
    }

    /// Waits until `look` returns something.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        within: Duration,
        look: impl Fn(&Seen) -> Option<T>,
    ) -> anyhow::Result<T> {
        let mut changed = self.changed.subscribe();
        let search = async {
            loop {
                if let Some(found) = self.read(&look) {
                    return Ok(found);
                }
                changed.changed().await?;
            }
        };
        let missing = || {
            let (mails, open) = self.read(|seen| (seen.mails_total, seen.open));
            format!("waited {within:?} for {what}; there are {mails} mails and {open} open connections")
        };
        timeout(within, search).await.with_context(missing)?
    }

    /// Counts a new connection. Its session ends when the token is cancelled.
    pub(super) fn opened(&self) -> CancellationToken {
        self.change(|seen| {
            seen.open += 1;
            seen.total += 1;
            seen.peak = seen.peak.max(seen.open);
            seen.sessions.clone()
        })
    }

    pub(super) fn closed(&self) {
        self.change(|seen| seen.open -= 1);
    }

    pub(super) fn drop_sessions(&self) {
        self.change(|seen| std::mem::take(&mut seen.sessions)).cancel();
    }

    pub(super) fn reach(&self, stage: Stage) {
        self.change(|seen| seen.stages[stage as usize] += 1);
    }

    /// Stores an email and returns its number, for [`mark_answered`](Self::mark_answered).
    pub(super) fn record(&self, mail: ReceivedMail, keep: usize) -> usize {
        self.change(|seen| {
            seen.mails.push_back(mail);
            if seen.mails.len() > keep {
                seen.mails.pop_front();
            }
            seen.mails_total += 1;
            seen.mails_total
        })
    }

    /// Notes that 250 was sent for this email.
    pub(super) fn mark_answered(&self, number: usize) {
        self.change(|seen| {
            let removed = seen.mails_total - seen.mails.len();
            let index = number.checked_sub(removed + 1);
            if let Some(mail) = index.and_then(|index| seen.mails.get_mut(index)) {
                mail.answered = true;
            }
        });
    }

    fn change<T>(&self, how: impl FnOnce(&mut Seen) -> T) -> T {
        let result = how(&mut self.seen.lock());
        self.changed.send_replace(());
        result
    }
}

//! The table `email_reports`: what receivers and providers report of an email after it was accepted.
//!
//! A report proves that the email was accepted. So it also closes a row whose worker does not know that: one that is
//! queued or being sent, or that was given up without knowing the outcome. A row that a report has closed stays closed:
//! no later 250, no retry and no other worker changes it.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::iter;
use futures_util::{StreamExt, TryStreamExt};
use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

use crate::db::suppressions::{NewSuppression, suppress};
use crate::db::{Db, DbResult, Pools, in_transaction, on_db};
use crate::domain::{EmailState, ReportSource, ReportVerdict, SuppressionReason};

/// How long a report that is sent again is recognised. No proof is good for longer, and no provider tries for longer.
pub const KEEP_MARKS_FOR: TimeDelta = TimeDelta::days(3);
/// So many transactions run at once on Postgres, each about one email. One that held several rows and a worker's
/// statement could wait for each other. More would take connections from other requests.
const AT_ONCE: usize = 4;
/// So many reports share a transaction on SQLite, which has one writer, and waits for the disk at each commit.
const IN_ONE_TRANSACTION: usize = 100;
/// Further reports of one email are stored only if they change something: the recipient of an email can send any number
/// of them.
pub const MAX_REPORTS: i64 = 20;

/// What was reported of an email.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The row.
    pub email_id: Uuid,
    /// The canonical form of the recipient that the report names: it has no effect on a row of another recipient. `None`
    /// where the way of the report proves that it is about this row.
    pub mailbox: Option<&'a str>,
    /// The reporter.
    pub source: ReportSource,
    /// What it means.
    pub verdict: ReportVerdict,
    /// The reporter's words, without secrets, on one short line.
    pub words: &'a str,
    /// A hash of what the reporter calls this report. A second one with the same hash has no effect. `None` where the call
    /// has a mark.
    pub mark: Option<[u8; 32]>,
}

/// The result of recording a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// The row has this state now.
    Closed(EmailState),
    /// The row keeps its state. The report stands in its history, if that has room.
    Noted,
    /// It was recorded before.
    Repeated,
    /// It names no row, or not the row's recipient.
    NotOurs,
}

/// A row of `email_reports`, also as JSON.
#[derive(Clone, Debug, PartialEq, Eq, FromRow, Serialize)]
pub struct ReportRow {
    /// `bounced`, `soft_bounced`, `delayed`, `complained`, or a newer version's.
    pub outcome: String,
    /// The name of a [`ReportSource`], or of a newer version's.
    pub source: String,
    /// The reporter's words.
    pub reply: String,
    /// When it was recorded.
    pub reported_at: DateTime<Utc>,
}

/// The lock keeps two reports of one email apart.
const FIND_REPORTED_POSTGRES: &str = "
SELECT state, mailbox, lost_leases, lost_answers, may_be_taken FROM emails WHERE id = $1 FOR UPDATE";

const FIND_REPORTED_SQLITE: &str = "
SELECT state, mailbox, lost_leases, lost_answers, may_be_taken FROM emails WHERE id = $1";

const MARK_REPORT: &str = "
INSERT INTO report_marks (mark, marked_at) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING";

/// All reports, and the hard bounces among them.
const COUNT_REPORTS: &str = "
SELECT count(*) AS reports, count(CASE WHEN outcome = 'bounced' THEN 1 END) AS bounces FROM email_reports WHERE email_id = $1";

/// How many reports of an email are stored.
#[derive(FromRow)]
struct StoredReports {
    reports: i64,
    bounces: i64,
}

const NOTE_REPORT: &str = "
INSERT INTO email_reports (id, email_id, outcome, source, reply, reported_at) VALUES ($1, $2, $3, $4, $5, $6)";

/// The words take the place of the last error, so that lists show them.
const CLOSE_REPORTED: &str = "
UPDATE emails SET state = $2, last_error = $3, closed_at = $4, lease_until = NULL WHERE id = $1";

pub(super) const PURGE_MARKS: &str = "
DELETE FROM report_marks WHERE mark IN (SELECT mark FROM report_marks WHERE marked_at < $1 LIMIT $2)";

const REPORTS_OF: &str = "
SELECT outcome, source, reply, reported_at FROM email_reports WHERE email_id = $1 ORDER BY id";

#[derive(FromRow)]
struct Reported {
    state: String,
    mailbox: String,
    lost_leases: i32,
    lost_answers: i32,
    may_be_taken: bool,
}

/// What a report changes.
struct Effect {
    /// The row's new state.
    state: Option<EmailState>,
    /// Why its mailbox gets no more of such emails.
    suppression: Option<SuppressionReason>,
}

impl Reported {
    /// Whether a mail server accepted the email, or may have: then the report is the proof. A refusal stays one.
    fn may_be_accepted(&self) -> bool {
        match self.state.as_str() {
            "failed" | "cancelled" => self.may_be_taken || self.is_unknown(),
            _ => true,
        }
    }

    /// Whether the outcome of an attempt is not known.
    fn is_unknown(&self) -> bool {
        self.lost_leases > 0 || self.lost_answers > 0
    }

    /// `has_bounced`: a hard bounce of this row was reported before.
    fn effect(&self, verdict: ReportVerdict, has_bounced: bool) -> Effect {
        use ReportVerdict::{Complaint, Delay, Hard, Soft};
        let (state, suppression) = match (verdict, self.state.as_str()) {
            _ if !self.may_be_accepted() => (None, None),
            (Complaint, "complained") | (Hard, "bounced") => (None, None),
            (Complaint, _) => (Some(EmailState::Complained), Some(SuppressionReason::Complaint)),
            // The state stays `complained`, and the mailbox is suppressed because it does not exist.
            (Hard, "complained") => (None, (!has_bounced).then_some(SuppressionReason::Bounce)),
            (Hard, _) => (Some(EmailState::Bounced), Some(SuppressionReason::Bounce)),
            // It was accepted, so no further copy is sent.
            (Soft | Delay, "queued") if self.is_unknown() => (Some(EmailState::Sent), None),
            (Soft | Delay, _) => (None, None),
        };
        Effect { state, suppression }
    }
}

/// Stores a mark: whether it is new.
macro_rules! mark {
    ($tx:expr, $mark:expr, $now:expr) => {
        sqlx::query(MARK_REPORT).bind(&$mark[..]).bind($now).execute(&mut *$tx).await?.rows_affected() == 1
    };
}

/// Records a report in a transaction: `Recorded`, after the row was found by the statement `find`.
macro_rules! record {
    ($tx:expr, $find:expr, $report:expr, $now:expr) => {
        'recorded: {
            let Report { email_id, mailbox, source, verdict, words, mark } = $report;
            let row: Option<Reported> =
                sqlx::query_as($find).bind(email_id).fetch_optional(&mut *$tx).await?;
            let Some(row) = row.filter(|row| mailbox.is_none_or(|mailbox| mailbox == row.mailbox)) else {
                break 'recorded Recorded::NotOurs;
            };
            let stored: StoredReports =
                sqlx::query_as(COUNT_REPORTS).bind(email_id).fetch_one(&mut *$tx).await?;
            let Effect { state, suppression } = row.effect(*verdict, stored.bounces > 0);
            if stored.reports >= MAX_REPORTS && state.is_none() && suppression.is_none() {
                break 'recorded Recorded::Noted;
            }
            if let Some(mark) = mark
                && !mark!($tx, mark, $now)
            {
                break 'recorded Recorded::Repeated;
            }
            let note = sqlx::query(NOTE_REPORT).bind(Uuid::now_v7()).bind(email_id).bind(verdict.outcome());
            note.bind(source.as_str()).bind(words).bind($now).execute(&mut *$tx).await?;
            if let Some(state) = state {
                let last_error = (state != EmailState::Sent).then_some(*words);
                let close = sqlx::query(CLOSE_REPORTED).bind(email_id).bind(state.as_str());
                close.bind(last_error).bind($now).execute(&mut *$tx).await?;
            }
            if let Some(reason) = suppression {
                suppress!($tx, &NewSuppression::new(&row.mailbox, reason, source.as_str(), $now));
            }
            state.map_or(Recorded::Noted, Recorded::Closed)
        }
    };
}

impl Db {
    /// Records a report: its words, its mark, and where it closes the row, the new state and the suppression of the
    /// mailbox; all of it or nothing.
    pub async fn record_report(&self, report: &Report<'_>, now: DateTime<Utc>) -> DbResult<Recorded> {
        let recorded = self.record_together(std::slice::from_ref(report), vec![0], None, now).await?;
        Ok(recorded.first().map_or(Recorded::NotOurs, |(_, recorded)| *recorded))
    }

    /// Records each of these reports, those of one email in their order, and calls `recorded` with its number. After an
    /// error some are recorded and others are not: when all of them are sent again, their marks show which ones.
    ///
    /// `call_mark` is that of a call whose proof does not cover its reports. It is used up in one transaction with all that
    /// they change, also where there is none, and where it was used up before, no report has an effect.
    pub async fn record_reports(
        &self,
        reports: &[Report<'_>],
        call_mark: Option<[u8; 32]>,
        now: DateTime<Utc>,
        mut recorded: impl FnMut(usize, Recorded),
    ) -> DbResult<()> {
        let numbers: Vec<usize> = (0..reports.len()).collect();
        let (parts, at_once) = match self.pools {
            _ if call_mark.is_some() => (vec![numbers], 1),
            Pools::Postgres(_) => (by_email(reports), AT_ONCE),
            Pools::Sqlite { .. } => (numbers.chunks(IN_ONE_TRANSACTION).map(<[usize]>::to_vec).collect(), 1),
        };
        let parts = iter(parts).map(|part| self.record_together(reports, part, call_mark, now));
        let mut parts = parts.buffer_unordered(at_once);
        while let Some(part) = parts.try_next().await? {
            part.into_iter().for_each(|(number, outcome)| recorded(number, outcome));
        }
        Ok(())
    }

    /// Records the reports with these numbers in one transaction.
    async fn record_together(
        &self,
        reports: &[Report<'_>],
        numbers: Vec<usize>,
        call_mark: Option<[u8; 32]>,
        now: DateTime<Utc>,
    ) -> DbResult<Vec<(usize, Recorded)>> {
        let find = match self.pools {
            Pools::Postgres(_) => FIND_REPORTED_POSTGRES,
            Pools::Sqlite { .. } => FIND_REPORTED_SQLITE,
        };
        in_transaction!(self, tx => {
            if let Some(mark) = call_mark
                && !mark!(tx, mark, now)
            {
                return Ok(numbers.iter().map(|number| (*number, Recorded::Repeated)).collect());
            }
            let mut recorded = Vec::with_capacity(numbers.len());
            for number in &numbers {
                recorded.push((*number, record!(tx, find, &reports[*number], now)));
            }
            recorded
        })
    }

    /// What was reported of an email, the first report first.
    pub async fn reports_of(&self, id: Uuid) -> DbResult<Vec<ReportRow>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(REPORTS_OF).bind(id).fetch_all(&mut *connection).await?
        })
    }
}

/// The numbers of the reports, those of one email together.
fn by_email(reports: &[Report<'_>]) -> Vec<Vec<usize>> {
    let mut emails: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for (number, report) in reports.iter().enumerate() {
        emails.entry(report.email_id).or_default().push(number);
    }
    emails.into_values().collect()
}

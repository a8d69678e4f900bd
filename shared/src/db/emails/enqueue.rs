//! The table `emails` as the API sees it: a row written beside the change that wants the mail.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Db, DbResult, in_transaction};
use crate::domain::{EmailAddress, EmailKind};
use crate::metrics::table::EMAILS_QUEUED;
use crate::trace::TraceContext;

/// What a template needs beside the account. Plain facts: no token, no link, no password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailContext {
    /// `email_change_requested`: the address that was asked for, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_address: Option<String>,
}

/// The request that asks for a mail, so that the mail can be followed from its log lines to the worker's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOrigin {
    /// Its id, as the answer's `x-request-id` has it.
    pub request_id: Option<String>,
    /// Its place in its trace.
    pub trace: Option<TraceContext>,
}

/// A mail to be queued.
#[derive(Clone, Debug)]
pub struct NewEmail {
    /// The row's id, known before the commit so that the bell can be rung after it.
    pub id: Uuid,
    kind: EmailKind,
    recipient: String,
    mailbox: String,
    user_uid: Option<Uuid>,
    context: EmailContext,
    origin: RequestOrigin,
    now: DateTime<Utc>,
}

impl NewEmail {
    /// A mail of this kind to this address, accepted `now`.
    pub fn new(kind: EmailKind, to: &EmailAddress, now: DateTime<Utc>) -> NewEmail {
        NewEmail {
            id: Uuid::now_v7(),
            kind,
            recipient: to.as_str().to_owned(),
            mailbox: to.canonical().to_owned(),
            user_uid: None,
            context: EmailContext::default(),
            origin: RequestOrigin::default(),
            now,
        }
    }

    /// Names the account that the mail is about.
    pub fn about(mut self, user_uid: Uuid) -> NewEmail {
        self.user_uid = Some(user_uid);
        self
    }

    /// Adds what the template needs.
    pub fn with(mut self, context: EmailContext) -> NewEmail {
        self.context = context;
        self
    }

    /// Names the request.
    pub fn request_origin(mut self, origin: RequestOrigin) -> NewEmail {
        self.origin = origin;
        self
    }
}

/// How far apart the clocks of processes may be: each is set by the database's to within a round trip. A worker
/// that is a little behind would take the bell of a mail that is due now for one too early, and the next bell
/// comes ten seconds later; so bells ring for what has been due for this long.
pub const CLOCK_SLACK: TimeDelta = TimeDelta::seconds(1);

/// How long a mail may be tried before it is given up, visibly. A reset link is of no use after an hour.
pub fn deadline_of(kind: EmailKind) -> TimeDelta {
    match kind {
        EmailKind::ResetPassword => TimeDelta::hours(1),
        _ => TimeDelta::hours(24),
    }
}

/// The columns of a row that is queued, in the order of [`bind_mail!`]'s values, but for the state.
/// `enqueued_at` is set at once: whoever commits this row rings for it, and the relay only if that came to nothing.
macro_rules! insert_mail {
    () => {
        "INSERT INTO emails (id, kind, recipient, mailbox, user_uid, context, request_id, traceparent, enqueued_at, created_at,
                             deadline_at, due_at, state) "
    };
}

/// Binds a mail's eleven values: the ninth is both when it was rung for and when it was accepted.
macro_rules! bind_mail {
    ($query:expr, $mail:expr) => {{
        let (now, deadline, due) = $mail.times();
        $query
            .bind($mail.id)
            .bind($mail.kind().as_str())
            .bind($mail.recipient())
            .bind($mail.mailbox())
            .bind($mail.user_uid())
            .bind(sqlx::types::Json($mail.context()))
            .bind($mail.request_id())
            .bind($mail.traceparent())
            .bind(now)
            .bind(deadline)
            .bind(due)
    }};
}

/// A mail is queued once, also by who asks again since the first answer was lost.
pub(in crate::db) const QUEUE: &str = concat!(
    insert_mail!(),
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, 'queued') ON CONFLICT (id) DO NOTHING"
);

/// Queues a mail in a transaction of either database.
macro_rules! enqueue_email {
    ($tx:expr, $mail:expr) => {{
        let mail: &$crate::db::emails::enqueue::NewEmail = $mail;
        $crate::db::emails::enqueue::bind_mail!(sqlx::query($crate::db::emails::enqueue::QUEUE), mail)
            .execute(&mut *$tx)
            .await?;
        // A commit that fails afterwards is seldom, and is counted all the same.
        mail.count();
    }};
}
pub(crate) use {bind_mail, enqueue_email, insert_mail};

impl NewEmail {
    /// When it was accepted, when it is given up, and since when it is due.
    pub(in crate::db) fn times(&self) -> (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>) {
        (self.now, self.now + deadline_of(self.kind), self.now - CLOCK_SLACK)
    }
    /// Counts it as queued: one place for all kinds.
    pub(in crate::db) fn count(&self) {
        EMAILS_QUEUED.add(1, [self.kind.as_str().into()]);
    }
    /// What it is.
    pub fn kind(&self) -> EmailKind {
        self.kind
    }
    pub(in crate::db) fn recipient(&self) -> &str {
        &self.recipient
    }
    pub(in crate::db) fn mailbox(&self) -> &str {
        &self.mailbox
    }
    pub(in crate::db) fn user_uid(&self) -> Option<Uuid> {
        self.user_uid
    }
    pub(in crate::db) fn context(&self) -> &EmailContext {
        &self.context
    }
    pub(in crate::db) fn request_id(&self) -> Option<&str> {
        self.origin.request_id.as_deref()
    }
    /// Written anew from what was read of the client's, never as it came.
    pub(in crate::db) fn traceparent(&self) -> Option<String> {
        self.origin.trace.map(|trace| trace.to_string())
    }
}

impl Db {
    /// Queues mails that go with no other change: reset and resend requests, the admin's welcome. All or none.
    pub async fn enqueue_emails(&self, mails: &[NewEmail]) -> DbResult<()> {
        in_transaction!(self, tx => {
            for mail in mails {
                enqueue_email!(tx, mail);
            }
        })
    }
}

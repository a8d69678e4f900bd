//! Inserts an email: a row that is written in the transaction of the change that causes it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{Db, DbResult, in_transaction};
use crate::domain::{EmailAddress, EmailKind};
use crate::metrics::table::EMAILS_QUEUED;
use crate::trace::TraceContext;

/// Values for the template that the account does not hold. Never a token, a link or a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailContext {
    /// `email_change_requested`: the requested address, masked. `email_changed`: the account's address, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_address: Option<String>,
    /// `email_changed`: the change that the link undoes. `None` in the notice of an undo, which has no link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_change: Option<Uuid>,
}

/// The request that causes an email. It connects the log lines of the API with those of the worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestOrigin {
    /// The request's id, as in the response's `x-request-id`.
    pub request_id: Option<String>,
    /// The request's place in its trace.
    pub trace: Option<TraceContext>,
}

/// An email to be queued.
#[derive(Clone, Debug)]
pub struct NewEmail {
    /// The row's id. It is known before the commit, so that the job can be enqueued after it.
    pub id: Uuid,
    kind: EmailKind,
    recipient: String,
    mailbox: String,
    user_uid: Option<Uuid>,
    auth_version: Option<i64>,
    context: EmailContext,
    origin: RequestOrigin,
    created_at: DateTime<Utc>,
}

impl NewEmail {
    /// An email of this kind to this address, accepted `now`.
    pub fn new(kind: EmailKind, to: &EmailAddress, now: DateTime<Utc>) -> NewEmail {
        NewEmail {
            id: Uuid::now_v7(),
            kind,
            recipient: to.as_str().to_owned(),
            mailbox: to.canonical().to_owned(),
            user_uid: None,
            auth_version: None,
            context: EmailContext::default(),
            origin: RequestOrigin::default(),
            created_at: now,
        }
    }

    /// Sets the account that the email is about.
    ///
    /// A link that works once carries this `auth_version`, never a later one. A verification link carries none.
    pub fn about(mut self, user_uid: Uuid, auth_version: i64) -> NewEmail {
        self.user_uid = Some(user_uid);
        self.auth_version = Some(auth_version);
        self
    }

    /// Sets the values for the template.
    pub fn with(mut self, context: EmailContext) -> NewEmail {
        self.context = context;
        self
    }

    /// Sets the request.
    pub fn request_origin(mut self, origin: RequestOrigin) -> NewEmail {
        self.origin = origin;
        self
    }
}

/// The longest time for attempts, after which the email fails visibly. A reset link is useless after an hour.
pub fn deadline_of(kind: EmailKind) -> TimeDelta {
    match kind {
        EmailKind::ResetPassword => TimeDelta::hours(1),
        EmailKind::VerifyEmail
        | EmailKind::PasswordChanged
        | EmailKind::ChangeEmail
        | EmailKind::EmailChangeRequested
        | EmailKind::EmailChanged
        | EmailKind::Welcome => TimeDelta::hours(24),
    }
}

/// `enqueued_at` is set at once: the request enqueues the job after its commit, and maintenance only if that failed.
/// A request that is repeated because its answer was lost queues its email once.
pub(in crate::db) const INSERT_EMAIL: &str = "
INSERT INTO emails (id, kind, recipient, mailbox, user_uid, auth_version, context, request_id, traceparent,
                    created_at, enqueued_at, due_at, deadline_at, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11, 'queued')
ON CONFLICT (id) DO NOTHING";

/// Binds the eleven values of an email: id, kind, recipient, mailbox, user, `auth_version`, context, request, trace,
/// `created_at` and `deadline_at`.
macro_rules! bind_email {
    ($query:expr, $email:expr) => {
        $query
            .bind($email.id)
            .bind($email.kind().as_str())
            .bind($email.recipient())
            .bind($email.mailbox())
            .bind($email.user_uid())
            .bind($email.auth_version())
            .bind(sqlx::types::Json($email.context()))
            .bind($email.request_id())
            .bind($email.traceparent())
            .bind($email.created_at())
            .bind($email.deadline_at())
    };
}

/// Inserts an email in a transaction of either database.
macro_rules! insert_email {
    ($tx:expr, $email:expr) => {{
        let email: &$crate::db::emails::insert::NewEmail = $email;
        let query = sqlx::query($crate::db::emails::insert::INSERT_EMAIL);
        $crate::db::emails::insert::bind_email!(query, email).execute(&mut *$tx).await?;
        // It is counted even if the commit fails afterwards, which is rare.
        email.count();
    }};
}
pub(crate) use {bind_email, insert_email};

impl NewEmail {
    /// Counts the email in the metrics.
    pub(in crate::db) fn count(&self) {
        EMAILS_QUEUED.add(1, [self.kind.as_str().into()]);
    }
    /// The kind.
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
    pub(in crate::db) fn auth_version(&self) -> Option<i64> {
        self.auth_version
    }
    pub(in crate::db) fn context(&self) -> &EmailContext {
        &self.context
    }
    pub(in crate::db) fn request_id(&self) -> Option<&str> {
        self.origin.request_id.as_deref()
    }
    /// Written from the parsed value, not copied from the client's header.
    pub(in crate::db) fn traceparent(&self) -> Option<String> {
        self.origin.trace.map(|trace| trace.to_string())
    }
    pub(in crate::db) fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }
    pub(in crate::db) fn deadline_at(&self) -> DateTime<Utc> {
        self.created_at + deadline_of(self.kind)
    }
}

impl Db {
    /// Inserts emails without an actor, such as those of a command: all of them or none.
    pub async fn insert_emails(&self, emails: &[NewEmail]) -> DbResult<()> {
        in_transaction!(self, tx => {
            for email in emails {
                insert_email!(tx, email);
            }
        })
    }
}

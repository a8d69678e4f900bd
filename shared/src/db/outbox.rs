//! The table `emails` as the API sees it: a row written beside the change that wants the mail.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Db, DbResult, in_transaction};
use crate::domain::{EmailAddress, MailKind};

/// What a template needs beside the account. Plain facts: no token, no link, no password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailContext {
    /// `email_change_requested`: the address that was asked for, masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub masked_address: Option<String>,
}

/// A mail to be queued.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The row's id, known before the commit so that the bell can be rung after it.
    pub id: Uuid,
    kind: MailKind,
    recipient: String,
    mailbox: String,
    user_uid: Option<Uuid>,
    context: MailContext,
    request_id: Option<String>,
    now: DateTime<Utc>,
}

impl NewMail {
    /// A mail of this kind to this address, accepted `now`.
    pub fn new(kind: MailKind, to: &EmailAddress, now: DateTime<Utc>) -> NewMail {
        NewMail {
            id: Uuid::now_v7(),
            kind,
            recipient: to.as_str().to_owned(),
            mailbox: to.canonical().to_owned(),
            user_uid: None,
            context: MailContext::default(),
            request_id: None,
            now,
        }
    }

    /// Names the account that the mail is about.
    pub fn about(mut self, user_uid: Uuid) -> NewMail {
        self.user_uid = Some(user_uid);
        self
    }

    /// Adds what the template needs.
    pub fn with(mut self, context: MailContext) -> NewMail {
        self.context = context;
        self
    }

    /// Names the request, so that the mail can be followed from its log lines to the worker's.
    pub fn asked_by(mut self, request_id: Option<String>) -> NewMail {
        self.request_id = request_id;
        self
    }
}

/// How long a mail may be tried before it is given up, visibly. A reset link is of no use after an hour.
pub fn deadline_of(kind: MailKind) -> TimeDelta {
    match kind {
        MailKind::ResetPassword => TimeDelta::hours(1),
        _ => TimeDelta::hours(24),
    }
}

/// `rung_at` is set at once: whoever commits this row rings for it, and the relay only if that came to nothing.
pub(super) const QUEUE: &str =
    "INSERT INTO emails (id, kind, recipient, mailbox, user_uid, context, request_id, state, due_at, deadline_at,
                         rung_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', $8, $9, $8, $8)";

/// Queues a mail in a transaction of either database.
macro_rules! queue_mail {
    ($tx:expr, $mail:expr) => {{
        let mail: &$crate::db::outbox::NewMail = $mail;
        let (now, deadline) = mail.times();
        sqlx::query($crate::db::outbox::QUEUE)
            .bind(mail.id)
            .bind(mail.kind().as_str())
            .bind(mail.recipient())
            .bind(mail.mailbox())
            .bind(mail.user_uid())
            .bind(sqlx::types::Json(mail.context()))
            .bind(mail.request_id())
            .bind(now)
            .bind(deadline)
            .execute(&mut *$tx)
            .await?
    }};
}
pub(crate) use queue_mail;

impl NewMail {
    pub(super) fn times(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.now, self.now + deadline_of(self.kind))
    }
    pub(super) fn kind(&self) -> MailKind {
        self.kind
    }
    pub(super) fn recipient(&self) -> &str {
        &self.recipient
    }
    pub(super) fn mailbox(&self) -> &str {
        &self.mailbox
    }
    pub(super) fn user_uid(&self) -> Option<Uuid> {
        self.user_uid
    }
    pub(super) fn context(&self) -> &MailContext {
        &self.context
    }
    pub(super) fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl Db {
    /// Queues mails that go with no other change: reset and resend requests, the admin's welcome. All or none.
    pub async fn queue_mails(&self, mails: &[NewMail]) -> DbResult<()> {
        in_transaction!(self, tx => {
            for mail in mails {
                queue_mail!(tx, mail);
            }
        })
    }
}

//! Every page with sample values, for the check at the start and for previews.

use std::sync::LazyLock;

use bookly_shared::db::emails::attempts::AttemptRow;
use bookly_shared::db::emails::list::EmailRow;
use bookly_shared::db::emails::stats::Flow;
use bookly_shared::db::mail_servers::Circuits;
use bookly_shared::db::suppressions::Suppression;
use chrono::{DateTime, TimeDelta, Utc};
use strum::VariantArray;
use uuid::Uuid;

use super::admin::{
    Board, EmailHistory, EmailLine, EmailSearch, ServerLine, SuppressionLine, SuppressionSearch,
};
use super::page::{AccountSummary, InboxEntry, Page, RequestForm};
use super::plot::Plot;
use super::problem::Problem;

const BASE_URL: &str = "http://127.0.0.1:8000";
const TEXT: &str = "Hello Zoë,\n\nWelcome.\n";

const EMAILS: &[InboxEntry<'static>] = &[
    InboxEntry {
        id: "0193bd5a-7e5c-7d1b-bcc4-4a9e2f37b6d1",
        to: "zoe@example.org",
        subject: "Verify your email",
        time: DateTime::from_timestamp_nanos(1_795_446_240_000_000_000),
    },
    InboxEntry {
        id: "0193bd5a-7e5c-7d1b-bcc4-4a9e2f37b6d0",
        to: "a.very.long.address.of.somebody@department.university.example",
        subject: "Your email address is about to change",
        time: DateTime::from_timestamp_nanos(1_795_442_640_000_000_000),
    },
];

pub(super) const ACCOUNT: AccountSummary<'static> = AccountSummary {
    email: "zoe@example.org",
    first_name: Some("Zoë"),
    last_name: Some("Smith"),
    username: Some("zoe"),
    created_at: DateTime::from_timestamp_nanos(1_795_446_240_000_000_000),
};
const NAMELESS: AccountSummary<'static> =
    AccountSummary { first_name: None, last_name: None, username: None, ..ACCOUNT };

impl Page<'static> {
    /// Every page, with each branch of its template at least once.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        [forms(), answers(), inbox(), admin()].concat()
    }
}

const fn verify(account: AccountSummary<'static>, by_code: bool) -> Page<'static> {
    let (confirm, not_me) = ("/api/v1/auth/verify/eyJlbWFpbCI6", "/api/v1/auth/not-me/eyJlbWFpbCI6");
    Page::Verify { account, confirm, not_me, by_code }
}

fn forms() -> Vec<Page<'static>> {
    let (form, other) = (RequestForm::PasswordReset, RequestForm::Verification);
    vec![
        verify(ACCOUNT, false),
        verify(ACCOUNT, true),
        verify(NAMELESS, false),
        Page::NotMe { account: ACCOUNT },
        Page::EmailChangeUndo { email: "zoe@example.org" },
        Page::Unsubscribe { email: "zoe@example.org" },
        Page::EmailChangeConfirm { account: AccountSummary { email: "z•••@example.org", ..ACCOUNT } },
        Page::RequestLink { form, email: None, problem: None },
        Page::RequestLink {
            form: other,
            email: Some("zoe@example"),
            problem: Some(Problem::AddressMalformed),
        },
        Page::EnterCode { form: other, email: None, problems: &[] },
        Page::EnterCode { form: other, email: Some("zoe@example.org"), problems: &[Problem::CodeWrong] },
        Page::EnterCode { form, email: None, problems: &[] },
        Page::EnterCode {
            form,
            email: Some("zoe@example.org"),
            problems: &[Problem::CodeWrong, Problem::PasswordsDiffer],
        },
        Page::ResetForm { email: Some("zoe@example.org"), problems: &[] },
        Page::ResetForm { email: None, problems: &[Problem::PasswordsDiffer] },
        Page::ResetForm { email: None, problems: Problem::VARIANTS },
    ]
}

fn answers() -> Vec<Page<'static>> {
    vec![
        Page::Verified {},
        Page::LinkExpired { form: Some(RequestForm::Verification) },
        Page::LinkExpired { form: None },
        Page::LinkInvalid {},
        Page::LinkRequested { form: RequestForm::PasswordReset, email: "zoe@example.org" },
        Page::LinkRequested { form: RequestForm::Verification, email: "zoe@example.org" },
        Page::ResetDone {},
        Page::EmailChanged {},
        Page::EmailChangeUndoExpired {},
        Page::EmailChangeUndone {},
        Page::NotMeDone {},
        Page::Unsubscribed {},
        Page::Error {
            status: 503,
            code: "unavailable",
            message: "The service is not available, please try again",
            resolution: None,
        },
        Page::Error {
            status: 409,
            code: "already_verified",
            message: "The account is already verified",
            resolution: None,
        },
        Page::Error {
            status: 404,
            code: "no_text_for_this",
            message: "What the API says",
            resolution: Some("What it advises"),
        },
    ]
}

fn inbox() -> Vec<Page<'static>> {
    let start = |inbox: bool, docs: bool| Page::Start {
        version: "0.1.0",
        base_url: BASE_URL,
        database: "SQLite",
        queue: docs.then_some("Redis"),
        mail: docs.then_some("SMTP"),
        inbox,
        docs,
    };
    vec![
        start(true, true),
        start(false, false),
        Page::Home { docs: true },
        Page::Home { docs: false },
        Page::Inbox { emails: EMAILS, base_url: BASE_URL },
        Page::Inbox { emails: &[], base_url: BASE_URL },
        Page::InboxEmail {
            id: EMAILS[0].id,
            subject: EMAILS[0].subject,
            sender: "noreply@books.example.org",
            to: EMAILS[0].to,
            time: EMAILS[0].time,
            text: TEXT,
        },
    ]
}

const NOON: DateTime<Utc> = DateTime::from_timestamp_nanos(1_795_435_200_000_000_000);

fn row(state: &str) -> EmailRow {
    EmailRow {
        id: Uuid::from_u128(0x0193_bd5a_7e5c_7d1b_bcc4_4a9e_2f37_b6d1),
        kind: "verify_email".into(),
        recipient: "a.very.long.address.of.somebody@department.university.example".into(),
        state: state.into(),
        attempts: 2,
        lost_leases: 1,
        lost_answers: 0,
        bound_to: None,
        due_at: NOON,
        deadline_at: NOON + TimeDelta::days(1),
        worker: Some("mail-1".into()),
        last_error: Some("RCPT TO: 550 5.1.1 no such user".into()),
        reply: None,
        request_id: Some("b4a4b4c2-7f0e-4a0e-8c52-0a9a4d0a4a11".into()),
        traceparent: None,
        created_at: NOON,
        closed_at: Some(NOON),
    }
}

fn attempt(fencing_token: i64, outcome: &str, smtp_code: Option<i32>) -> AttemptRow {
    AttemptRow {
        fencing_token,
        worker: "mail-1".into(),
        outcome: outcome.into(),
        smtp_code,
        reply: smtp_code.map(|code| format!("RCPT TO: {code} 5.1.1 no such user")),
        server: None,
        started_at: NOON + TimeDelta::seconds(fencing_token * 5),
        duration_ms: smtp_code.map(|_| 31),
    }
}

fn servers() -> Vec<ServerLine> {
    let line = |server: &str, address: &str, circuit: &str, workers| Circuits {
        server: server.into(),
        address: address.into(),
        circuit: circuit.into(),
        since: NOON,
        workers,
    };
    [
        line("first", "smtp.a-very-long-name-of-a-provider.example:587", "half_open", 3),
        line("fallback", "smtp.example.org:587", "closed", 4),
    ]
    .iter()
    .map(ServerLine::from)
    .collect()
}

fn suppressions() -> Vec<SuppressionLine> {
    let entry = |mailbox: &str, reason: &str, source: &str, until| Suppression {
        mailbox: mailbox.into(),
        reason: reason.into(),
        source: source.into(),
        created_at: NOON,
        until,
    };
    let long = "a.very.long.address.of.somebody@department.university.example";
    [
        entry(long, "bounce", "postmark", Some(NOON + TimeDelta::days(30))),
        entry("zoe@example.org", "operator", "administrator", None),
    ]
    .iter()
    .map(SuppressionLine::from)
    .collect()
}

static SUPPRESSED: LazyLock<SuppressionSearch> = LazyLock::new(|| SuppressionSearch {
    entries: suppressions(),
    next: Some("offset=50".into()),
    ..SuppressionSearch::default()
});
static NONE_SUPPRESSED: LazyLock<SuppressionSearch> = LazyLock::new(|| SuppressionSearch {
    mailbox: "zoe@example.org".into(),
    error: Some("The address must have an @".into()),
    ..SuppressionSearch::default()
});

static BOARD: LazyLock<Board> = LazyLock::new(|| {
    let minute = |minute: i64| {
        let flow = Flow {
            sent: minute % 7,
            failed: minute % 3,
            cancelled: minute % 2,
            bounced: minute % 4,
            retried: minute % 5,
        };
        (NOON + TimeDelta::minutes(minute), flow)
    };
    Board {
        operator: "ann@example.org".into(),
        queued: 12_000,
        sending: 8,
        oldest: Some("3 min".into()),
        failed: 2,
        plot: Plot::of(&(0..60).map(minute).collect::<Vec<_>>()),
        waiting: vec![EmailLine::from(&row("queued"))],
        failures: vec![EmailLine::from(&row("failed"))],
        servers: servers(),
        suppressions: suppressions(),
        more_suppressions: true,
    }
});
static QUIET: LazyLock<Board> =
    LazyLock::new(|| Board { operator: "ann@example.org".into(), ..Board::default() });
static FOUND: LazyLock<EmailSearch> = LazyLock::new(|| EmailSearch {
    to: "zoe@example.org".into(),
    state: "failed".into(),
    states: vec!["queued", "failed"],
    emails: vec![EmailLine::from(&row("failed"))],
    next: Some("before=1".into()),
    error: None,
});
static NOT_FOUND: LazyLock<EmailSearch> = LazyLock::new(|| EmailSearch {
    error: Some("The address must have an @".into()),
    ..EmailSearch::default()
});
static FAILED: LazyLock<EmailHistory> = LazyLock::new(|| {
    let attempts = [attempt(1, "worker_lost", None), attempt(2, "failed", Some(550))];
    EmailHistory::new(&row("failed"), &attempts, &[])
});
static WAITING: LazyLock<EmailHistory> =
    LazyLock::new(|| EmailHistory::new(&row("queued"), &[attempt(1, "retried", Some(450))], &[]));

fn admin() -> Vec<Page<'static>> {
    vec![
        Page::AdminLogin { email: None, error: None },
        Page::AdminLogin { email: Some("ann@example.org"), error: Some("Invalid Email Or Password") },
        Page::AdminBoard(&BOARD),
        Page::AdminBoard(&QUIET),
        Page::AdminEmails(&FOUND),
        Page::AdminEmails(&NOT_FOUND),
        Page::AdminEmail(&FAILED),
        Page::AdminEmail(&WAITING),
        Page::AdminSuppressions(&SUPPRESSED),
        Page::AdminSuppressions(&NONE_SUPPRESSED),
    ]
}

//! Every page with values as they may come, for trial renderings and previews.

use chrono::DateTime;

use super::{InboxEntry, Page, RequestForm};

const BASE_URL: &str = "http://127.0.0.1:8000";
const TEXT: &str = "Hello Zoë,\n\nWelcome to Bookly.\n";

const MAILS: &[InboxEntry<'static>] = &[
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

impl Page<'static> {
    /// Every kind of page, each of its branches at least once.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        [forms(), answers(), inbox()].concat()
    }
}

fn forms() -> Vec<Page<'static>> {
    let (form, other) = (RequestForm::PasswordReset, RequestForm::Verification);
    vec![
        Page::Verify {},
        Page::EmailChangeConfirm {},
        Page::RequestLink { form, email: None, error: None },
        Page::RequestLink {
            form: other,
            email: Some("zoe@example"),
            error: Some("This is not an email address."),
        },
        Page::ResetForm { email: Some("zoe@example.org"), errors: &[] },
        Page::ResetForm { email: None, errors: &["The passwords do not match."] },
        Page::ResetForm {
            email: None,
            errors: &["The passwords do not match.", "The password is too short: it takes 8 characters."],
        },
    ]
}

fn answers() -> Vec<Page<'static>> {
    vec![
        Page::Verified {},
        Page::LinkExpired { form: Some(RequestForm::Verification) },
        Page::LinkExpired { form: None },
        Page::LinkInvalid {},
        Page::LinkRequested { message: "Please check your email for instructions to reset your password" },
        Page::ResetDone {},
        Page::EmailChanged {},
        Page::Message { status: 200, message: "Done", resolution: None },
        Page::Message {
            status: 503,
            message: "The service is not available, please try again",
            resolution: Some("Please wait a moment"),
        },
    ]
}

fn inbox() -> Vec<Page<'static>> {
    let start = |inbox, docs| Page::Start {
        version: "0.1.0",
        base_url: BASE_URL,
        database: "SQLite in data/bookly.sqlite",
        queue: "in this process",
        mail: "files in data/mail",
        inbox,
        docs,
    };
    vec![
        start(true, true),
        start(false, false),
        Page::Inbox { mails: MAILS, base_url: BASE_URL },
        Page::Inbox { mails: &[], base_url: BASE_URL },
        Page::InboxMail {
            id: MAILS[0].id,
            subject: MAILS[0].subject,
            sender: "Bookly <noreply@books.example.org>",
            to: MAILS[0].to,
            time: MAILS[0].time,
            text: TEXT,
        },
    ]
}

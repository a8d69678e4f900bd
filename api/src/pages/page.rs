//! The values of each page.

use bookly_shared::db::users::User;
use bookly_shared::domain::greeting_name;
use bookly_shared::locale::Locale;
use bookly_shared::templates::date_and_time;
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use strum::IntoStaticStr;

use super::admin::{Board, EmailHistory, EmailSearch, SuppressionSearch};
use super::problem::Problem;

/// The language of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Language {
    /// The language.
    pub locale: Locale,
    /// Whether `?lang` named it: then the links and forms of the page keep it.
    pub by_query: bool,
    /// Whether it depends on `Accept-Language`.
    pub by_header: bool,
}

impl Language {
    /// English, for the pages of operators and developers.
    pub const ENGLISH: Language = Language { locale: Locale::En, by_query: false, by_header: false };
}

/// A page and its values.
#[derive(Clone, Copy, Debug, Serialize, IntoStaticStr)]
#[strum(serialize_all = "snake_case", prefix = "page/", suffix = ".html")]
#[serde(untagged)]
#[expect(missing_docs, reason = "the comment of a page explains its fields")]
pub enum Page<'a> {
    /// `/`: what runs; no `queue` is one in this process, no `mail` is files. `base_url` has no slash at its end; `inbox` and `docs` say whether these exist.
    Start {
        version: &'a str,
        base_url: &'a str,
        database: &'a str,
        queue: Option<&'a str>,
        mail: Option<&'a str>,
        inbox: bool,
        docs: bool,
    },
    /// `/` where others than this machine's users come: the product's name.
    Home { docs: bool },
    /// A button that verifies, by posting to `confirm`. `not_me` is the page for the owner of the address who did not
    /// sign up. `by_code` says whether a typed code led here, and not a link.
    Verify { account: AccountSummary<'a>, confirm: &'a str, not_me: &'a str, by_code: bool },
    /// A button that deletes the account of another person who signed up with this address.
    NotMe { account: AccountSummary<'a> },
    /// That account is deleted.
    NotMeDone {},
    /// The account is verified.
    Verified {},
    /// The link is too old. `form` asks for a new one; none where a new one needs a login.
    LinkExpired { form: Option<RequestForm> },
    /// The link was used, or is invalid.
    LinkInvalid {},
    /// Asks for an address to send a link to. `email` fills the field in, after a `problem`.
    RequestLink { form: RequestForm, email: Option<&'a str>, problem: Option<Problem> },
    /// The answer to that form, with a form for the code in the email.
    LinkRequested { form: RequestForm, email: &'a str },
    /// Asks for the code of an email, and for a new password where `form` is of a reset. `email` fills the field in.
    EnterCode { form: RequestForm, email: Option<&'a str>, problems: &'a [Problem] },
    /// Asks for a new password. `email` is for password managers.
    ResetForm { email: Option<&'a str>, problems: &'a [Problem] },
    /// The new password is saved.
    ResetDone {},
    /// A button that confirms a new address, by posting to the same address. `account` has its present address masked: the
    /// reader of the new mailbox may be another person.
    EmailChangeConfirm { account: AccountSummary<'a> },
    /// The new address is the account's.
    EmailChanged {},
    /// A button that restores `email`, the address before a change.
    EmailChangeUndo { email: &'a str },
    /// The link is too old to undo the change.
    EmailChangeUndoExpired {},
    /// The old address is restored.
    EmailChangeUndone {},
    /// A button that ends the `welcome` emails to this address, by posting to the same address.
    Unsubscribe { email: &'a str },
    /// They have ended.
    Unsubscribed {},
    /// Any other error. `code` names its texts; `message` and `resolution` are the API's, for a code without texts.
    Error { status: u16, code: &'a str, message: &'a str, resolution: Option<&'a str> },
    /// The emails, newest first.
    Inbox { emails: &'a [InboxEntry<'a>], base_url: &'a str },
    /// One email. Its HTML is in a frame with `/inbox/{id}/html`.
    InboxEmail {
        id: &'a str,
        subject: &'a str,
        sender: &'a str,
        to: &'a str,
        #[serde(serialize_with = "ser_moment")]
        time: DateTime<Utc>,
        text: &'a str,
    },
    /// The login of the operator's pages. `email` fills the field in, after an `error`.
    AdminLogin { email: Option<&'a str>, error: Option<&'a str> },
    /// The flow of emails.
    AdminBoard(&'a Board),
    /// A search for emails.
    AdminEmails(&'a EmailSearch),
    /// What happened to one email.
    AdminEmail(&'a EmailHistory),
    /// The mailboxes that get no email.
    AdminSuppressions(&'a SuppressionSearch),
}

/// An email in the inbox's list.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct InboxEntry<'a> {
    /// Its id in `/inbox/{id}`.
    pub id: &'a str,
    /// Its recipient.
    pub to: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// When it was written.
    #[serde(serialize_with = "ser_moment")]
    pub time: DateTime<Utc>,
}

/// What a page says about the account of a link. Names that could carry a message are left out.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AccountSummary<'a> {
    /// The address.
    pub email: &'a str,
    /// First name.
    pub first_name: Option<&'a str>,
    /// Last name.
    pub last_name: Option<&'a str>,
    /// The chosen name.
    pub username: Option<&'a str>,
    /// When the account was made; templates get seconds since 1970.
    #[serde(serialize_with = "chrono::serde::ts_seconds::serialize")]
    pub created_at: DateTime<Utc>,
}

impl<'a> AccountSummary<'a> {
    /// The summary of an account.
    pub fn of(user: &'a User) -> AccountSummary<'a> {
        AccountSummary {
            email: &user.email,
            first_name: greeting_name(&user.first_name),
            last_name: greeting_name(&user.last_name),
            username: greeting_name(&user.username),
            created_at: user.created_at,
        }
    }
}

/// A form that asks for a link by email.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestForm {
    /// For an account that is not verified yet.
    Verification,
    /// For a forgotten password.
    PasswordReset,
}

impl RequestForm {
    /// The path of the form, and where it posts to.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Verification => "/api/v1/auth/resend-verification",
            Self::PasswordReset => "/api/v1/auth/password-reset-request",
        }
    }

    /// The path of the form for the code in the email, and where that posts to.
    #[must_use]
    pub fn code_path(self) -> &'static str {
        match self {
            Self::Verification => "/api/v1/auth/verify",
            Self::PasswordReset => "/api/v1/auth/password-reset-confirm",
        }
    }
}

/// In templates a form is the address it posts to.
impl Serialize for RequestForm {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.path())
    }
}

impl Page<'_> {
    /// The name of the page's template.
    pub(super) fn template(&self) -> &'static str {
        self.into()
    }
}

fn ser_moment<S: Serializer>(time: &DateTime<Utc>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&date_and_time(*time))
}

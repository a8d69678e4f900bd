//! The codes beside the links of emails: reads a submitted code, finds its email, and shows the pages that ask for one.

use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::code_tries::{CandidateEmail, Subject};
use bookly_shared::db::users::User;
use bookly_shared::domain::{EmailAddress, EmailKind};
use bookly_shared::links::{CodeClaims, LinkCode, Purpose, bound_version};

use super::request_link;
use super::response_format::ResponseFormat;
use crate::error::{ApiError, ApiResult};
use crate::pages::{Page, Problem, RequestForm};
use crate::state::AppState;

/// The event of a code that is wrong, used or expired, or one too many.
const REFUSED: &str = "code_refused";
/// The event of the wrong code after which an address, or an account, has no try left for an hour.
const NONE_LEFT: &str = "code_limit_reached";

/// The emails with a code that is submitted with an address.
#[derive(Clone, Copy)]
pub(super) enum CodeEmail {
    /// Verifies the account.
    Verification,
    /// Sets a new password.
    Reset,
}

impl CodeEmail {
    fn kind_and_purpose(self) -> (EmailKind, Purpose) {
        match self {
            CodeEmail::Verification => (EmailKind::VerifyEmail, Purpose::EmailVerification),
            CodeEmail::Reset => (EmailKind::ResetPassword, Purpose::PasswordReset),
        }
    }
}

/// The account of an address, if the code is that of such an email to it.
///
/// # Errors
/// [`ApiError::CodeInvalid`], after the same time for known and unknown addresses.
pub(super) async fn open(
    state: &AppState,
    of: CodeEmail,
    address: &EmailAddress,
    code: &LinkCode,
) -> ApiResult<User> {
    let (kind, purpose) = of.kind_and_purpose();
    let lifetime = request_link::lifetime(state, kind);
    let find = |user: Option<&User>, emails: &[CandidateEmail]| find(state, purpose, code, user, emails);
    let _turn = state.code_locks.lock(address.canonical()).await;
    let tried = state.db.try_code(Subject::Address(address, kind), lifetime, state.now(), find).await?;
    tried.found.map(|(user, _)| user).ok_or_else(|| {
        audit::throttled(address.as_str(), REFUSED);
        if tried.was_last {
            audit::throttled(address.as_str(), NONE_LEFT);
        }
        ApiError::CodeInvalid
    })
}

/// The new address of an account, if the code is that of an email to it.
///
/// # Errors
/// [`ApiError::CodeInvalid`].
pub(super) async fn open_new_address(
    state: &AppState,
    user: &User,
    code: &LinkCode,
) -> ApiResult<EmailAddress> {
    let lifetime = request_link::lifetime(state, EmailKind::ChangeEmail);
    let find = |_: Option<&User>, emails: &[CandidateEmail]| {
        find(state, Purpose::EmailChange, code, Some(user), emails)
    };
    let _turn = state.code_locks.lock(&user.email_canonical).await;
    let tried = state.db.try_code(Subject::Account(user), lifetime, state.now(), find).await?;
    match tried.found {
        Some((_, email)) => EmailAddress::parse(&email.recipient).map_err(ApiError::server),
        None => {
            audit::refused(user, REFUSED);
            if tried.was_last {
                audit::refused(user, NONE_LEFT);
            }
            Err(ApiError::CodeInvalid)
        }
    }
}

/// The place of the email that has the code. Without an account the code is compared with invalid values, so that it
/// takes the same time.
fn find(
    state: &AppState,
    purpose: Purpose,
    code: &LinkCode,
    user: Option<&User>,
    emails: &[CandidateEmail],
) -> Option<usize> {
    let claims = |user: &User| -> Vec<CodeClaims> {
        let claims = |email: &CandidateEmail| {
            let version = bound_version(purpose, email.auth_version, user.auth_version);
            CodeClaims { email_id: email.id, uid: user.uid, version }
        };
        emails.iter().map(claims).collect()
    };
    let candidates = user.map(claims).unwrap_or_default();
    let place = state.links.find_code(purpose, code, &candidates)?;
    // A code that works once is used up when the account has another version.
    let works_once = purpose != Purpose::EmailVerification;
    let used_up = works_once && candidates[place].version != user.map(|user| user.auth_version);
    (!used_up).then_some(place)
}

/// The page that asks for a code.
pub(super) fn form(state: &AppState, format: ResponseFormat, form: RequestForm) -> Response {
    format.page(state, StatusCode::OK, &Page::EnterCode { form, email: None, problems: &[] })
}

/// An error's answer. A form that can be filled in again is shown again, with the address and all errors.
pub(super) fn failure(
    state: &AppState,
    format: ResponseFormat,
    form: RequestForm,
    email: Option<&EmailAddress>,
    error: ApiError,
) -> Response {
    let Some(problems) = Problem::all_of(&error).filter(|_| format.is_html) else {
        return format.failure(state, error, Some(form));
    };
    let shown = Page::EnterCode { form, email: email.map(EmailAddress::as_str), problems: &problems };
    format.error_page(state, error, &shown)
}

//! `/verify/{token}`: verifies an account. Mail scanners follow links and people press buttons, so a browser gets a
//! page with a button, which posts.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bookly_shared::audit;
use bookly_shared::db::users::{Change, User};
use bookly_shared::domain::EmailAddress;
use bookly_shared::links::Purpose;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::link::{self, PathToken};
use super::response_format::{ResponseFormat, SameOriginForm};
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::openapi::errors;
use crate::pages::{AccountSummary, Page, RequestForm};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, head, verify))
}

pub(super) const DONE: &str = "Account verified successfully";

errors!(html OpenVerificationErrors: link(), [ApiError::PostOnly], limited(), always());

/// A browser gets the page. A program's GET verifies only where `VERIFY_ON_GET` is on, as in the original.
#[utoipa::path(
    get, path = "/verify/{token}", tag = "Links", operation_id = "open_verification",
    summary = "Prove an address by a link",
    description = "The link in the email opens it. A browser gets a page with a button, which posts. Other clients \
        verify at once, or get 405 where `VERIFY_ON_GET` is off.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The account is verified, or the page with the button",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        OpenVerificationErrors
    )
)]
async fn open(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    if format.is_html {
        show_page(&state, format, &token).await
    } else if state.settings.verify_on_get {
        respond(&state, format, &token).await
    } else {
        ([(header::ALLOW, "POST")], ApiError::PostOnly).into_response()
    }
}

errors!(html HeadVerificationErrors: link(), limited(), always());

/// Scanners and link previews send `HEAD`, so it never verifies.
#[utoipa::path(
    head, path = "/verify/{token}", tag = "Links", operation_id = "look_at_verification",
    summary = "Check whether a link is valid", description = "It never verifies.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The link is valid", body = String, content_type = "text/html"), HeadVerificationErrors)
)]
async fn head(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    show_page(&state, format, &token).await
}

errors!(html VerifyErrors: link(), [ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/verify/{token}", tag = "Links", operation_id = "verify",
    summary = "Prove an address by a link's button",
    description = "It may be repeated until the link expires. A form must come from a page of this service and is \
        answered with a page.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The account is verified",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        VerifyErrors
    )
)]
async fn verify(
    State(state): State<AppState>,
    format: ResponseFormat,
    _: SameOriginForm,
    token: PathToken,
) -> Response {
    respond(&state, format, &token).await
}

async fn show_page(state: &AppState, format: ResponseFormat, token: &PathToken) -> Response {
    match link::open(state, Purpose::EmailVerification, token).await {
        Ok(link) => confirmation_page(state, format, &link.user, token, Proof::Link),
        Err(error) => format.failure_page(state, error, Some(RequestForm::Verification)),
    }
}

/// What a person opened the page with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The link of the email.
    Link,
    /// Its code, typed on a page before.
    Code,
}

/// The page that names the account, since another person may have made it. Its button verifies, by the token.
pub(super) fn confirmation_page(
    state: &AppState,
    format: ResponseFormat,
    user: &User,
    token: &PathToken,
    by: Proof,
) -> Response {
    let confirm = token.path_under("/api/v1/auth/verify");
    let not_me = token.path_under("/api/v1/auth/not-me");
    let (account, by_code) = (AccountSummary::of(user), by == Proof::Code);
    let page = Page::Verify { account, confirm: &confirm, not_me: &not_me, by_code };
    format.of_account(user).page(state, StatusCode::OK, &page)
}

async fn respond(state: &AppState, format: ResponseFormat, token: &PathToken) -> Response {
    match verify_by_link(state, token).await {
        Ok(user) => format.of_account(&user).success(state, DONE, &Page::Verified {}),
        Err(error) => format.failure(state, error, Some(RequestForm::Verification)),
    }
}

async fn verify_by_link(state: &AppState, token: &PathToken) -> ApiResult<User> {
    let link = link::open(state, Purpose::EmailVerification, token).await?;
    match verify_account(state, &link.user, &link.email).await? {
        Change::Made(()) => Ok(link.user),
        // The account has another address now, and the link proves the old one.
        Change::Stale | Change::AddressTaken => Err(ApiError::LinkInvalid),
    }
}

/// Verifies an account whose address was proven. It may be repeated.
pub(super) async fn verify_account(state: &AppState, user: &User, email: &EmailAddress) -> ApiResult<Change> {
    let change = state.db.verify_account(user.uid, email, state.now()).await?;
    if let Change::Made(()) = change {
        audit::account(user, "account_verified");
    }
    Ok(change)
}

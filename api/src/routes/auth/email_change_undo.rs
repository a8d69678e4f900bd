//! `/email-change-undo/{token}`: restores the address that an account had before a change.
//!
//! The link goes to the old address when a change is done. A thief of the account changes its password, so the link is
//! bound to the stored change and not to `auth_version`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::emails::insert::RequestOrigin;
use bookly_shared::db::users::{Change, User};
use bookly_shared::domain::Password;
use bookly_shared::links::Purpose;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::link::{self, PathToken};
use super::response_format::{ResponseFormat, SameOriginForm};
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::CurrentRequest;
use crate::openapi::errors;
use crate::pages::Page;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, undo))
}

const DONE: &str = "Email change undone";

errors!(html OpenUndoErrors: link(), limited(), always());

#[utoipa::path(
    get, path = "/email-change-undo/{token}", tag = "Links", operation_id = "open_email_change_undo",
    summary = "The page that undoes an email change",
    description = "The link in the email opens it. It changes nothing.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OpenUndoErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    match open_change(&state, &token).await {
        Ok(change) => {
            let page = Page::EmailChangeUndo { email: &change.old_email };
            format.of_account(&change.user).page(&state, StatusCode::OK, &page)
        }
        Err(error) => failure(&state, format, error),
    }
}

errors!(html UndoErrors:
    link(), [ApiError::UserExists, ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/email-change-undo/{token}", tag = "Links", operation_id = "undo_email_change",
    summary = "Undo an email change by a link",
    description = "Works once, for 72 hours from the change. Restores the old address, ends all sessions and later undo \
        links, and sends a link to a new password: the current one is no longer accepted. The address that the account \
        had until then is told. A form must come from a page \
        of this service and is answered with a page.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The old address is restored",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        UndoErrors
    )
)]
async fn undo(
    State(state): State<AppState>,
    format: ResponseFormat,
    CurrentRequest(origin): CurrentRequest,
    _: SameOriginForm,
    token: PathToken,
) -> Response {
    match restore_email(&state, &token, origin).await {
        Ok(user) => format.of_account(&user).success(&state, DONE, &Page::EmailChangeUndone {}),
        Err(error) => failure(&state, format, error),
    }
}

/// An error's answer. Nothing makes a new link, so the page of an expired one offers none.
fn failure(state: &AppState, format: ResponseFormat, error: ApiError) -> Response {
    match error {
        ApiError::LinkExpired if format.is_html => {
            format.error_page(state, error, &Page::EmailChangeUndoExpired {})
        }
        _ => format.failure(state, error, None),
    }
}

/// A change that can still be undone.
struct UndoableChange {
    id: Uuid,
    user: User,
    old_email: String,
}

async fn open_change(state: &AppState, token: &PathToken) -> ApiResult<UndoableChange> {
    let link = link::open(state, Purpose::EmailChangeUndo, token).await?;
    let id = link.change.ok_or(ApiError::LinkInvalid)?;
    let change = state.db.email_change(id, link.user.uid, state.now()).await?;
    let old_email = change.ok_or(ApiError::LinkInvalid)?.old_email;
    Ok(UndoableChange { id, user: link.user, old_email })
}

async fn restore_email(state: &AppState, token: &PathToken, origin: RequestOrigin) -> ApiResult<User> {
    let change = open_change(state, token).await?;
    // The password may be the thief's. Nobody knows this one, so only a reset opens the account.
    let hash = state.hasher.hash(Password::random()).await?;
    match state.db.undo_email_change(change.id, change.user.uid, &hash, origin, state.now()).await? {
        Change::Made(emails) => {
            emails.into_iter().for_each(|id| state.jobs.enqueue(id));
            audit::account_of(change.user.uid, &change.old_email, "email_change_undone");
            Ok(change.user)
        }
        // Another request used the link in the meantime.
        Change::Stale => Err(ApiError::LinkInvalid),
        Change::AddressTaken => Err(ApiError::UserExists),
    }
}

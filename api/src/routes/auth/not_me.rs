//! `/not-me/{token}`: the owner of an address deletes the account that another person made with it.
//!
//! The verification email brings the link, so this endpoint accepts the token of the verification link.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::accounts::UnverifiedDeletion;
use bookly_shared::db::users::User;
use bookly_shared::domain::CreatedVia;
use bookly_shared::links::Purpose;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::link::{self, OpenedLink, PathToken};
use super::response_format::{ResponseFormat, SameOriginForm};
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::openapi::errors;
use crate::pages::{AccountSummary, Page, RequestForm};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, delete))
}

const DONE: &str = "The account was deleted";

errors!(html OpenNotMeErrors: link(), [ApiError::AlreadyVerified], limited(), always());

#[utoipa::path(
    get, path = "/not-me/{token}", tag = "Links", operation_id = "open_not_me",
    summary = "The page that deletes an account that another person made",
    description = "The page of the verification link leads here. It changes nothing.",
    params(("token" = String, Path, description = "The last segment of the verification link", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OpenNotMeErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    match open_link(&state, &token).await {
        Ok(link) => {
            let page = Page::NotMe { account: AccountSummary::of(&link.user) };
            format.of_account(&link.user).page(&state, StatusCode::OK, &page)
        }
        Err(error) => format.failure(&state, error, Some(RequestForm::Verification)),
    }
}

errors!(html NotMeErrors:
    link(), [ApiError::AlreadyVerified, ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/not-me/{token}", tag = "Links", operation_id = "not_me",
    summary = "Delete an account that another person made",
    description = "For an account that was made by sign-up and never verified. A form must come from a page of this \
        service and is answered with a page.",
    params(("token" = String, Path, description = "The last segment of the verification link", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The account is deleted",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        NotMeErrors
    )
)]
async fn delete(
    State(state): State<AppState>,
    format: ResponseFormat,
    _: SameOriginForm,
    token: PathToken,
) -> Response {
    match delete_account(&state, &token).await {
        Ok(user) => format.of_account(&user).success(&state, DONE, &Page::NotMeDone {}),
        Err(error) => format.failure(&state, error, Some(RequestForm::Verification)),
    }
}

async fn open_link(state: &AppState, token: &PathToken) -> ApiResult<OpenedLink> {
    let link = link::open(state, Purpose::EmailVerification, token).await?;
    let user = &link.user;
    if user.email_canonical != link.email.canonical() {
        return Err(ApiError::LinkInvalid);
    }
    if user.is_verified || user.created_via != CreatedVia::SignUp {
        return Err(ApiError::AlreadyVerified);
    }
    Ok(link)
}

async fn delete_account(state: &AppState, token: &PathToken) -> ApiResult<User> {
    let link = open_link(state, token).await?;
    match state.db.delete_unverified_account(link.user.uid, &link.email, state.now()).await? {
        UnverifiedDeletion::Deleted => {
            audit::account(&link.user, "account_disowned");
            Ok(link.user)
        }
        // It was verified in the meantime.
        UnverifiedDeletion::Refused => Err(ApiError::AlreadyVerified),
    }
}

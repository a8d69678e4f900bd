//! `/verify/{token}`: proves an address. Mail scanners follow links, people press buttons: a browser gets a
//! page with one button, which posts.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bookly_shared::db::accounts::Change;
use bookly_shared::link_token::Purpose;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::Message;
use super::link::{self, PathToken};
use super::reader::Reader;
use crate::error::{ApiError, ApiResult};
use crate::extract::SameOriginForm;
use crate::openapi::errors;
use crate::pages::{Page, RequestForm};
use crate::routes::html::page;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, look, press))
}

const DONE: &str = "Account verified successfully";

errors!(html OpenErrors: link(), [ApiError::MethodNotAllowed], limited(), always());

/// A browser gets the button. A program verifies at once, as the original's did, unless `VERIFY_ON_GET` is off.
#[utoipa::path(
    get, path = "/verify/{token}", tag = "Links", operation_id = "open_verification",
    summary = "Prove an address by a link",
    description = "What the link in the mail opens. A browser gets a page with a button, which posts. Other clients \
        verify at once, or get 405 where `VERIFY_ON_GET` is off.",
    params(("token" = String, Path, description = "The last piece of the link in the mail", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The address is proven, or the page with the button",
            content((Message = "application/json"), (String = "text/html"))),
        OpenErrors
    )
)]
async fn open(State(state): State<AppState>, reader: Reader, token: PathToken) -> Response {
    match reader {
        Reader::Browser => offer(&state, &token).await,
        Reader::Program if state.settings.verify_on_get => answer(&state, reader, &token).await,
        Reader::Program => ([(header::ALLOW, "POST")], ApiError::MethodNotAllowed).into_response(),
    }
}

errors!(html LookErrors: link(), limited(), always());

/// `HEAD` is what scanners and link previews send: it looks and never verifies.
#[utoipa::path(
    head, path = "/verify/{token}", tag = "Links", operation_id = "look_at_verification",
    summary = "Look whether a link is good", description = "Never verifies.",
    params(("token" = String, Path, description = "The last piece of the link in the mail", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The link is good", body = String, content_type = "text/html"), LookErrors)
)]
async fn look(State(state): State<AppState>, token: PathToken) -> Response {
    offer(&state, &token).await
}

errors!(html PressErrors: link(), [ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/verify/{token}", tag = "Links", operation_id = "verify",
    summary = "Prove an address by a link's button",
    description = "May be repeated until the link expires. A form must come from a page of this service, and is \
        answered with a page.",
    params(("token" = String, Path, description = "The last piece of the link in the mail", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The address is proven",
            content((Message = "application/json"), (String = "text/html"))),
        PressErrors
    )
)]
async fn press(
    State(state): State<AppState>,
    reader: Reader,
    same_origin: Result<SameOriginForm, ApiError>,
    token: PathToken,
) -> Response {
    match same_origin {
        Ok(SameOriginForm) => answer(&state, reader, &token).await,
        Err(error) => reader.refuse(&state, error, None),
    }
}

async fn offer(state: &AppState, token: &PathToken) -> Response {
    match link::open(state, Purpose::EmailVerification, token).await {
        Ok(_) => page(state, StatusCode::OK, &Page::Verify {}),
        Err(error) => Reader::Browser.refuse(state, error, Some(RequestForm::Verification)),
    }
}

async fn answer(state: &AppState, reader: Reader, token: &PathToken) -> Response {
    match verify(state, token).await {
        Ok(()) => reader.done(state, DONE, &Page::Verified {}),
        Err(error) => reader.refuse(state, error, Some(RequestForm::Verification)),
    }
}

/// Idempotent until the link expires.
async fn verify(state: &AppState, token: &PathToken) -> ApiResult<()> {
    let link = link::open(state, Purpose::EmailVerification, token).await?;
    match state.db.verify_account(link.user.uid, &link.email, state.now()).await? {
        Change::Made(()) => Ok(()),
        // The account has another address by now: the link proves one that is not its own.
        Change::Stale | Change::AddressTaken => Err(ApiError::LinkInvalid),
    }
}

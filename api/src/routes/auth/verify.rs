//! `/verify/{token}`: proves an address. Mail scanners follow links, people press buttons: a browser gets a
//! page with one button, which posts.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bookly_shared::db::accounts::Change;
use bookly_shared::link_token::Purpose;

use super::link::{self, PathToken};
use super::reader::{Press, Reader};
use crate::error::{ApiError, ApiResult};
use crate::pages::{Page, RequestForm};
use crate::routes::html::page;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/verify/{token}", get(open).head(look).post(press))
}

const DONE: &str = "Account verified successfully";

/// A browser gets the button. A program verifies at once, as the original's did, unless `VERIFY_ON_GET` is off.
async fn open(State(state): State<AppState>, reader: Reader, token: PathToken) -> Response {
    match reader {
        Reader::Browser => offer(&state, &token).await,
        Reader::Program if state.settings.verify_on_get => answer(&state, reader, &token).await,
        Reader::Program => ([(header::ALLOW, "POST")], ApiError::MethodNotAllowed).into_response(),
    }
}

/// `HEAD` is what scanners and link previews send: it looks and never verifies.
async fn look(State(state): State<AppState>, token: PathToken) -> Response {
    offer(&state, &token).await
}

async fn press(
    State(state): State<AppState>,
    reader: Reader,
    Press(press): Press,
    token: PathToken,
) -> Response {
    match press {
        Ok(()) => answer(&state, reader, &token).await,
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

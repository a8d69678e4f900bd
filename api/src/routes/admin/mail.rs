//! `/admin/emails/{id}`: one mail's life, and the buttons that change it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use uuid::Uuid;

use super::cookie::Operator;
use super::emails::{cancel_email, found, retry_email};
use super::shown;
use crate::error::{ApiError, ApiResult};
use crate::extract::{SameOrigin, Uid};
use crate::pages::{MailStory, Page};
use crate::routes::html;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/admin/emails/{id}", get(show))
        .route("/admin/emails/{id}/retry", post(retry))
        .route("/admin/emails/{id}/cancel", post(cancel))
}

/// An id in the path that is none names no mail.
type Id = Result<Uid, ApiError>;
type Own = Result<SameOrigin, ApiError>;

async fn show(State(state): State<AppState>, _operator: Operator, id: Id) -> Response {
    let read = read_story(&state, id).await;
    shown(&state, read.map(|story| html::page(&state, StatusCode::OK, &Page::AdminMail(&story))))
}

async fn read_story(state: &AppState, id: Id) -> ApiResult<MailStory> {
    let row = found(state, known(id)?).await?;
    let attempts = state.db.attempts_of(row.id).await?;
    Ok(MailStory::new(&row, &attempts))
}

async fn retry(State(state): State<AppState>, operator: Operator, id: Id, own: Own) -> Response {
    let done = async {
        let id = pressed(id, own)?;
        retry_email(&state, id, operator.user.uid).await.map(|()| id)
    };
    shown(&state, done.await.map(back))
}

async fn cancel(State(state): State<AppState>, operator: Operator, id: Id, own: Own) -> Response {
    let done = async {
        let id = pressed(id, own)?;
        cancel_email(&state, id, operator.user.uid).await.map(|()| id)
    };
    shown(&state, done.await.map(back))
}

/// A button counts only on a page of our own: the cookie does not come along from elsewhere, and this holds
/// should a browser send it all the same.
fn pressed(id: Id, own: Own) -> ApiResult<Uuid> {
    own?;
    known(id)
}

fn known(id: Id) -> ApiResult<Uuid> {
    id.map(|Uid(id)| id).map_err(|_| ApiError::EmailNotFound)
}

fn back(id: Uuid) -> Response {
    Redirect::to(&format!("/admin/emails/{id}")).into_response()
}

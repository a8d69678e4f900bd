//! `/admin/emails/{id}`: what happened to one email, and the buttons that change it.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use uuid::Uuid;

use super::cookie::Operator;
use super::emails::{cancel_email, found, retry_email};
use crate::error::{ApiError, ApiResult};
use crate::extract::{OwnPage, Uid};
use crate::pages::{EmailHistory, Page};
use crate::routes::html;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/admin/emails/{id}", get(show))
        .route("/admin/emails/{id}/retry", post(retry))
        .route("/admin/emails/{id}/cancel", post(cancel))
}

/// A text that is not an id names no email.
type Id = Result<Uid, ApiError>;

async fn show(State(state): State<AppState>, _operator: Operator, id: Id) -> Response {
    let read = read_history(&state, id).await;
    html::or_error_page(
        &state,
        read.map(|history| html::english_page(&state, StatusCode::OK, &Page::AdminEmail(&history))),
    )
}

async fn read_history(state: &AppState, id: Id) -> ApiResult<EmailHistory> {
    let row = found(state, known(id)?).await?;
    let (attempts, reports) = (state.db.attempts_of(row.id).await?, state.db.reports_of(row.id).await?);
    Ok(EmailHistory::new(&row, &attempts, &reports))
}

async fn retry(State(state): State<AppState>, operator: Operator, id: Id, own: OwnPage) -> Response {
    let done = async {
        let id = id_from_own_page(id, own)?;
        retry_email(&state, id, &operator.user, &operator.actor()).await.map(|()| id)
    };
    html::or_error_page(&state, done.await.map(back))
}

async fn cancel(State(state): State<AppState>, operator: Operator, id: Id, own: OwnPage) -> Response {
    let done = async {
        let id = id_from_own_page(id, own)?;
        cancel_email(&state, id, &operator.user, &operator.actor()).await.map(|()| id)
    };
    html::or_error_page(&state, done.await.map(back))
}

/// Only a page of this service may press a button. Browsers do not send the cookie from other sites; this check does not
/// depend on it.
fn id_from_own_page(id: Id, own: OwnPage) -> ApiResult<Uuid> {
    own?;
    known(id)
}

fn known(id: Id) -> ApiResult<Uuid> {
    id.map(|Uid(id)| id).map_err(|_| ApiError::EmailNotFound)
}

fn back(id: Uuid) -> Response {
    Redirect::to(&format!("/admin/emails/{id}")).into_response()
}

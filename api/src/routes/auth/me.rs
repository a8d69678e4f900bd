//! `GET /me`: the account that asks, with its books.

use axum::extract::State;
use axum::routing::get;
use axum::{Json as Answer, Router};
use bookly_shared::db::books::Page;
use serde::Serialize;

use super::account::Account;
use crate::error::ApiResult;
use crate::extract::VerifiedUser;
use crate::routes::books::BookAnswer;
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/me", get(me))
}

/// More than anybody's shelf, less than would hurt; all are at `/books/user/{user_uid}`.
const BOOKS: Page = Page { limit: 1_000, offset: 0 };

#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    account: Account,
    books: Vec<BookAnswer>,
}

async fn me(State(state): State<AppState>, VerifiedUser(session): VerifiedUser) -> ApiResult<Answer<Me>> {
    let books = state.db.books_of(session.user.uid, BOOKS).await?;
    Ok(Answer(Me { account: session.user.into(), books: books.into_iter().map(BookAnswer::from).collect() }))
}

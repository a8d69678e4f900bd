//! Books, the protected resource: `/api/v1/books`, with and without a slash at the end.

mod fields;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get};
use axum::{Json as Answer, Router};
use bookly_shared::db::books::Book;
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Json, Query, Uid, VerifiedUser};
use crate::state::AppState;

use fields::{BookPatch, NewBook, Part};

/// The routes.
pub fn router() -> Router<AppState> {
    let router = both(Router::new(), "/api/v1/books", get(list).post(add));
    let router = both(router, "/api/v1/books/{book_uid}", get(show).patch(change).delete(remove));
    both(router, "/api/v1/books/user/{user_uid}", get(list_of_user))
}

fn both(router: Router<AppState>, path: &str, calls: MethodRouter<AppState>) -> Router<AppState> {
    router.route(path, calls.clone()).route(&format!("{path}/"), calls)
}

/// A book as clients see it.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the fields' names say all there is to say")]
pub struct BookAnswer {
    pub uid: Uuid,
    pub title: String,
    pub author: String,
    pub publisher: String,
    pub published_date: NaiveDate,
    pub page_count: i32,
    pub language: String,
    pub user_uid: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    pub update_at: DateTime<Utc>,
}

impl From<Book> for BookAnswer {
    fn from(book: Book) -> BookAnswer {
        BookAnswer {
            uid: book.uid,
            title: book.title,
            author: book.author,
            publisher: book.publisher,
            published_date: book.published_date,
            page_count: book.page_count,
            language: book.language,
            user_uid: book.user_uid,
            created_at: book.created_at,
            update_at: book.update_at,
        }
    }
}

async fn list(
    State(state): State<AppState>,
    _: VerifiedUser,
    Query(Part(part)): Query<Part>,
) -> ApiResult<Answer<Vec<BookAnswer>>> {
    Ok(answers(state.db.books(part).await?))
}

async fn list_of_user(
    State(state): State<AppState>,
    _: VerifiedUser,
    Uid(user_uid): Uid,
    Query(Part(part)): Query<Part>,
) -> ApiResult<Answer<Vec<BookAnswer>>> {
    Ok(answers(state.db.books_of(user_uid, part).await?))
}

fn answers(books: Vec<Book>) -> Answer<Vec<BookAnswer>> {
    Answer(books.into_iter().map(BookAnswer::from).collect())
}

async fn add(
    State(state): State<AppState>,
    VerifiedUser(session): VerifiedUser,
    Json(new): Json<NewBook>,
) -> ApiResult<(StatusCode, Answer<BookAnswer>)> {
    let book = new.into_book(session.user.uid, state.now());
    state.db.add_book(&book).await?;
    Ok((StatusCode::CREATED, Answer(book.into())))
}

async fn show(
    State(state): State<AppState>,
    _: VerifiedUser,
    Uid(uid): Uid,
) -> ApiResult<Answer<BookAnswer>> {
    let book = state.db.book(uid).await?.ok_or(ApiError::BookNotFound)?;
    Ok(Answer(book.into()))
}

async fn change(
    State(state): State<AppState>,
    VerifiedUser(session): VerifiedUser,
    Uid(uid): Uid,
    Json(patch): Json<BookPatch>,
) -> ApiResult<Answer<BookAnswer>> {
    let mut book = book_to_change(&state, &session.user, uid).await?;
    patch.apply(&mut book, state.now());
    if state.db.save_book(&book).await? { Ok(Answer(book.into())) } else { Err(ApiError::BookNotFound) }
}

async fn remove(
    State(state): State<AppState>,
    VerifiedUser(session): VerifiedUser,
    Uid(uid): Uid,
) -> ApiResult<StatusCode> {
    book_to_change(&state, &session.user, uid).await?;
    if state.db.delete_book(uid).await? { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::BookNotFound) }
}

/// Everybody may read a book; its owner and administrators may change it. That it exists is no secret.
async fn book_to_change(state: &AppState, user: &User, uid: Uuid) -> ApiResult<Book> {
    let book = state.db.book(uid).await?.ok_or(ApiError::BookNotFound)?;
    let may_change = user.role == Role::Admin || book.user_uid == Some(user.uid);
    if may_change { Ok(book) } else { Err(ApiError::InsufficientPermissions) }
}

#[cfg(test)]
mod tests;

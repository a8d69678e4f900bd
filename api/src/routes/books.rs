//! Books, the protected resource: `/api/v1/books`.

mod fields;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use bookly_shared::db::books::Book;
use bookly_shared::db::users::User;
use bookly_shared::domain::Role;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::error::{ApiError, ApiResult};
use crate::extract::{Authorized, Query, Uid, VerifiedUser, done};
use crate::openapi::errors;
use crate::state::AppState;

use fields::{BookPatch, NewBook, Part};

/// The routes.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(show, change, remove))
        .routes(routes!(list_of_user))
}

/// A book as clients see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Book)]
#[expect(missing_docs, reason = "the names of the fields explain them")]
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

errors!(ListErrors: verified(), fields(), always());
errors!(AddErrors: body(), verified(), always());
errors!(ShowErrors: verified(), fields(), [ApiError::BookNotFound], always());
errors!(ChangeErrors: body(), verified(), [ApiError::InsufficientPermissions, ApiError::BookNotFound], always());
errors!(RemoveErrors:
    verified(), fields(), [ApiError::InsufficientPermissions, ApiError::BookNotFound], always());

#[utoipa::path(
    get, path = "/api/v1/books", tag = "Books", operation_id = "list_books", summary = "All books, newest first",
    params(Part),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the list", body = Vec<BookAnswer>), ListErrors)
)]
async fn list(
    State(state): State<AppState>,
    _: VerifiedUser,
    Query(Part(part)): Query<Part>,
) -> ApiResult<Answer<Vec<BookAnswer>>> {
    Ok(answers(state.db.books(part).await?))
}

#[utoipa::path(
    get, path = "/api/v1/books/user/{user_uid}", tag = "Books", operation_id = "list_books_of_user",
    summary = "The books of an account, newest first",
    params(("user_uid" = Uuid, Path, description = "The account's id"), Part),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the list", body = Vec<BookAnswer>), ListErrors)
)]
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

#[utoipa::path(
    post, path = "/api/v1/books", tag = "Books", operation_id = "add_book", summary = "Add a book",
    security(("access_token" = [])),
    request_body = NewBook,
    responses((status = 201, description = "The book", body = BookAnswer), AddErrors)
)]
async fn add(
    State(state): State<AppState>,
    Authorized(VerifiedUser(session), new): Authorized<VerifiedUser, NewBook>,
) -> ApiResult<(StatusCode, Answer<BookAnswer>)> {
    let (actor, now) = (session.actor(), state.now());
    let book = new.into_book(session.user.uid, now);
    let added = state.db.add_book(&actor, &book, now).await?;
    done::<VerifiedUser, _>(&state, &actor, added).await?;
    Ok((StatusCode::CREATED, Answer(book.into())))
}

#[utoipa::path(
    get, path = "/api/v1/books/{book_uid}", tag = "Books", operation_id = "show_book", summary = "See a book",
    params(("book_uid" = Uuid, Path, description = "The book's id")),
    security(("access_token" = [])),
    responses((status = 200, description = "The book", body = BookAnswer), ShowErrors)
)]
async fn show(
    State(state): State<AppState>,
    _: VerifiedUser,
    Uid(uid): Uid,
) -> ApiResult<Answer<BookAnswer>> {
    let book = state.db.book(uid).await?.ok_or(ApiError::BookNotFound)?;
    Ok(Answer(book.into()))
}

#[utoipa::path(
    patch, path = "/api/v1/books/{book_uid}", tag = "Books", operation_id = "change_book", summary = "Change a book",
    description = "For its owner and administrators. Fields that are missing stay as they are.",
    params(("book_uid" = Uuid, Path, description = "The book's id")),
    security(("access_token" = [])),
    request_body = BookPatch,
    responses((status = 200, description = "The book as it is now", body = BookAnswer), ChangeErrors)
)]
async fn change(
    State(state): State<AppState>,
    uid: Result<Uid, ApiError>,
    Authorized(VerifiedUser(session), patch): Authorized<VerifiedUser, BookPatch>,
) -> ApiResult<Answer<BookAnswer>> {
    let Uid(uid) = uid?;
    let mut book = book_to_change(&state, &session.user, uid).await?;
    let (actor, now) = (session.actor(), state.now());
    patch.apply(&mut book, now);
    let saved = state.db.save_book(&actor, &book, now).await?;
    let exists = done::<VerifiedUser, _>(&state, &actor, saved).await?;
    if exists { Ok(Answer(book.into())) } else { Err(ApiError::BookNotFound) }
}

#[utoipa::path(
    delete, path = "/api/v1/books/{book_uid}", tag = "Books", operation_id = "remove_book", summary = "Remove a book",
    description = "For its owner and administrators.",
    params(("book_uid" = Uuid, Path, description = "The book's id")),
    security(("access_token" = [])),
    responses((status = 204, description = "The book is gone"), RemoveErrors)
)]
async fn remove(
    State(state): State<AppState>,
    VerifiedUser(session): VerifiedUser,
    Uid(uid): Uid,
) -> ApiResult<StatusCode> {
    book_to_change(&state, &session.user, uid).await?;
    let (actor, now) = (session.actor(), state.now());
    let deleted = state.db.delete_book(&actor, uid, now).await?;
    let existed = done::<VerifiedUser, _>(&state, &actor, deleted).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::BookNotFound) }
}

/// Every verified account may read a book; its owner and administrators may change it. So a refusal may say that it exists.
async fn book_to_change(state: &AppState, user: &User, uid: Uuid) -> ApiResult<Book> {
    let book = state.db.book(uid).await?.ok_or(ApiError::BookNotFound)?;
    let may_change = user.role == Role::Admin || book.user_uid == Some(user.uid);
    if may_change { Ok(book) } else { Err(ApiError::InsufficientPermissions) }
}

#[cfg(test)]
mod tests;

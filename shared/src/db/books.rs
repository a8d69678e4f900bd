//! The table `books`: the protected resource of verified accounts.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::sessions::{Actor, Checked, require_actor};
use super::{Db, DbResult, in_transaction, on_db};

/// A book.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "the fields' names say all there is to say")]
pub struct Book {
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

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// At most this many.
    pub limit: i64,
    /// After this many.
    pub offset: i64,
}

const LIST_BOOKS: &str = "SELECT * FROM books ORDER BY created_at DESC, uid LIMIT $1 OFFSET $2";

const LIST_BOOKS_OF_USER: &str = "
SELECT * FROM books WHERE user_uid = $1 ORDER BY created_at DESC, uid LIMIT $2 OFFSET $3";

const SHOW_BOOK: &str = "SELECT * FROM books WHERE uid = $1";

const ADD_BOOK: &str = "
INSERT INTO books (uid, title, author, publisher, published_date, page_count, language, user_uid, created_at, update_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const SAVE_BOOK: &str = "
UPDATE books
SET title = $2, author = $3, publisher = $4, published_date = $5, page_count = $6, language = $7, update_at = $8
WHERE uid = $1";

const DELETE_BOOK: &str = "DELETE FROM books WHERE uid = $1";

impl Db {
    /// All books, newest first.
    pub async fn books(&self, page: Page) -> DbResult<Vec<Book>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(LIST_BOOKS).bind(page.limit).bind(page.offset).fetch_all(&mut *connection).await?
        })
    }

    /// One account's books, newest first.
    pub async fn books_of(&self, user_uid: Uuid, page: Page) -> DbResult<Vec<Book>> {
        on_db!(self.reader(), connection => {
            let query = sqlx::query_as(LIST_BOOKS_OF_USER).bind(user_uid).bind(page.limit).bind(page.offset);
            query.fetch_all(&mut *connection).await?
        })
    }

    /// One book.
    pub async fn book(&self, uid: Uuid) -> DbResult<Option<Book>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(SHOW_BOOK).bind(uid).fetch_optional(&mut *connection).await?
        })
    }

    /// Adds a book.
    pub async fn add_book(&self, actor: &Actor, book: &Book, now: DateTime<Utc>) -> DbResult<Checked<()>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            sqlx::query(ADD_BOOK)
                .bind(book.uid)
                .bind(&book.title)
                .bind(&book.author)
                .bind(&book.publisher)
                .bind(book.published_date)
                .bind(book.page_count)
                .bind(&book.language)
                .bind(book.user_uid)
                .bind(book.created_at)
                .bind(book.update_at)
                .execute(&mut *tx)
                .await?;
            Checked::Done(())
        })
    }

    /// Writes a book's changed fields. Returns whether it still exists.
    pub async fn save_book(&self, actor: &Actor, book: &Book, now: DateTime<Utc>) -> DbResult<Checked<bool>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            let query = sqlx::query(SAVE_BOOK).bind(book.uid).bind(&book.title).bind(&book.author).bind(&book.publisher);
            let query = query.bind(book.published_date).bind(book.page_count).bind(&book.language).bind(book.update_at);
            Checked::Done(query.execute(&mut *tx).await?.rows_affected() == 1)
        })
    }

    /// Deletes a book. Returns whether it existed.
    pub async fn delete_book(&self, actor: &Actor, uid: Uuid, now: DateTime<Utc>) -> DbResult<Checked<bool>> {
        in_transaction!(self, tx => {
            require_actor!(self, tx, actor, now);
            Checked::Done(sqlx::query(DELETE_BOOK).bind(uid).execute(&mut *tx).await?.rows_affected() == 1)
        })
    }
}

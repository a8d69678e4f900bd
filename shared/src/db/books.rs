//! The table `books`: the resource that a verified account is let in to.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Db, DbResult, on_db, read_db};

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

impl Db {
    /// All books, newest first.
    pub async fn books(&self, page: Page) -> DbResult<Vec<Book>> {
        let sql = "SELECT * FROM books ORDER BY created_at DESC, uid LIMIT $1 OFFSET $2";
        Ok(
            read_db!(self, pool => sqlx::query_as(sql).bind(page.limit).bind(page.offset).fetch_all(pool).await?),
        )
    }

    /// One account's books, newest first.
    pub async fn books_of(&self, user_uid: Uuid, page: Page) -> DbResult<Vec<Book>> {
        let sql = "SELECT * FROM books WHERE user_uid = $1 ORDER BY created_at DESC, uid LIMIT $2 OFFSET $3";
        Ok(read_db!(self, pool => {
            sqlx::query_as(sql).bind(user_uid).bind(page.limit).bind(page.offset).fetch_all(pool).await?
        }))
    }

    /// One book.
    pub async fn book(&self, uid: Uuid) -> DbResult<Option<Book>> {
        let sql = "SELECT * FROM books WHERE uid = $1";
        Ok(read_db!(self, pool => sqlx::query_as(sql).bind(uid).fetch_optional(pool).await?))
    }

    /// Adds a book.
    pub async fn add_book(&self, book: &Book) -> DbResult<()> {
        let sql = "INSERT INTO books (uid, title, author, publisher, published_date, page_count, language, user_uid,
                                      created_at, update_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        on_db!(self, pool => {
            sqlx::query(sql)
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
                .execute(pool)
                .await
                .map(|_| ())?;
        });
        Ok(())
    }

    /// Writes a book's changed fields. Returns whether it still exists.
    pub async fn save_book(&self, book: &Book) -> DbResult<bool> {
        let sql =
            "UPDATE books SET title = $2, author = $3, publisher = $4, published_date = $5, page_count = $6,
                          language = $7, update_at = $8 WHERE uid = $1";
        let done = on_db!(self, pool => {
            let query = sqlx::query(sql).bind(book.uid).bind(&book.title).bind(&book.author).bind(&book.publisher);
            let query = query.bind(book.published_date).bind(book.page_count).bind(&book.language).bind(book.update_at);
            query.execute(pool).await?.rows_affected()
        });
        Ok(done == 1)
    }

    /// Deletes a book. Returns whether it existed.
    pub async fn delete_book(&self, uid: Uuid) -> DbResult<bool> {
        let sql = "DELETE FROM books WHERE uid = $1";
        Ok(on_db!(self, pool => sqlx::query(sql).bind(uid).execute(pool).await?.rows_affected()) == 1)
    }
}

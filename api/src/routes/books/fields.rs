//! What the fields of a book may hold.

use std::ops::RangeInclusive;

use bookly_shared::db::books::{Book, Page};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::extract::{Fields, FromFields};
use crate::openapi::schemas;

/// The longest title, author or publisher, in characters.
const MAX_TEXT_CHARS: usize = 300;
const MAX_LANGUAGE_CHARS: usize = 64;
const PAGE_COUNTS: RangeInclusive<i64> = 1..=100_000;
/// Books in one answer, and their default number.
const LIMITS: RangeInclusive<i64> = 1..=100;
const DEFAULT_LIMIT: i64 = 100;
/// Both databases read the rows that an offset skips, so it needs a limit.
const OFFSETS: RangeInclusive<i64> = 0..=1_000_000;

/// Which part of a list, from the query.
#[derive(Debug)]
pub(super) struct Part(pub(super) Page);

impl FromFields for Part {
    fn from_fields(fields: &mut Fields) -> Option<Part> {
        let limit = fields.optional("limit", |fields, name| fields.integer(name, LIMITS));
        let offset = fields.optional("offset", |fields, name| fields.integer(name, OFFSETS));
        Some(Part(Page { limit: limit?.unwrap_or(DEFAULT_LIMIT), offset: offset?.unwrap_or(0) }))
    }
}

impl IntoParams for Part {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            schemas::in_query(
                "limit",
                schemas::integer(&LIMITS, DEFAULT_LIMIT),
                "At most this many; 100 by default",
            ),
            schemas::in_query("offset", schemas::integer(&OFFSETS, 0), "Skip this many"),
        ]
    }
}

/// The fields in the OpenAPI document.
mod document {
    use utoipa::openapi::schema::Object;

    use super::{MAX_LANGUAGE_CHARS, MAX_TEXT_CHARS, PAGE_COUNTS, schemas};

    pub(super) fn title() -> Object {
        schemas::line(1..=MAX_TEXT_CHARS, "The Dispossessed")
    }

    pub(super) fn author() -> Object {
        schemas::line(1..=MAX_TEXT_CHARS, "Ursula K. Le Guin")
    }

    pub(super) fn publisher() -> Object {
        schemas::line(1..=MAX_TEXT_CHARS, "Harper & Row")
    }

    pub(super) fn page_count() -> Object {
        schemas::integer(&PAGE_COUNTS, 341)
    }

    pub(super) fn language() -> Object {
        schemas::line(1..=MAX_LANGUAGE_CHARS, "English")
    }
}

/// A new book: without the fields that the service sets.
#[derive(Debug, ToSchema)]
pub(super) struct NewBook {
    #[schema(schema_with = document::title)]
    title: String,
    #[schema(schema_with = document::author)]
    author: String,
    #[schema(schema_with = document::publisher)]
    publisher: String,
    #[schema(schema_with = schemas::date)]
    published_date: NaiveDate,
    #[schema(schema_with = document::page_count)]
    page_count: i32,
    #[schema(schema_with = document::language)]
    language: String,
}

impl FromFields for NewBook {
    fn from_fields(fields: &mut Fields) -> Option<NewBook> {
        let title = text(fields, "title");
        let author = text(fields, "author");
        let publisher = text(fields, "publisher");
        let published_date = date(fields, "published_date");
        let page_count = page_count(fields, "page_count");
        let language = language(fields, "language");
        Some(NewBook {
            title: title?,
            author: author?,
            publisher: publisher?,
            published_date: published_date?,
            page_count: page_count?,
            language: language?,
        })
    }
}

impl NewBook {
    pub(super) fn into_book(self, owner: Uuid, now: DateTime<Utc>) -> Book {
        Book {
            uid: Uuid::new_v4(),
            title: self.title,
            author: self.author,
            publisher: self.publisher,
            published_date: self.published_date,
            page_count: self.page_count,
            language: self.language,
            user_uid: Some(owner),
            created_at: now,
            update_at: now,
        }
    }
}

/// Some fields of a book; fields that are missing stay as they are.
#[derive(Debug, ToSchema)]
pub(super) struct BookPatch {
    #[schema(schema_with = document::title)]
    title: Option<String>,
    #[schema(schema_with = document::author)]
    author: Option<String>,
    #[schema(schema_with = document::publisher)]
    publisher: Option<String>,
    #[schema(schema_with = schemas::date)]
    published_date: Option<NaiveDate>,
    #[schema(schema_with = document::page_count)]
    page_count: Option<i32>,
    #[schema(schema_with = document::language)]
    language: Option<String>,
}

impl FromFields for BookPatch {
    fn from_fields(fields: &mut Fields) -> Option<BookPatch> {
        let title = fields.optional("title", text);
        let author = fields.optional("author", text);
        let publisher = fields.optional("publisher", text);
        let published_date = fields.optional("published_date", date);
        let page_count = fields.optional("page_count", page_count);
        let language = fields.optional("language", language);
        Some(BookPatch {
            title: title?,
            author: author?,
            publisher: publisher?,
            published_date: published_date?,
            page_count: page_count?,
            language: language?,
        })
    }
}

impl BookPatch {
    pub(super) fn apply(self, book: &mut Book, now: DateTime<Utc>) {
        set(&mut book.title, self.title);
        set(&mut book.author, self.author);
        set(&mut book.publisher, self.publisher);
        set(&mut book.published_date, self.published_date);
        set(&mut book.page_count, self.page_count);
        set(&mut book.language, self.language);
        book.update_at = now;
    }
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

fn text(fields: &mut Fields, name: &str) -> Option<String> {
    fields.parse(name, |text| of_length(text, MAX_TEXT_CHARS))
}

fn language(fields: &mut Fields, name: &str) -> Option<String> {
    fields.parse(name, |text| of_length(text, MAX_LANGUAGE_CHARS))
}

fn page_count(fields: &mut Fields, name: &str) -> Option<i32> {
    fields.integer(name, PAGE_COUNTS).and_then(|count| count.try_into().ok())
}

fn date(fields: &mut Fields, name: &str) -> Option<NaiveDate> {
    fields.parse(name, |text| {
        // chrono also reads 2024-1-2 and +12024-01-02.
        let date = text.parse::<NaiveDate>().ok().filter(|date| text.len() == 10 && date.year() > 0);
        date.ok_or("must be a date like 2024-12-31")
    })
}

/// Without the spaces around it. [`Fields`] has refused control characters.
fn of_length(text: &str, max: usize) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > max {
        return Err(format!("must have between 1 and {max} characters"));
    }
    Ok(text.to_owned())
}

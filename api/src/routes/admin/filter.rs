//! Which mails to list, from the query of a program or of a page.

use std::ops::RangeInclusive;

use bookly_shared::db::emails::admin::EmailFilter;
use bookly_shared::domain::{EmailAddress, EmailKind, EmailState};
use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Object;
use uuid::Uuid;

use crate::extract::{Fields, FromFields};
use crate::openapi::schemas;

/// Mails in one answer, and when nothing is asked for.
const LIMITS: RangeInclusive<i64> = 1..=200;
const DEFAULT_LIMIT: i64 = 50;

/// The mails that are asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) filter: EmailFilter,
    pub(super) limit: i64,
    /// The address as it was typed, to show it again.
    pub(super) to: Option<EmailAddress>,
}

impl FromFields for Wanted {
    fn from_fields(fields: &mut Fields) -> Option<Wanted> {
        let state = given(fields, "state", str::parse::<EmailState>);
        let kind = given(fields, "kind", |text| {
            text.parse::<EmailKind>().map_err(|_| format!("must be one of {}", kinds().join(", ")))
        });
        let to = given(fields, "to", EmailAddress::parse);
        let since = given(fields, "since", |text| {
            let time = DateTime::parse_from_rfc3339(text).map(DateTime::<Utc>::from);
            time.map_err(|_| "must be a time like 2026-11-23T15:00:00Z")
        });
        let before =
            given(fields, "before", |text| text.parse::<Uuid>().map_err(|_| "must be the id of a mail"));
        let limit = fields.optional("limit", |fields, name| fields.integer(name, LIMITS));
        let (kind, to) = (kind?.map(|kind| kind.to_string()), to?);
        let mailbox = to.as_ref().map(|to| to.canonical().to_owned());
        let filter = EmailFilter { state: state?, kind, mailbox, since: since?, before: before? };
        Some(Wanted { filter, limit: limit?.unwrap_or(DEFAULT_LIMIT), to })
    }
}

/// A field that may be left out, or left empty, as a page's form sends it.
fn given<T, E: std::fmt::Display>(
    fields: &mut Fields,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    let read = |text: &str| if text.is_empty() { Ok(None) } else { parse(text).map(Some) };
    fields.optional(name, |fields, name| fields.parse(name, read)).map(Option::flatten)
}

pub(super) fn kinds() -> Vec<&'static str> {
    EmailKind::ALL.map(EmailKind::as_str).to_vec()
}

pub(super) fn states() -> Vec<&'static str> {
    EmailState::ALL.map(EmailState::as_str).to_vec()
}

impl IntoParams for Wanted {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let field = |name, schema: Object, about| {
            let field = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            field.schema(Some(schema)).description(Some(about)).build()
        };
        vec![
            field("state", schemas::one_of(&states()), "Mails in this state"),
            field("kind", schemas::one_of(&kinds()), "Mails of this kind"),
            field("to", schemas::email(), "Mails to this address, however it is spelt"),
            field("since", schemas::time(), "Mails accepted then or later"),
            field("before", schemas::id(), "Mails accepted before this one: the next part of the list"),
            field(
                "limit",
                schemas::integer(&LIMITS, DEFAULT_LIMIT),
                "At most this many; 50 when it is left out",
            ),
        ]
    }
}

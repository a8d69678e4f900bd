//! Which emails to list, from the query of a program or of a page.

use std::ops::RangeInclusive;

use bookly_shared::db::emails::list::EmailFilter;
use bookly_shared::domain::{EmailAddress, EmailKind, EmailState};
use chrono::{DateTime, Utc};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use uuid::Uuid;

use crate::extract::{Fields, FromFields};
use crate::openapi::schemas;

/// Rows in one answer, and their default number.
const LIMITS: RangeInclusive<i64> = 1..=200;
const DEFAULT_LIMIT: i64 = 50;

/// The query of a list of emails.
#[derive(Debug)]
pub(super) struct EmailQuery {
    pub(super) filter: EmailFilter,
    pub(super) limit: usize,
    /// The address as it was typed, for the form to show it again.
    pub(super) to: Option<EmailAddress>,
}

impl FromFields for EmailQuery {
    fn from_fields(fields: &mut Fields) -> Option<EmailQuery> {
        let state = optional_field(fields, "state", str::parse::<EmailState>);
        let kind = optional_field(fields, "kind", |text| {
            text.parse::<EmailKind>().map_err(|_| format!("must be one of {}", kinds().join(", ")))
        });
        let to = optional_field(fields, "to", EmailAddress::parse);
        let since = optional_field(fields, "since", |text| {
            let time = DateTime::parse_from_rfc3339(text).map(DateTime::<Utc>::from);
            time.map_err(|_| "must be a time like 2026-11-23T15:00:00Z")
        });
        let before = optional_field(fields, "before", |text| {
            text.parse::<Uuid>().map_err(|_| "must be the id of an email")
        });
        let limit = limit(fields);
        let (kind, to) = (kind?.map(|kind| kind.to_string()), to?);
        let mailbox = to.as_ref().map(|to| to.canonical().to_owned());
        let filter = EmailFilter { state: state?, kind, mailbox, since: since?, before: before? };
        Some(EmailQuery { filter, limit: limit?, to })
    }
}

/// How many rows are asked for.
pub(super) fn limit(fields: &mut Fields) -> Option<usize> {
    let limit = fields.optional("limit", |fields, name| fields.integer(name, LIMITS))?;
    usize::try_from(limit.unwrap_or(DEFAULT_LIMIT)).ok()
}

pub(super) fn limit_parameter() -> Parameter {
    schemas::in_query("limit", schemas::integer(&LIMITS, DEFAULT_LIMIT), "At most this many; 50 by default")
}

/// A field that may be missing, or empty as the form of a page sends it.
pub(super) fn optional_field<T, E: std::fmt::Display>(
    fields: &mut Fields,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    fields.take_empty(name);
    fields.optional(name, |fields, name| fields.parse(name, parse))
}

pub(super) fn kinds() -> Vec<&'static str> {
    EmailKind::ALL.map(EmailKind::as_str).to_vec()
}

pub(super) fn states() -> Vec<&'static str> {
    EmailState::ALL.map(EmailState::as_str).to_vec()
}

impl IntoParams for EmailQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            schemas::in_query("state", schemas::one_of(&states()), "Emails in this state"),
            schemas::in_query("kind", schemas::one_of(&kinds()), "Emails of this kind"),
            schemas::in_query("to", schemas::email(), "Emails to this address, in any spelling"),
            schemas::in_query("since", schemas::time(), "Emails accepted at this time or later"),
            schemas::in_query(
                "before",
                schemas::id(),
                "Emails accepted before this one: the next part of the list",
            ),
            limit_parameter(),
        ]
    }
}

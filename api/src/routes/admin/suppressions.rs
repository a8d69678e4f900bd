//! `/api/v1/admin/suppressions`: which mailboxes get no email, or no bulk email.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bookly_shared::audit;
use bookly_shared::db::sessions::Actor;
use bookly_shared::db::suppressions::{NewSuppression, Suppression, SuppressionFilter};
use bookly_shared::db::users::User;
use bookly_shared::domain::{EmailAddress, SuppressionReason};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::Object;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::filter::{limit, limit_parameter, optional_field};
use crate::error::{ApiError, ApiResult};
use crate::extract::{AdminUser, Authorized, Fields, FromFields, Query, done};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(remove))
}

const OFFSETS: RangeInclusive<i64> = 0..=1_000_000_000;
/// How long an entry may hold.
const DAYS: RangeInclusive<i64> = 1..=3650;
/// The source of these entries.
const SOURCE: &str = "administrator";

/// A mailbox that gets no email, or no `welcome` email
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suppression)]
struct SuppressionAnswer {
    /// The address in lower case, with its `+tag`
    #[schema(example = "zoe@example.org")]
    mailbox: String,
    /// `bounce` and `operator` stop every kind, `complaint` and `unsubscribe` only `welcome`
    #[schema(example = "bounce")]
    reason: String,
    /// Who said so
    #[schema(example = "postmark")]
    source: String,
    created_at: DateTime<Utc>,
    /// When it ends; null without an end
    until: Option<DateTime<Utc>>,
}

impl From<Suppression> for SuppressionAnswer {
    fn from(row: Suppression) -> SuppressionAnswer {
        SuppressionAnswer {
            mailbox: row.mailbox,
            reason: row.reason,
            source: row.source,
            created_at: row.created_at,
            until: row.until,
        }
    }
}

impl From<NewSuppression> for SuppressionAnswer {
    fn from(new: NewSuppression) -> SuppressionAnswer {
        SuppressionAnswer {
            mailbox: new.mailbox,
            reason: new.reason.to_string(),
            source: new.source,
            created_at: new.created_at,
            until: new.until,
        }
    }
}

/// A list of suppressions
#[derive(Debug, Serialize, ToSchema)]
struct SuppressionList {
    suppressions: Vec<SuppressionAnswer>,
    /// Whether there are more: continue with `offset`
    more: bool,
}

/// The query of a list of suppressions.
#[derive(Debug)]
pub(super) struct SuppressionQuery {
    pub(super) filter: SuppressionFilter,
    pub(super) limit: usize,
    /// The address as it was typed, for the form to show it again.
    pub(super) address: Option<EmailAddress>,
}

impl FromFields for SuppressionQuery {
    fn from_fields(fields: &mut Fields) -> Option<SuppressionQuery> {
        let address = optional_field(fields, "address", EmailAddress::parse);
        let reason = optional_field(fields, "reason", str::parse::<SuppressionReason>);
        let limit = limit(fields);
        let offset = fields.optional("offset", |fields, name| fields.integer(name, OFFSETS));
        let address = address?;
        let mailbox = address.as_ref().map(|address| address.canonical().to_owned());
        let filter = SuppressionFilter { mailbox, reason: reason?, offset: offset?.unwrap_or(0) };
        Some(SuppressionQuery { filter, limit: limit?, address })
    }
}

impl IntoParams for SuppressionQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            schemas::in_query("address", schemas::email(), "Entries of this mailbox, in any spelling"),
            schemas::in_query("reason", reason_schema(), "Entries with this reason"),
            limit_parameter(),
            schemas::in_query("offset", schemas::integer(&OFFSETS, 0), "So many of the newest are left out"),
        ]
    }
}

/// The entry to add.
#[derive(Debug, ToSchema)]
#[schema(as = NewSuppression)]
pub(super) struct NewEntry {
    #[schema(schema_with = schemas::email)]
    address: EmailAddress,
    /// `operator` by default
    #[schema(schema_with = reason_schema)]
    reason: Option<SuppressionReason>,
    /// How long it holds; by default 30 days for `bounce`, and without an end for the others
    #[schema(schema_with = days_schema)]
    days: Option<i64>,
}

fn reason_schema() -> Object {
    schemas::one_of(&SuppressionReason::ALL.map(SuppressionReason::as_str))
}

fn days_schema() -> Object {
    schemas::integer(&DAYS, 90)
}

impl FromFields for NewEntry {
    fn from_fields(fields: &mut Fields) -> Option<NewEntry> {
        for name in ["reason", "days"] {
            fields.take_null(name);
            fields.take_empty(name);
        }
        let address = fields.parse("address", EmailAddress::parse);
        let reason = fields.optional("reason", |fields, name| fields.parse(name, str::parse));
        let days = fields.optional("days", |fields, name| fields.integer(name, DAYS));
        Some(NewEntry { address: address?, reason: reason?, days: days? })
    }
}

/// The mailbox in the path.
struct Mailbox(EmailAddress);

impl<S: Send + Sync> FromRequestParts<S> for Mailbox {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        // No entry has a text that is no address.
        text.and_then(|Path(text)| EmailAddress::parse(&text).ok()).map(Mailbox).ok_or(ApiError::NotFound)
    }
}

/// Which entries of a mailbox to remove.
#[derive(Debug)]
struct RemovalQuery {
    reason: Option<SuppressionReason>,
}

impl FromFields for RemovalQuery {
    fn from_fields(fields: &mut Fields) -> Option<RemovalQuery> {
        optional_field(fields, "reason", str::parse).map(|reason| RemovalQuery { reason })
    }
}

impl IntoParams for RemovalQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![schemas::in_query(
            "reason",
            reason_schema(),
            "The entry's reason; without it `bounce` and `operator`, which are not the recipient's own wish",
        )]
    }
}

errors!(ListErrors: verified(), [ApiError::InsufficientPermissions], fields(), always());
errors!(AddErrors: body(), verified(), [ApiError::InsufficientPermissions], always());
errors!(RemoveErrors:
    verified(), [ApiError::InsufficientPermissions, ApiError::NotFound, ApiError::OnlyOwnWish], fields(), always());

#[utoipa::path(
    get, path = "/api/v1/admin/suppressions", tag = "Administration", operation_id = "list_suppressions",
    summary = "The mailboxes that get no email, newest first",
    description = "Each reason of a mailbox is an entry of its own. For administrators.",
    params(SuppressionQuery),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the list", body = SuppressionList), ListErrors)
)]
async fn list(
    State(state): State<AppState>,
    _admin: AdminUser,
    Query(query): Query<SuppressionQuery>,
) -> ApiResult<Json<SuppressionList>> {
    let (rows, more) = state.db.suppressions(&query.filter, query.limit, state.now()).await?;
    let suppressions = rows.into_iter().map(SuppressionAnswer::from).collect();
    Ok(Json(SuppressionList { suppressions, more }))
}

#[utoipa::path(
    post, path = "/api/v1/admin/suppressions", tag = "Administration", operation_id = "add_suppression",
    summary = "Stop emails to a mailbox",
    description = "Replaces an entry of the same mailbox and reason. For administrators.",
    security(("access_token" = [])),
    request_body = NewEntry,
    responses((status = 201, description = "The entry", body = SuppressionAnswer), AddErrors)
)]
async fn add(
    State(state): State<AppState>,
    Authorized(AdminUser(session), entry): Authorized<AdminUser, NewEntry>,
) -> ApiResult<(StatusCode, Json<SuppressionAnswer>)> {
    let added = add_suppression(&state, &entry, &session.user, &session.actor()).await?;
    Ok((StatusCode::CREATED, Json(added.into())))
}

#[utoipa::path(
    delete, path = "/api/v1/admin/suppressions/{mailbox}", tag = "Administration", operation_id = "remove_suppression",
    summary = "Allow emails to a mailbox again",
    description = "That the recipient complained or unsubscribed is removed only by its reason. For administrators.",
    params(("mailbox" = String, Path, description = "The address, in any spelling", example = "zoe@example.org"), RemovalQuery),
    security(("access_token" = [])),
    responses((status = 204, description = "The entries are gone"), RemoveErrors)
)]
async fn remove(
    State(state): State<AppState>,
    AdminUser(session): AdminUser,
    Query(RemovalQuery { reason }): Query<RemovalQuery>,
    Mailbox(mailbox): Mailbox,
) -> ApiResult<StatusCode> {
    remove_suppression(&state, &mailbox, reason, &session.user, &session.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adds an entry for an administrator.
pub(super) async fn add_suppression(
    state: &AppState,
    entry: &NewEntry,
    admin: &User,
    actor: &Actor,
) -> ApiResult<NewSuppression> {
    let reason = entry.reason.unwrap_or(SuppressionReason::Operator);
    let mut new = NewSuppression::new(entry.address.canonical(), reason, SOURCE, state.now());
    if let Some(days) = entry.days {
        new = new.lasting(TimeDelta::days(days));
    }
    let added = state.db.suppress_by(actor, &new).await?;
    done::<AdminUser, _>(state, actor, added).await?;
    audit::suppression_by(admin, &new.mailbox, reason.as_str(), "suppression_added");
    Ok(new)
}

/// Removes one entry of a mailbox, or without a reason all of them that are not the recipient's own wish.
pub(super) async fn remove_suppression(
    state: &AppState,
    mailbox: &EmailAddress,
    reason: Option<SuppressionReason>,
    admin: &User,
    actor: &Actor,
) -> ApiResult<()> {
    let removed = state.db.unsuppress_by(actor, mailbox, reason, state.now()).await?;
    let removed = done::<AdminUser, _>(state, actor, removed).await?;
    for reason in &removed {
        audit::suppression_by(admin, mailbox.canonical(), reason, "suppression_removed");
    }
    if removed.is_empty() { Err(nothing_removed(state, mailbox, reason).await?) } else { Ok(()) }
}

async fn nothing_removed(
    state: &AppState,
    mailbox: &EmailAddress,
    reason: Option<SuppressionReason>,
) -> ApiResult<ApiError> {
    let filter = SuppressionFilter { mailbox: Some(mailbox.canonical().to_owned()), reason, offset: 0 };
    let (left, _) = state.db.suppressions(&filter, 1, state.now()).await?;
    Ok(if left.is_empty() { ApiError::NotFound } else { ApiError::OnlyOwnWish })
}

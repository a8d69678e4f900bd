//! `/admin/suppressions`: the mailboxes that get no email, with a form that adds one and buttons that remove them.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use bookly_shared::domain::{EmailAddress, SuppressionReason};

use super::board::typed;
use super::cookie::Operator;
use super::suppressions::{NewEntry, SuppressionQuery, add_suppression, remove_suppression};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Fields, FromFields, JsonOrForm, OwnPage, Query};
use crate::pages::{Page, SuppressionLine, SuppressionSearch};
use crate::routes::html;
use crate::state::AppState;

const PATH: &str = "/admin/suppressions";

pub(super) fn router() -> Router<AppState> {
    Router::new().route(PATH, get(list).post(add)).route("/admin/suppressions/remove", post(remove))
}

type Form<T> = Result<JsonOrForm<T>, ApiError>;

/// The entry that a button removes.
struct Removal {
    mailbox: EmailAddress,
    reason: SuppressionReason,
}

impl FromFields for Removal {
    fn from_fields(fields: &mut Fields) -> Option<Removal> {
        let mailbox = fields.parse("mailbox", EmailAddress::parse);
        let reason = fields.parse("reason", str::parse);
        Some(Removal { mailbox: mailbox?, reason: reason? })
    }
}

async fn list(
    State(state): State<AppState>,
    _operator: Operator,
    uri: Uri,
    query: Result<Query<SuppressionQuery>, ApiError>,
) -> Response {
    let found = match query {
        Ok(Query(query)) => find(&state, query).await,
        Err(error) => return with_problem(&state, error, typed(&uri, "address")),
    };
    let page =
        found.map(|found| html::english_page(&state, StatusCode::OK, &Page::AdminSuppressions(&found)));
    html::or_error_page(&state, page)
}

async fn find(state: &AppState, query: SuppressionQuery) -> ApiResult<SuppressionSearch> {
    let (rows, more) = state.db.suppressions(&query.filter, query.limit, state.now()).await?;
    let address = query.address.map(|address| address.as_str().to_owned()).unwrap_or_default();
    let next = more.then(|| {
        let offset = query.filter.offset + i64::try_from(rows.len()).unwrap_or(0);
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.append_pair("address", &address).append_pair("offset", &offset.to_string()).finish()
    });
    let entries = rows.iter().map(SuppressionLine::from).collect();
    Ok(SuppressionSearch { mailbox: address, entries, next, ..SuppressionSearch::default() })
}

async fn add(
    State(state): State<AppState>,
    operator: Operator,
    own: OwnPage,
    entry: Form<NewEntry>,
) -> Response {
    let added = async {
        own?;
        let entry = entry?.body;
        add_suppression(&state, &entry, &operator.user, &operator.actor()).await
    };
    match added.await {
        Ok(_) => Redirect::to(PATH).into_response(),
        Err(error) => with_problem(&state, error, String::new()),
    }
}

async fn remove(
    State(state): State<AppState>,
    operator: Operator,
    own: OwnPage,
    removal: Form<Removal>,
) -> Response {
    let removed = async {
        own?;
        let Removal { mailbox, reason } = removal?.body;
        match remove_suppression(&state, &mailbox, Some(reason), &operator.user, &operator.actor()).await {
            // Removing it twice is not an error.
            Err(ApiError::NotFound) => Ok(()),
            removed => removed,
        }
    };
    html::or_error_page(&state, removed.await.map(|()| Redirect::to(PATH).into_response()))
}

/// The page again, with what is wrong in a form. Any other error gets the error page.
fn with_problem(state: &AppState, error: ApiError, mailbox: String) -> Response {
    let ApiError::Validation(fields) = &error else { return html::or_error_page(state, Err(error)) };
    let problem = fields.first().map(|field| format!("The {} {}", field.field, field.message));
    let nothing = SuppressionSearch { mailbox, error: problem, ..SuppressionSearch::default() };
    let mut response = html::english_page(state, error.row().status, &Page::AdminSuppressions(&nothing));
    response.extensions_mut().insert(error);
    response
}

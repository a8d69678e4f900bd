//! `/admin`: the flow of emails, what waits, what failed; and `/admin/emails`: search.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::get;
use bookly_shared::db::emails::list::EmailFilter;
use bookly_shared::db::suppressions::SuppressionFilter;
use bookly_shared::domain::EmailState;

use super::cookie::Operator;
use super::filter::{EmailQuery, states};
use crate::error::{ApiError, ApiResult};
use crate::extract::Query;
use crate::pages::{Board, EmailLine, EmailSearch, Page, Plot, ServerLine, SuppressionLine};
use crate::routes::html;
use crate::state::AppState;

/// Minutes in the picture.
const MINUTES: u16 = 60;
/// Emails in each of the board's lists.
const SHOWN: usize = 10;
/// The newest suppressions.
const SUPPRESSIONS_SHOWN: usize = 5;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/admin", get(board)).route("/admin/emails", get(search))
}

async fn board(State(state): State<AppState>, operator: Operator) -> Response {
    let read = read_board(&state, operator).await;
    html::or_error_page(
        &state,
        read.map(|board| html::english_page(&state, StatusCode::OK, &Page::AdminBoard(&board))),
    )
}

async fn read_board(state: &AppState, operator: Operator) -> ApiResult<Board> {
    let (db, now) = (&state.db, state.now());
    let newest = async |wanted| {
        let filter = EmailFilter { state: Some(wanted), ..EmailFilter::default() };
        ApiResult::Ok(db.list_emails(&filter, SHOWN).await?.0.iter().map(EmailLine::from).collect())
    };
    let (suppressions, more) =
        db.suppressions(&SuppressionFilter::default(), SUPPRESSIONS_SHOWN, now).await?;
    let board = Board {
        operator: operator.user.email,
        failed: db.failed_emails().await?,
        plot: Plot::of(&db.mail_flow(MINUTES, now).await?),
        waiting: newest(EmailState::Queued).await?,
        failures: newest(EmailState::Failed).await?,
        servers: db.circuits(now).await?.iter().map(ServerLine::from).collect(),
        suppressions: suppressions.iter().map(SuppressionLine::from).collect(),
        more_suppressions: more,
        ..Board::default()
    };
    Ok(board.with_backlog(&db.backlog(now).await?))
}

/// The form shows the address and the state again as they were typed.
async fn search(
    State(state): State<AppState>,
    _operator: Operator,
    uri: Uri,
    query: Result<Query<EmailQuery>, ApiError>,
) -> Response {
    let error = match query {
        Ok(Query(query)) => {
            let found = find(&state, query).await;
            let found =
                found.map(|found| html::english_page(&state, StatusCode::OK, &Page::AdminEmails(&found)));
            return html::or_error_page(&state, found);
        }
        Err(error) => error,
    };
    let problem = match &error {
        ApiError::Validation(fields) => {
            fields.first().map(|field| format!("The {} {}", label(&field.field), field.message))
        }
        _ => None,
    };
    let (to, state_name) = (typed(&uri, "to"), typed(&uri, "state"));
    let nothing =
        EmailSearch { to, state: state_name, states: states(), error: problem, ..EmailSearch::default() };
    html::english_page(&state, error.row().status, &Page::AdminEmails(&nothing))
}

/// A field of the search as it was typed.
pub(super) fn typed(uri: &Uri, name: &str) -> String {
    let mut fields = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    fields.find(|(field, _)| field == name).map(|(_, text)| text.into_owned()).unwrap_or_default()
}

fn label(field: &str) -> &str {
    if field == "to" { "address" } else { field }
}

async fn find(state: &AppState, query: EmailQuery) -> ApiResult<EmailSearch> {
    let (rows, more) = state.db.list_emails(&query.filter, query.limit).await?;
    let to = query.to.map(|to| to.as_str().to_owned()).unwrap_or_default();
    let chosen = query.filter.state.map(|state| state.to_string()).unwrap_or_default();
    let next = rows.last().filter(|_| more).map(|last| {
        let mut next = form_urlencoded::Serializer::new(String::new());
        next.append_pair("to", &to).append_pair("state", &chosen).append_pair("before", &last.id.to_string());
        next.finish()
    });
    let emails = rows.iter().map(EmailLine::from).collect();
    Ok(EmailSearch { to, state: chosen, states: states(), emails, next, error: None })
}

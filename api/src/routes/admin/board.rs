//! `/admin`: does mail flow, what waits, what failed; and `/admin/emails`: search.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use bookly_shared::db::emails::admin::EmailFilter;
use bookly_shared::domain::EmailState;

use super::cookie::Operator;
use super::filter::{Wanted, states};
use super::shown;
use crate::error::{ApiError, ApiResult};
use crate::extract::Query;
use crate::pages::{Board, MailLine, MailSearch, Page, Plot};
use crate::routes::html;
use crate::state::AppState;

/// Minutes in the picture.
const MINUTES: u16 = 60;
/// Mails in each of the board's lists.
const SHOWN: i64 = 10;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/admin", get(board)).route("/admin/emails", get(search))
}

async fn board(State(state): State<AppState>, operator: Operator) -> Response {
    let read = read_board(&state, operator).await;
    shown(&state, read.map(|board| html::page(&state, StatusCode::OK, &Page::AdminBoard(&board))))
}

async fn read_board(state: &AppState, operator: Operator) -> ApiResult<Board> {
    let (db, now) = (&state.db, state.now());
    let newest = async |wanted| {
        let filter = EmailFilter { state: Some(wanted), ..EmailFilter::default() };
        ApiResult::Ok(db.list_emails(&filter, SHOWN).await?.iter().map(MailLine::from).collect())
    };
    let board = Board {
        operator: operator.user.email,
        failed: db.failed_emails().await?,
        plot: Plot::of(&db.mail_flow(MINUTES, now).await?),
        waiting: newest(EmailState::Queued).await?,
        given_up: newest(EmailState::Failed).await?,
        ..Board::default()
    };
    Ok(board.backlog(&db.backlog(now).await?))
}

/// The address and the state as they were typed stand in the form again, also where they are wrong.
async fn search(
    State(state): State<AppState>,
    _operator: Operator,
    wanted: Result<Query<Wanted>, ApiError>,
) -> Response {
    match wanted {
        Ok(Query(wanted)) => {
            let found = find(&state, wanted).await;
            shown(&state, found.map(|found| html::page(&state, StatusCode::OK, &Page::AdminMails(&found))))
        }
        Err(error) => {
            let problem = match &error {
                ApiError::Validation(fields) => {
                    fields.first().map(|field| format!("The {} {}", word(&field.field), field.message))
                }
                _ => None,
            };
            let nothing = MailSearch { states: states(), error: problem, ..MailSearch::default() };
            html::page(&state, error.row().status, &Page::AdminMails(&nothing))
        }
    }
}

fn word(field: &str) -> &str {
    if field == "to" { "address" } else { field }
}

async fn find(state: &AppState, wanted: Wanted) -> ApiResult<MailSearch> {
    let rows = state.db.list_emails(&wanted.filter, wanted.limit).await?;
    let is_full = rows.len() as i64 == wanted.limit;
    let to = wanted.to.map(|to| to.as_str().to_owned()).unwrap_or_default();
    let chosen = wanted.filter.state.map(|state| state.to_string()).unwrap_or_default();
    let next = rows.last().filter(|_| is_full).map(|last| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("to", &to)
            .append_pair("state", &chosen)
            .append_pair("before", &last.id.to_string());
        query.finish()
    });
    let mails = rows.iter().map(MailLine::from).collect();
    Ok(MailSearch { to, state: chosen, states: states(), mails, next, error: None })
}

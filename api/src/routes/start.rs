//! `/`: what runs, and where to go next.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use bookly_shared::config::{MailTransport, WayToRun};

use super::html;
use crate::extract::PageLanguage;
use crate::pages::Page;
use crate::state::AppState;

/// The route.
pub(super) fn router() -> Router<AppState> {
    Router::new().route("/", get(start))
}

async fn start(State(state): State<AppState>, language: PageLanguage) -> Response {
    let settings = &state.settings;
    let (database, queue) = match settings.way_to_run() {
        WayToRun::Embedded => ("SQLite", None),
        WayToRun::Postgres => ("Postgres", None),
        WayToRun::PostgresAndRedis => ("Postgres", Some("Redis")),
    };
    let to_files = matches!(settings.mail.transport, MailTransport::File);
    let page = Page::Start {
        version: env!("CARGO_PKG_VERSION"),
        base_url: settings.public_url.as_str(),
        database,
        queue,
        mail: (!to_files).then_some("SMTP"),
        inbox: settings.has_inbox(),
        docs: settings.docs,
    };
    html::page(&state, language, StatusCode::OK, &page)
}

//! `/`: on the developer's machine what runs and where to go next, elsewhere the product's name, or its home page.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bookly_shared::config::{MailTransport, Settings, WayToRun};

use super::html;
use crate::extract::PageLanguage;
use crate::pages::Page;
use crate::state::AppState;

/// The route.
pub(super) fn router() -> Router<AppState> {
    Router::new().route("/", get(start))
}

/// Emails lead people to `DOMAIN`: they do not want to know which database runs there.
async fn start(State(state): State<AppState>, language: PageLanguage) -> Response {
    let settings = &state.settings;
    let page = if settings.public_url.is_this_machine() {
        what_runs(settings)
    } else if let Some(url) = &settings.product.home_url {
        return Redirect::to(url).into_response();
    } else {
        Page::Home { docs: settings.docs }
    };
    html::page(&state, language, StatusCode::OK, &page)
}

fn what_runs(settings: &Settings) -> Page<'_> {
    let (database, queue) = match settings.way_to_run() {
        WayToRun::Embedded => ("SQLite", None),
        WayToRun::Postgres => ("Postgres", None),
        WayToRun::PostgresAndRedis => ("Postgres", Some("Redis")),
    };
    let to_files = matches!(settings.mail.transport, MailTransport::File);
    Page::Start {
        version: env!("CARGO_PKG_VERSION"),
        base_url: settings.public_url.as_str(),
        database,
        queue,
        mail: (!to_files).then_some("SMTP"),
        inbox: settings.has_inbox(),
        docs: settings.docs,
    }
}

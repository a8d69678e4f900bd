//! `/metrics` for Prometheus: on this machine without a token, from elsewhere with `METRICS_TOKEN`.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bookly_shared::domain::EmailKind;
use bookly_shared::metrics::table::{EMAILS_QUEUED, HASH_REFUSED, HASH_WAITING, JOBS_DROPPED, JOBS_ENQUEUED};
use bookly_shared::metrics::{Access, CONTENT_TYPE, Sampler, access};

use crate::error::{ApiError, ApiResult};
use crate::extract::Peer;
use crate::routes::bounces;
use crate::state::AppState;

/// The route.
pub(super) fn router() -> Router<AppState> {
    Router::new().route("/metrics", get(show))
}

/// Starts the series of rare events at 0: Prometheus sees no rise when a series starts at its first event.
pub(crate) fn start_series(state: &AppState) {
    HASH_REFUSED.add(0, []);
    bounces::start_series(&state.settings.bounces);
    EmailKind::ALL.iter().for_each(|kind| EMAILS_QUEUED.add(0, [kind.as_str().into()]));
    if state.redis.is_some() {
        JOBS_ENQUEUED.add(0, []);
        JOBS_DROPPED.add(0, []);
    }
}

/// Without `METRICS_TOKEN` other machines get 404. With it they get 401: a scraper with a wrong token then does not look
/// for a mistake in its path.
async fn show(State(state): State<AppState>, Peer(peer): Peer, headers: HeaderMap) -> ApiResult<Response> {
    match access(peer, &headers, &state.settings) {
        Access::Granted => {}
        Access::NeedsToken => return Err(ApiError::NotAuthenticated),
        Access::Hidden => return Err(ApiError::NotFound),
    }
    let (db, clock, queue) = (state.db.clone(), state.clock.clone(), state.redis.clone());
    Sampler { db, clock, queue }.sample().await;
    HASH_WAITING.set(state.hasher.waiting() as f64, []);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], state.exporter.render()).into_response())
}

#[cfg(test)]
mod tests;

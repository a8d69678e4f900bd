//! All calls.

mod admin;
pub mod auth;
pub mod books;
mod health;
pub mod html;
mod inbox;
pub(crate) mod metrics;
mod start;

use axum::Router;
use utoipa::openapi::OpenApi;

use crate::error::ApiError;
use crate::layers;
use crate::openapi;
use crate::state::AppState;

/// The whole service.
pub fn router(state: AppState) -> Router {
    let (documented, document) = documented(&state);
    let docs = if state.settings.docs { openapi::ui(&document) } else { Router::new() };
    let routes = documented
        .merge(start::router())
        .merge(admin::pages(&state))
        .merge(inbox::router())
        .merge(metrics::router())
        .merge(docs)
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    layers::wrap(routes, &state).with_state(state)
}

/// What programs call, and the document that says how.
pub(crate) fn documented(state: &AppState) -> (Router<AppState>, OpenApi) {
    let routes = openapi::router()
        .merge(health::router())
        .merge(books::router())
        .merge(admin::api())
        .nest("/api/v1/auth", auth::router(state));
    let (routes, mut document) = routes.split_for_parts();
    openapi::name_each_operation(&mut document);
    (routes, document)
}

#[cfg(test)]
mod tests;

//! All routes.

mod admin;
pub mod auth;
pub mod books;
pub(crate) mod bounces;
mod health;
pub mod html;
mod inbox;
pub(crate) mod metrics;
mod start;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::response::{IntoResponse, Response};
use tower::Layer;
use tower::util::MapRequestLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::error::ApiError;
use crate::extract::{PageLanguage, WantsHtml};
use crate::layers;
use crate::openapi;
use crate::state::AppState;

/// The whole service. A path with or without a slash at its end is the same.
pub fn router(state: AppState) -> Router {
    let routes = MapRequestLayer::new(without_trailing_slash).layer(routes(state));
    Router::new().fallback_service(routes)
}

/// All routes with their layers.
pub(crate) fn routes(state: AppState) -> Router {
    let (documented, document) = documented(&state);
    let docs = if state.settings.docs { openapi::ui(&document) } else { Router::new() };
    let routes = documented
        .merge(start::router())
        .merge(admin::pages(&state))
        .merge(inbox::router())
        .merge(metrics::router())
        .merge(docs)
        .fallback(not_found)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed);
    layers::wrap(routes, &state).with_state(state)
}

/// The routes for programs, and the document that describes them.
pub(crate) fn documented(state: &AppState) -> (Router<AppState>, OpenApi) {
    let product = &state.settings.product;
    let books = if product.sample_books { books::router() } else { OpenApiRouter::new() };
    let routes = openapi::router(product)
        .merge(health::router())
        .merge(books)
        .merge(admin::api())
        .merge(auth::unsubscribe::router())
        .merge(bounces::router())
        .nest("/api/v1/auth", auth::router(state));
    let (routes, mut document) = routes.split_for_parts();
    openapi::name_each_operation(&mut document);
    (routes, document)
}

/// The answer for a path that does not exist: a page for browsers.
async fn not_found(
    State(state): State<AppState>,
    WantsHtml(wants_html): WantsHtml,
    language: PageLanguage,
) -> Response {
    if wants_html {
        html::error_page(&state, language, ApiError::NotFound)
    } else {
        ApiError::NotFound.into_response()
    }
}

/// Clients of the original write `/auth/login/`. One slash is removed before routing, so there is no redirect, which would
/// cost programs their body. Swagger UI is served at its path with the slash only.
fn without_trailing_slash(mut request: Request) -> Request {
    if let Some(uri) = trimmed(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn trimmed(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/')?;
    if path.is_empty() || path.ends_with('/') || path == openapi::UI_PATH {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{path}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests;

//! The document as JSON, and Swagger UI. All files come from this service.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{DOCUMENT_PATH, UI_PATH};
use crate::error::ApiError;
use crate::state::AppState;

/// Swagger UI sets inline styles and has its icons in `data:` URLs; its scripts are files.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// The routes.
pub(crate) fn router(document: &OpenApi) -> Router<AppState> {
    let json = match serde_json::to_vec(document) {
        Ok(json) => Bytes::from(json),
        Err(error) => {
            tracing::error!(%error, "the OpenAPI document cannot be written");
            return Router::new();
        }
    };
    let config = Config::from(DOCUMENT_PATH).validator_url("none").display_request_duration(true);
    let pages = Router::from(SwaggerUi::new(UI_PATH).config(config)).layer(map_response(add_policy));
    let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], json.clone()));
    Router::new().route(DOCUMENT_PATH, get(answer)).merge(pages)
}

async fn add_policy(mut response: Response) -> Response {
    if response.status() == StatusCode::NOT_FOUND {
        return ApiError::NotFound.into_response();
    }
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // The files are the same for all clients until the next release.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

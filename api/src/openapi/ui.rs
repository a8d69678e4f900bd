//! The document as JSON, and Swagger UI. All files come from this service.

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use minijinja::HtmlEscape;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::error::ApiError;
use crate::state::AppState;

/// The path of the document.
pub(super) const DOCUMENT_PATH: &str = "/api/v1/openapi.json";
/// The path of Swagger UI.
pub(crate) const UI_PATH: &str = "/api/v1/docs";
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
    let title = format!("<title>{}</title>", HtmlEscape(&document.info.title));
    let pages = Router::from(SwaggerUi::new(UI_PATH).config(config))
        .layer(map_response(add_policy))
        .layer(map_response(move |response: Response| with_title(title.clone(), response)));
    let answer = move || std::future::ready(([(CONTENT_TYPE, "application/json")], json.clone()));
    Router::new().route(DOCUMENT_PATH, get(answer)).merge(pages)
}

/// The title of the page that comes with Swagger UI.
const OTHER_TITLE: &str = "<title>Swagger UI</title>";
/// More than that page has.
const MAX_PAGE_BYTES: usize = 64 * 1024;

/// The page with the product's name as its title.
async fn with_title(title: String, response: Response) -> Response {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("text/html")) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    let page = match to_bytes(body, MAX_PAGE_BYTES).await {
        Ok(page) => page,
        Err(error) => return ApiError::server(error).into_response(),
    };
    head.headers.remove(CONTENT_LENGTH);
    let page = String::from_utf8_lossy(&page).replace(OTHER_TITLE, &title);
    Response::from_parts(head, page.into())
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

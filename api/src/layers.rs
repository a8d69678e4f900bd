//! What applies to every request: an id, a log line, limits, refusal of other sites, headers that protect answers.

use std::any::Any;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use bookly_shared::config::UNSUBSCRIBE;
use bookly_shared::metrics::table::{HTTP_IN_FLIGHT, HTTP_REQUESTS, HTTP_SECONDS};
use bookly_shared::trace::{Span, SpanKind, SpanPlace, TraceContext};
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tracing::{Instrument, field};
use uuid::Uuid;

use crate::client_address::{ClientIp, Peer};
use crate::error::ApiError;
use crate::extract::{Encoding, PageLanguage, WantsHtml};
use crate::idempotency::IDEMPOTENCY_KEY;
use crate::request_source::RequestSource;
use crate::routes::{bounces, html};
use crate::serve::MAX_BODY_BYTES;
use crate::state::AppState;

/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID_BYTES: usize = 64;
/// How much of an origin is logged. In a header it is ASCII.
const MAX_ORIGIN_BYTES: usize = 200;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// For answers that are not pages: nothing in them may run, load or be framed.
const NO_CONTENT_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// A year, as the preload lists ask for.
const HSTS: &str = "max-age=31536000";

/// How long a browser may remember the answer to a preflight.
const CORS_MAX_AGE: Duration = Duration::from_secs(3600);

/// Wraps all routes. The last layer in this list sees a request first.
pub(crate) fn wrap(router: Router<AppState>, state: &AppState) -> Router<AppState> {
    router
        .layer(from_fn_with_state(state.clone(), refuse_other_sites))
        .layer(option_layer(cors(&state.settings.cors_origins)))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(state.clone(), limit_time))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(from_fn_with_state(state.clone(), add_headers))
        .layer(from_fn_with_state(state.clone(), observe))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, FreshId))
        .layer(from_fn(drop_odd_request_id))
}

/// `None`, and so no CORS at all, unless `CORS_ORIGINS` is set. Tokens are sent in a header, so cookies are not allowed.
fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        // Tracing in a browser adds the last two to every request (W3C Trace Context).
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            IDEMPOTENCY_KEY,
            TRACEPARENT,
            TRACESTATE,
        ])
        .expose_headers([header::RETRY_AFTER, REQUEST_ID])
        .max_age(CORS_MAX_AGE);
    (!origins.is_empty()).then(|| layer.allow_origin(origins))
}

/// Pages of other sites may read what anybody may read, and change nothing. Without this a page could post a body without
/// a content type, which needs no preflight. Mail programs that run in a browser post to the link that unsubscribes,
/// which is a secret of its mailbox (RFC 8058).
async fn refuse_other_sites(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let source = RequestSource::of(request.headers(), &state.settings);
    let path = request.uri().path();
    // Calls that carry their own proof: it does not depend on anything that a browser stores.
    let proves_itself = path.starts_with(UNSUBSCRIBE) || path.starts_with(bounces::PATH);
    if request.method().is_safe() || source != RequestSource::OtherSite || proves_itself {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let origin = origin.map(|origin| &origin[..origin.len().min(MAX_ORIGIN_BYTES)]);
    tracing::info!(origin, "refused a request of another site: its origin is not in CORS_ORIGINS");
    let language = PageLanguage::of(request.uri(), request.headers(), state.settings.default_locale);
    // A form is answered with a page, because a browser shows the answer.
    if WantsHtml::of(request.headers()).0 || Encoding::of(request.headers()) == Ok(Encoding::Form) {
        html::error_page(&state, language, ApiError::InsufficientPermissions)
    } else {
        ApiError::InsufficientPermissions.into_response()
    }
}

#[derive(Clone, Copy)]
struct FreshId;

impl MakeRequestId for FreshId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::try_from(Uuid::new_v4().to_string()).ok().map(RequestId::new)
    }
}

/// A client's own id is used, so that a request can be followed through several services. An id that could forge log
/// lines or fill them is replaced.
async fn drop_odd_request_id(mut request: Request, next: Next) -> Response {
    let is_sane = |id: &HeaderValue| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=MAX_REQUEST_ID_BYTES).contains(&id.len()) && id.as_bytes().iter().all(is_plain)
    };
    if !request.headers().get(REQUEST_ID).is_some_and(is_sane) {
        request.headers_mut().remove(REQUEST_ID);
    }
    next.run(request).await
}

/// One line and one span a request. They name the route, not the path: a path can hold the token of a link.
async fn observe(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let _in_flight = HTTP_IN_FLIGHT.count([]);
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(field::display);
    let place = SpanPlace::after(caller(request.headers()));
    let trace_id = place.context.trace_id();
    let client =
        ClientIp::behind(Peer::of(request.extensions()), request.headers(), &state.settings.trusted_proxies)
            .0;
    let log = tracing::info_span!("request", method = %request.method(), route, request_id = id, %trace_id, %client);
    // Health probes and scrapes come every few seconds: they have no span and are not logged at info.
    let is_probe = route.starts_with("/health/") || route == "/metrics";
    let mut span = (!is_probe).then(|| start_span(&state, &request, &place));
    request.extensions_mut().insert(place.context);
    async move {
        let start = Instant::now();
        let response = next.run(request).await;
        let error = response.extensions().get::<ApiError>().map(|error| error.row().code);
        let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
        let ms = seconds * 1000.0;
        HTTP_REQUESTS.add(1, [method.into(), route.clone().into(), status.to_string().into()]);
        HTTP_SECONDS.record(seconds, [method.into(), route.clone().into()]);
        if let Some(span) = &mut span {
            span.set("http.response.status_code", i64::from(status));
            if response.status().is_server_error() {
                span.fail();
            }
        }
        if is_probe {
            tracing::debug!(status, ms, error, "answered");
        } else {
            tracing::info!(status, ms, error, "answered");
        }
        response
    }
    .instrument(log)
    .await
}

/// The span that this request continues. Two headers contradict each other, so neither counts.
fn caller(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let (Some(only), None) = (values.next(), values.next()) else { return None };
    TraceContext::parse(only.to_str().ok()?)
}

/// Names by OpenTelemetry's conventions for HTTP servers (<https://opentelemetry.io/docs/specs/semconv/http/>), without
/// `url.path`, which holds the tokens of links.
fn start_span(state: &AppState, request: &Request, place: &SpanPlace) -> Span {
    let method = match method_label(request.method()) {
        "other" => "_OTHER",
        known => known,
    };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let mut span = state.tracer.span(SpanKind::Server, name, place);
    span.set("http.request.method", method);
    if let Some(route) = route {
        span.set("http.route", route.to_owned());
    }
    span
}

/// The method comes from the client, so unknown ones share one label.
fn method_label(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

async fn limit_time(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(state.limits.request, next.run(request)).await;
    answered.unwrap_or_else(|_| ApiError::RequestTimeout.into_response())
}

fn answer_panic(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ApiError::server(format_args!("panic: {}", text.unwrap_or("of an unknown kind"))).into_response()
}

/// Headers that a handler has set stay as they are.
async fn add_headers(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if is_html(headers) {
        HeaderValue::from_str(state.pages.content_security_policy()).ok()
    } else {
        None
    };
    let policy = policy.unwrap_or(HeaderValue::from_static(NO_CONTENT_POLICY));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Tokens, accounts, books: no cache may keep them.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if state.settings.public_url.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.is_some_and(|value| value.starts_with("text/html"))
}

#[cfg(test)]
mod tests;

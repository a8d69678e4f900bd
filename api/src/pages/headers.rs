//! The headers that keep pages, and emails shown as pages, harmless.

use bookly_shared::config::Logo;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};

pub(super) fn content_security_policy(style: &str, logo: Option<&Logo>) -> String {
    let logo = origin(logo);
    format!(
        "default-src 'none'; style-src {style}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         img-src 'self' data:{logo}"
    )
}

/// For an email's HTML at `/inbox/{id}/html`: it may style itself, show the logo and open links in a new window, nothing
/// else, and only the inbox may frame it. The sandbox also holds when the page is opened on its own.
fn email_policy(logo: Option<&Logo>) -> String {
    let logo = origin(logo);
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:{logo}; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
    )
}

/// The origin of the logo as a further source of pictures.
fn origin(logo: Option<&Logo>) -> String {
    logo.map(|logo| format!(" {}", logo.origin)).unwrap_or_default()
}

/// With `frames`, the page may show frames of its own origin: the inbox shows an email in one. With `no-referrer` a
/// browser sends `Origin: null` with a form (Fetch §3.2), and the form would be refused.
pub(super) fn page_headers(policy: &str, frames: bool, has_form: bool) -> [(HeaderName, HeaderValue); 4] {
    let policy = if frames { format!("{policy}; frame-src 'self'") } else { policy.to_owned() };
    with_policy(policy, if has_form { "same-origin" } else { "no-referrer" })
}

/// The headers of `/inbox/{id}/html`.
pub(super) fn email_headers(logo: Option<&Logo>) -> [(HeaderName, HeaderValue); 4] {
    with_policy(email_policy(logo), "no-referrer")
}

/// The address of a page can hold a link's token: no other site gets it in a `Referer`, and no cache keeps it.
fn with_policy(policy: String, referrer: &'static str) -> [(HeaderName, HeaderValue); 4] {
    // The policy is ASCII. If it ever is not, the page is sent without its style, not without a policy.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, HeaderValue::from_static(referrer)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]
}

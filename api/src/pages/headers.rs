//! The headers that keep pages, and emails shown as pages, harmless.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};

/// For an email's HTML at `/inbox/{id}/html`: it may style itself and open links in a new window, nothing else, and only
/// the inbox may frame it. The sandbox also holds when the page is opened on its own.
const EMAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

pub(super) fn content_security_policy(style: &str) -> String {
    format!(
        "default-src 'none'; style-src {style}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         img-src 'self' data:"
    )
}

/// With `frames`, the page may show frames of its own origin: the inbox shows an email in one. With `no-referrer` a
/// browser sends `Origin: null` with a form (Fetch §3.2), and the form would be refused.
pub(super) fn page_headers(policy: &str, frames: bool, has_form: bool) -> [(HeaderName, HeaderValue); 4] {
    let policy = if frames { format!("{policy}; frame-src 'self'") } else { policy.to_owned() };
    // The policy is ASCII. If it ever is not, the page is sent without its style, not without a policy.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    with_policy(policy, if has_form { "same-origin" } else { "no-referrer" })
}

/// The headers of `/inbox/{id}/html`.
#[must_use]
pub fn email_headers() -> [(HeaderName, HeaderValue); 4] {
    with_policy(HeaderValue::from_static(EMAIL_POLICY), "no-referrer")
}

/// The address of a page can hold a link's token: no other site gets it in a `Referer`, and no cache keeps it.
fn with_policy(policy: HeaderValue, referrer: &'static str) -> [(HeaderName, HeaderValue); 4] {
    [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, HeaderValue::from_static(referrer)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]
}

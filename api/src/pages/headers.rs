//! The headers that keep pages, and mails shown as pages, harmless.

use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};

/// For a mail's HTML at `/inbox/{id}/html`: it may style itself and open links in a new window, nothing else,
/// and only the inbox may frame it. The sandbox holds also when the page is opened on its own.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox";

pub(super) fn content_security_policy(style: &str) -> String {
    format!(
        "default-src 'none'; style-src {style}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
         img-src 'self' data:"
    )
}

/// With `frames`, the page may show frames of its own origin: the inbox shows a mail in one.
pub(super) fn page_headers(policy: &str, frames: bool) -> [(HeaderName, HeaderValue); 4] {
    let policy = if frames { format!("{policy}; frame-src 'self'") } else { policy.to_owned() };
    // The policy is ASCII; should it ever not be, the page goes out without its style rather than without a policy.
    with_policy(HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'")))
}

/// The headers of `/inbox/{id}/html`.
#[must_use]
pub fn mail_headers() -> [(HeaderName, HeaderValue); 4] {
    with_policy(HeaderValue::from_static(MAIL_POLICY))
}

/// A link's token stands in the address: it must not leave in a `Referer`, nor stay in a cache.
fn with_policy(policy: HeaderValue) -> [(HeaderName, HeaderValue); 4] {
    [
        (CONTENT_SECURITY_POLICY, policy),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ]
}

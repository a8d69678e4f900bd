//! Whether the client wants HTML.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use mime::Mime;

/// Whether `Accept` prefers `text/html` to JSON. No header, and `*/*`, mean JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantsHtml(pub bool);

impl<S: Sync> FromRequestParts<S> for WantsHtml {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(WantsHtml::of(&parts.headers))
    }
}

impl WantsHtml {
    /// Reads the headers.
    pub fn of(headers: &HeaderMap) -> WantsHtml {
        let values = headers.get_all(header::ACCEPT).iter();
        let ranges: Vec<Mime> = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|text| text.split(','))
            .filter_map(|range| range.trim().parse().ok())
            .collect();
        let html = preference(&ranges, "text", "html");
        let json = preference(&ranges, "application", "json");
        // At equal quality a client that names HTML and also accepts `*/*` is a browser.
        WantsHtml(html.quality > 0 && (html.quality, html.precision) > (json.quality, json.precision))
    }
}

#[derive(Default)]
struct Preference {
    /// The `q` value in thousandths.
    quality: u16,
    /// 0 for no match, 1 for `*/*`, 2 for `text/*`, 3 for the type itself.
    precision: u8,
}

/// The most precise range that matches a type counts (RFC 9110 §12.5.1).
fn preference(ranges: &[Mime], kind: &str, subtype: &str) -> Preference {
    let precision = |range: &Mime| match (range.type_().as_str(), range.subtype().as_str()) {
        (k, s) if k == kind && s == subtype => 3,
        (k, "*") if k == kind => 2,
        ("*", "*") => 1,
        _ => 0,
    };
    let matching =
        ranges.iter().map(|range| Preference { quality: quality(range), precision: precision(range) });
    matching.filter(|one| one.precision > 0).max_by_key(|one| one.precision).unwrap_or_default()
}

fn quality(range: &Mime) -> u16 {
    let Some(q) = range.get_param("q") else { return 1000 };
    let q: f32 = q.as_str().parse().unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    let thousandths = (q.clamp(0.0, 1.0) * 1000.0).round() as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept: &[&str]) -> HeaderMap {
        accept.iter().map(|value| (header::ACCEPT, value.parse().unwrap())).collect()
    }

    #[test]
    fn html_is_wanted_where_accept_prefers_it() {
        for (accept, html) in [
            (vec![], false),
            (vec!["*/*"], false),
            (vec!["application/json"], false),
            (vec!["text/html"], true),
            (vec!["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], true),
            (vec!["text/html, */*"], true),
            (vec!["text/*, */*"], true),
            (vec!["text/html, application/json"], false),
            (vec!["text/html;q=0.5, application/json;q=0.9"], false),
            (vec!["application/json;q=0.5", "text/html;q=0.9"], true),
            (vec!["text/html;q=0, */*"], false),
            (vec!["text/html;q=x"], false),
            (vec!["application/json, text/plain, */*"], false),
            (vec!["\"", "text/html"], true),
        ] {
            assert_eq!(WantsHtml::of(&headers(&accept)), WantsHtml(html), "{accept:?}");
        }
    }
}

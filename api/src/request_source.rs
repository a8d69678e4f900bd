//! Which site a request comes from, as far as browsers say it.

use axum::http::{HeaderMap, HeaderName, header};
use bookly_shared::config::Settings;
use bookly_shared::http_server::{is_loopback_host, sole_host};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestSource {
    /// A page of this service, or the user's own action in the browser.
    OwnSite,
    /// A site or an app of `CORS_ORIGINS`.
    AllowedOrigin,
    /// A page of any other site.
    OtherSite,
    /// No browser: it sends neither header.
    Program,
}

impl RequestSource {
    /// Browsers since 2023 send `Sec-Fetch-Site` over https and to loopback names, and no page can forge it. Elsewhere
    /// `Origin` decides. A page without a referrer sends `Origin: null`, which could come from anywhere.
    pub(crate) fn of(headers: &HeaderMap, settings: &Settings) -> RequestSource {
        let origin = headers.get(header::ORIGIN);
        let is_allowed = origin
            .is_some_and(|origin| settings.cors_origins.iter().any(|allowed| origin == allowed.as_str()));
        match (headers.get(SEC_FETCH_SITE), origin) {
            (Some(site), _) if site == "same-origin" || site == "none" => RequestSource::OwnSite,
            _ if is_allowed => RequestSource::AllowedOrigin,
            (Some(_), _) => RequestSource::OtherSite,
            (None, None) => RequestSource::Program,
            (None, Some(origin)) => match origin.to_str() {
                Ok(origin) if is_own(origin, headers, settings) => RequestSource::OwnSite,
                _ => RequestSource::OtherSite,
            },
        }
    }
}

/// `DOMAIN`, or on this machine any of its names: a service at `localhost` is also reached at `127.0.0.1`. A foreign name
/// that resolves to this machine (DNS rebinding) equals its own `Origin` too, so `Host` must be a loopback one.
fn is_own(origin: &str, headers: &HeaderMap, settings: &Settings) -> bool {
    let host = sole_host(headers);
    let is_this_machine =
        |host: &str| is_loopback_host(host) && origin.eq_ignore_ascii_case(&format!("http://{host}"));
    origin.eq_ignore_ascii_case(settings.public_url.origin()) || host.is_some_and(is_this_machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let vars = [
            ("DOMAIN", "bookly.example.org"),
            ("CORS_ORIGINS", "https://app.example.org, capacitor://localhost"),
        ];
        let folder = tempfile::tempdir().unwrap();
        let data = ("DATA_DIR", folder.path().to_str().unwrap());
        Settings::from_vars(vars.into_iter().chain([data]).map(|(name, value)| (name.into(), value.into())))
            .unwrap()
    }

    fn source(headers: &[(&'static str, &str)]) -> RequestSource {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        RequestSource::of(&headers.collect(), &settings())
    }

    #[test]
    fn sec_fetch_site_decides_where_it_is_sent() {
        for (site, expected) in [
            ("same-origin", RequestSource::OwnSite),
            ("none", RequestSource::OwnSite),
            ("same-site", RequestSource::OtherSite),
            ("cross-site", RequestSource::OtherSite),
            ("", RequestSource::OtherSite),
        ] {
            assert_eq!(source(&[("sec-fetch-site", site)]), expected, "{site}");
        }
        let own = [("sec-fetch-site", "cross-site"), ("origin", "https://bookly.example.org")];
        assert_eq!(source(&own), RequestSource::OtherSite);
        for site in ["cross-site", "same-site"] {
            for origin in ["https://app.example.org", "capacitor://localhost"] {
                let allowed = [("sec-fetch-site", site), ("origin", origin)];
                assert_eq!(source(&allowed), RequestSource::AllowedOrigin, "{site} {origin}");
            }
        }
    }

    #[test]
    fn else_origin_decides() {
        for (origin, host, expected) in [
            ("https://bookly.example.org", "bookly.example.org", RequestSource::OwnSite),
            ("HTTPS://BOOKLY.example.org", "bookly.example.org", RequestSource::OwnSite),
            ("http://127.0.0.1:8000", "127.0.0.1:8000", RequestSource::OwnSite),
            ("http://[::1]:8000", "[::1]:8000", RequestSource::OwnSite),
            ("https://app.example.org", "bookly.example.org", RequestSource::AllowedOrigin),
            ("capacitor://localhost", "bookly.example.org", RequestSource::AllowedOrigin),
            ("http://bookly.example.org", "bookly.example.org", RequestSource::OtherSite),
            ("http://app.example.org", "bookly.example.org", RequestSource::OtherSite),
            ("http://127.0.0.1:8001", "127.0.0.1:8000", RequestSource::OtherSite),
            ("http://rebound.example.com", "rebound.example.com", RequestSource::OtherSite),
            ("capacitor://elsewhere", "bookly.example.org", RequestSource::OtherSite),
            ("null", "bookly.example.org", RequestSource::OtherSite),
            ("", "bookly.example.org", RequestSource::OtherSite),
        ] {
            assert_eq!(source(&[("origin", origin), ("host", host)]), expected, "{origin} at {host}");
        }
    }

    #[test]
    fn with_neither_header_it_is_a_program() {
        assert_eq!(
            source(&[("host", "bookly.example.org"), ("referer", "https://evil.example")]),
            RequestSource::Program
        );
    }
}

//! The language of a request: what it names itself, then the account's, then what the browser prefers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use bookly_shared::db::users::User;
use bookly_shared::domain::CreatedVia;
use bookly_shared::locale::{LanguageTag, Locale};

use crate::pages::Language;
use crate::state::AppState;

/// The query parameter of pages that names their language.
const PARAMETER: &str = "lang";

/// The language of `Accept-Language` that a shipped one serves, as the client wrote it.
#[derive(Debug, Clone)]
pub struct AcceptedLanguage(pub Option<LanguageTag>);

/// What decides the language of a page: `?lang`, then the account of its link, then `Accept-Language`, then
/// `DEFAULT_LOCALE`. `Accept-Language` comes before an account that may be another person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLanguage {
    query: Option<Locale>,
    account: Option<Locale>,
    /// Whether the account was made by a sign-up that is not confirmed: a stranger may have chosen its language.
    account_is_unproven: bool,
    accepted: Option<Locale>,
    default: Locale,
}

impl<S: Sync> FromRequestParts<S> for AcceptedLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(AcceptedLanguage::of(&parts.headers))
    }
}

impl FromRequestParts<AppState> for PageLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(PageLanguage::of(&parts.uri, &parts.headers, state.settings.default_locale))
    }
}

impl AcceptedLanguage {
    fn of(headers: &HeaderMap) -> AcceptedLanguage {
        let values = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        AcceptedLanguage(LanguageTag::preferred(&values.collect::<Vec<_>>().join(",")))
    }
}

impl PageLanguage {
    /// Reads a request without its account.
    pub fn of(uri: &Uri, headers: &HeaderMap, default: Locale) -> PageLanguage {
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let mut named = query.filter(|(name, _)| name == PARAMETER).map(|(_, tag)| tag);
        PageLanguage {
            query: named.next().and_then(|tag| Locale::of_tag(&tag)),
            account: None,
            account_is_unproven: false,
            accepted: AcceptedLanguage::of(headers).0.and_then(|tag| tag.locale()),
            default,
        }
    }

    /// The same for the page of an account.
    #[must_use]
    pub fn of_account(self, user: &User) -> PageLanguage {
        PageLanguage {
            account: user.locale.as_deref().and_then(Locale::of_tag),
            account_is_unproven: !user.is_verified && user.created_via == CreatedVia::SignUp,
            ..self
        }
    }

    /// The language, and what decided.
    pub fn chosen(self) -> Language {
        let by_account_first = self.account.is_some() && !self.account_is_unproven;
        let (first, second) =
            if by_account_first { (self.account, self.accepted) } else { (self.accepted, self.account) };
        Language {
            locale: self.query.or(first).or(second).unwrap_or(self.default),
            by_query: self.query.is_some(),
            by_header: self.query.is_none() && !by_account_first,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(uri: &str, accept: &[&str]) -> Language {
        let headers = accept.iter().map(|value| (header::ACCEPT_LANGUAGE, value.parse().unwrap())).collect();
        PageLanguage::of(&uri.parse().unwrap(), &headers, Locale::Nl).chosen()
    }

    #[test]
    fn the_query_wins_over_the_header_and_the_header_over_the_default() {
        for (uri, accept, locale, by_query) in [
            ("/", vec![], Locale::Nl, false),
            ("/", vec!["de-AT,de;q=0.9"], Locale::De, false),
            ("/", vec!["sv", "ja;q=0.5"], Locale::Ja, false),
            ("/?lang=ar", vec!["de"], Locale::Ar, true),
            ("/?a=b&lang=pt-PT", vec!["de"], Locale::PtBr, true),
            ("/?lang=zh-TW", vec!["de"], Locale::De, false),
            ("/?lang=%00&lang=fr", vec!["de"], Locale::De, false),
            ("/?lang=sv", vec![], Locale::Nl, false),
            ("/?language=fr", vec!["x_y"], Locale::Nl, false),
        ] {
            let found = chosen(uri, &accept);
            assert_eq!(
                (found.locale, found.by_query, found.by_header),
                (locale, by_query, !by_query),
                "{uri} {accept:?}"
            );
        }
    }
}

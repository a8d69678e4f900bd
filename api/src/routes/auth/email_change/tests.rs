//! The pages behind the link to a new address.

use axum::http::{Method, Request};
use bookly_shared::domain::Role;
use bookly_shared::links::{LinkClaims, Purpose};

use crate::testing::{TestApp, request, with_body, with_header, with_token};

/// Somebody may move an account to the address of another person, who has to understand what the page says of it.
#[tokio::test]
async fn the_page_behind_the_link_is_in_the_language_of_its_reader_before_that_of_the_account() {
    let app = TestApp::new().await;
    let zoe = app.log_in("zoe@example.org", Role::User, true).await;
    let arabic =
        with_body(request(Method::PATCH, "/api/v1/auth/me"), "application/json", r#"{"locale": "ar"}"#);
    assert_eq!(app.send(with_token(arabic, &zoe.access)).await.status, 200);
    let (email, version) = ("reader@example.org".to_owned(), Some(zoe.user.auth_version));
    let claims = LinkClaims { email, uid: zoe.user.uid, version, change: None };
    let token = app.state().links.sign(Purpose::EmailChange, &claims, app.state().now());
    let path = format!("/api/v1/auth/email-change-confirm/{}", token.as_str());
    let of_reader = |request: Request<_>, languages: &str| {
        let request = with_header(request, "accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        with_header(request, "accept-language", languages)
    };
    for (query, languages, shown) in [("", "fr", "fr"), ("", "sv", "ar"), ("?lang=tr", "fr", "tr")] {
        let page = request(Method::GET, &format!("{path}{query}"));
        let page = app.send(of_reader(page, languages)).await;
        assert_eq!(page.header("content-language"), Some(shown), "{query} {languages} {}", page.text);
    }
    let button = with_body(request(Method::POST, &path), "application/x-www-form-urlencoded", "");
    let done = app.send(of_reader(with_header(button, "sec-fetch-site", "same-origin"), "fr")).await;
    assert_eq!((done.status.as_u16(), done.header("content-language")), (200, Some("fr")), "{}", done.text);
}

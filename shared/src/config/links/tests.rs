//! Which URLs a link may have, and where links lead without settings.

use super::*;

const TOKEN: &str = "eyJlbWFpbCI6IngifQ.ZVPxAA.pq2Mt2os-_x";

#[test]
fn a_token_may_stand_in_the_path_the_query_or_the_fragment() {
    for template in [
        "https://app.example.org/verify/{token}",
        "https://app.example.org/verify/{token}/",
        "https://app.example.org/verify?a=1&token={token}&b=2",
        "https://app.example.org/#/verify?token={token}",
        "http://localhost:5173/verify#{token}",
        "http://127.0.0.1/{token}",
        "http://[::1]:5173/{token}",
    ] {
        let link = LinkTemplate::parse(template).unwrap().with_token(TOKEN);
        assert_eq!(link.as_str(), template.replace("{token}", TOKEN));
        assert_eq!(link.token(), TOKEN);
        assert!(Url::parse(link.as_str()).unwrap().as_str().contains(TOKEN), "{template}");
        assert!(!format!("{link:?}").contains("ZVPxAA"));
    }
}

#[test]
fn a_template_that_could_send_a_token_elsewhere_is_refused() {
    for template in [
        "",
        "{token}",
        "/verify/{token}",
        "app.example.org/{token}",
        "//app.example.org/{token}",
        "https://app.example.org/verify",
        "https://app.example.org/{token}/{token}",
        "https://app.example.org/{token}/{email}",
        "https://app.example.org/{{token}}",
        "https://app.example.org/{Token}",
        "https://{token}.example.org/",
        "https://app.example.org:{token}/",
        "https://{token}@app.example.org/",
        "https://ann@app.example.org/{token}",
        "https://ann:pw@app.example.org/{token}",
        "http://app.example.org/{token}",
        "http://localhost.example.org/{token}",
        "ftp://app.example.org/{token}",
        "javascript://app.example.org/{token}",
        "acme://verify/{token}",
        "https:app.example.org/{token}",
        "https:\\\\app.example.org/{token}",
        "https:///{token}",
        "https://app.example.org/a b/{token}",
        "https://app.example.org/\"{token}",
        "https://app.example.org/<{token}",
        "https://app.example.org/é/{token}",
        "https://app.exam\tple.org/{token}",
        "https://*.example.org/{token}",
        "https://app;example.org/{token}",
    ] {
        assert!(LinkTemplate::parse(template).is_err(), "{template}");
    }
    let long = format!("https://app.example.org/{}/{{token}}", "x".repeat(LONGEST));
    assert!(LinkTemplate::parse(&long).is_err());
}

#[test]
fn a_page_has_no_placeholder() {
    assert_eq!(
        plain_url("https://app.example.org/login?from=mail").unwrap(),
        "https://app.example.org/login?from=mail"
    );
    for wrong in
        ["https://app.example.org/{token}", "http://app.example.org/", "/login", "login", "data:text/html,x"]
    {
        assert!(plain_url(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn without_settings_links_lead_to_the_built_in_pages() {
    let url = PublicUrl::parse("books.example.org").unwrap();
    let links = LinkSettings::default().templates(&url);
    let link = links.verify.with_token("T");
    assert_eq!(link.as_str(), "https://books.example.org/api/v1/auth/verify/T");
    assert_eq!(links.password_reset_request, "https://books.example.org/api/v1/auth/password-reset-request");
}

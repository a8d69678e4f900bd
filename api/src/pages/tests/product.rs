//! The product's name, its look, and where its pages lead.

use bookly_shared::config::{Logo, Settings};
use bookly_shared::domain::BrandColor;

use super::*;

/// A product that replaces everything of Bookly that a setting replaces.
pub(super) fn acme() -> ProductSettings {
    ProductSettings {
        colors: "#7a1fa2".parse::<BrandColor>().unwrap().palette(),
        logo: Some(Logo {
            url: "https://cdn.acme.example/logo.svg?v=2".into(),
            origin: "https://cdn.acme.example".into(),
        }),
        home_url: Some("https://www.acme.example".into()),
        support_email: Some(EmailAddress::parse("help@acme.example").unwrap()),
        ..ProductSettings::named("Acme")
    }
}

#[test]
fn every_page_has_the_name_and_the_look_of_the_product_and_no_other() {
    let pages = pages_of(&acme());
    for page in Page::samples() {
        let html = pages.render(Language::ENGLISH, &page).unwrap();
        assert!(html.contains(" · Acme</title>"), "{page:?}");
        assert!(html.contains("src=\"https://cdn.acme.example/logo.svg?v=2\" alt=\"Acme\""), "{page:?}");
        assert!(html.contains("href=\"mailto:help@acme.example\">"), "{page:?}");
        assert!(html.contains("<a class=\"brand\" href=\"https://www.acme.example\">"), "{page:?}");
        assert!(html.contains("--brand: #7a1fa2;") && html.contains("fill='%237a1fa2'"), "{page:?}");
        for other in ["bookly", "#1c6b58"] {
            assert!(!html.to_lowercase().contains(other), "{page:?}: {other}");
        }
        let headers = pages.headers(&page, &html);
        assert!(headers[0].1.to_str().unwrap().contains("img-src 'self' data: https://cdn.acme.example"));
        let style = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(headers[0].1.to_str().unwrap().contains(&hash_source(style)), "{page:?}");
    }
    let email_policy = pages.email_headers()[0].1.clone();
    assert!(email_policy.to_str().unwrap().contains("img-src data: https://cdn.acme.example;"));
}

#[test]
fn without_a_logo_a_page_loads_nothing_and_shows_the_name_with_its_first_letter() {
    let pages = pages();
    for (page, html) in rendered() {
        assert!(!html.contains("<img") && html.contains(">B</span>Bookly</a>"), "{page:?}");
        assert!(!html.contains("mailto:"), "{page:?}");
    }
    assert!(pages.content_security_policy().ends_with("img-src 'self' data:"));
}

#[test]
fn the_last_button_leads_where_the_settings_say() {
    let set = [
        ("JWT_SECRET", "0123456789abcdef0123456789abcdef"),
        ("AFTER_VERIFY_URL", "https://app.example.org/in?a=1&b=2"),
        ("AFTER_RESET_URL", "https://app.example.org/login"),
    ];
    let settings = Settings::from_vars(set.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
    let with_buttons = Pages::new(None, &settings.product, &settings.links).unwrap();
    for (page, button) in [
        (Page::Verified {}, "href=\"https://app.example.org/in?a=1&amp;b=2\">Continue to Bookly</a>"),
        (Page::ResetDone {}, "href=\"https://app.example.org/login\">Continue to Bookly</a>"),
    ] {
        assert!(with_buttons.render(Language::ENGLISH, &page).unwrap().contains(button), "{page:?}");
        assert!(!pages().render(Language::ENGLISH, &page).unwrap().contains("Continue"), "{page:?}");
    }
}

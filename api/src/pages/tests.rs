//! Every page is complete, harmless, and usable by a password manager.

use std::fs;

use bookly_shared::config::{Logo, Settings};
use bookly_shared::domain::BrandColor;

use super::*;

fn pages() -> Pages {
    pages_of(&ProductSettings::named("Bookly"))
}

fn pages_of(product: &ProductSettings) -> Pages {
    Pages::new(None, product, &LinkSettings::default()).unwrap()
}

/// With the templates of a folder.
fn with_folder(folder: &Path) -> Result<Pages, TemplateError> {
    Pages::new(Some(folder), &ProductSettings::named("Bookly"), &LinkSettings::default())
}

fn rendered() -> Vec<(Page<'static>, String)> {
    let pages = pages();
    Page::samples().into_iter().map(|page| (page, pages.render(Language::ENGLISH, &page).unwrap())).collect()
}

const VERIFY: Page<'static> = Page::Verify {
    account: super::samples::ACCOUNT,
    confirm: "/api/v1/auth/verify/x",
    not_me: "/api/v1/auth/not-me/x",
    by_code: false,
};

#[test]
fn every_page_is_a_complete_document_without_scripts_or_inline_handlers() {
    for (page, html) in rendered() {
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\">"), "{page:?}");
        assert_eq!(html.matches("<h1>").count(), 1, "{page:?}");
        assert!(html.contains("name=\"viewport\"") && !html.contains("<title> ·"), "{page:?}");
        for refused in ["<script", " style=", " onclick", "javascript:"] {
            assert!(!html.contains(refused), "{page:?}: {refused}");
        }
    }
}

#[test]
fn the_policy_allows_the_style_of_the_page_and_no_other() {
    let pages = pages();
    for (page, html) in rendered() {
        let style = html.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(pages.content_security_policy().contains(&hash_source(style)), "{page:?}");
        assert_eq!(html.matches("<style").count(), 1, "{page:?}");
    }
    assert!(!pages.content_security_policy().contains("unsafe"));
}

#[test]
fn an_overridden_style_is_allowed_as_the_browser_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("page")).unwrap();
    fs::write(folder.path().join("page/style.css"), "p {\r\n color: red }\r\n").unwrap();
    let pages = with_folder(folder.path()).unwrap();
    assert!(pages.content_security_policy().contains(&hash_source("p {\n color: red }")));
    assert!(pages.render(Language::ENGLISH, &VERIFY).unwrap().contains("<style>p {\n color: red }</style>"));
}

#[test]
fn an_override_that_uses_an_unknown_value_is_named_with_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("page")).unwrap();
    fs::write(folder.path().join("page/verify.html"), "<p>\n{{ tokne }}").unwrap();
    let said = with_folder(folder.path()).unwrap_err().to_string();
    assert!(
        said.starts_with("TEMPLATE_FOLDER/page/verify.html, line 2: ") && said.contains("tokne"),
        "{said}"
    );
}

#[test]
fn only_the_page_of_an_email_may_show_a_frame() {
    let pages = pages();
    for (page, html) in rendered() {
        let headers = pages.headers(&page, &html);
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["content-security-policy", "referrer-policy", "cache-control", "x-content-type-options"]
        );
        let policy = headers[0].1.to_str().unwrap();
        assert!(
            policy.contains("style-src 'sha256-") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(policy.contains("frame-src"), matches!(page, Page::InboxEmail { .. }));
    }
    assert!(pages.email_headers()[0].1.to_str().unwrap().contains("sandbox"));
}

#[test]
fn a_page_with_a_form_sends_its_origin_and_the_others_send_nothing() {
    let pages = pages();
    let mut with_form = 0;
    for (page, html) in rendered() {
        let referrer = pages.headers(&page, &html)[1].1.clone();
        let has_form = html.contains("<form");
        assert_eq!(referrer, if has_form { "same-origin" } else { "no-referrer" }, "{page:?}");
        with_form += usize::from(has_form);
    }
    assert!(with_form > 8, "{with_form}");
    assert_eq!(pages.email_headers()[1].1, "no-referrer");
}

#[test]
fn what_people_typed_is_escaped() {
    let odd = "\"><script>alert(1)</script>{{ 7*7 }}";
    let page = Page::RequestLink { form: RequestForm::PasswordReset, email: Some(odd), problem: None };
    let html = pages().render(Language::ENGLISH, &page).unwrap();
    assert!(!html.contains("<script") && html.contains("{{ 7*7 }}"));
    assert!(html.contains("value=\"&quot;&gt;&lt;script&gt;"));
}

#[test]
fn buttons_post_to_the_same_address_and_forms_to_the_api() {
    let pages = pages();
    for page in [
        Page::EmailChangeConfirm { account: samples::ACCOUNT },
        Page::ResetForm { email: None, problems: &[] },
    ] {
        assert!(
            pages.render(Language::ENGLISH, &page).unwrap().contains("<form method=\"post\">"),
            "{page:?}"
        );
    }
    let verify = pages.render(Language::ENGLISH, &VERIFY).unwrap();
    assert!(verify.contains("<form method=\"post\" action=\"/api/v1/auth/verify/x\">"), "{verify}");
    for form in [RequestForm::Verification, RequestForm::PasswordReset] {
        let action = format!("<form method=\"post\" action=\"{}\">", form.path());
        for page in
            [Page::RequestLink { form, email: None, problem: None }, Page::LinkExpired { form: Some(form) }]
        {
            assert!(pages.render(Language::ENGLISH, &page).unwrap().contains(&action), "{page:?}");
        }
    }
}

#[test]
fn every_field_has_a_label_and_every_description_exists() {
    for (page, html) in rendered() {
        for id in attributes(&html, "<input id=\"") {
            assert!(html.contains(&format!("<label for=\"{id}\">")), "{page:?}: {id}");
        }
        for id in attributes(&html, "aria-describedby=\"").flat_map(|ids| ids.split(' ')) {
            assert!(html.contains(&format!(" id=\"{id}\"")), "{page:?}: {id}");
        }
    }
}

#[test]
fn password_managers_understand_the_form_for_a_new_password() {
    let page = Page::ResetForm { email: Some("zoe@example.org"), problems: &[] };
    let html = pages().render(Language::ENGLISH, &page).unwrap();
    assert_eq!(html.matches("autocomplete=\"new-password\"").count(), 2);
    assert!(html.contains("name=\"new_password\"") && html.contains("name=\"confirm_new_password\""));
    assert!(html.contains("value=\"zoe@example.org\" autocomplete=\"username\""));
}

/// A product with everything of its own.
fn acme() -> ProductSettings {
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

/// The text between each `start` and the next quotation mark.
fn attributes<'a>(html: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(start).skip(1).filter_map(|rest| rest.split('"').next())
}

/// The pages of operators and developers, which are in English only.
fn is_english(page: &Page<'_>) -> bool {
    let template = page.template();
    template.starts_with("page/admin") || template.starts_with("page/inbox")
}

#[test]
fn every_page_is_in_the_language_of_its_reader_and_keeps_it() {
    let pages = pages();
    for locale in Locale::ALL {
        let dir = if locale == Locale::Ar { "rtl" } else { "ltr" };
        let begin = format!("<!doctype html>\n<html lang=\"{locale}\" dir=\"{dir}\">");
        for page in Page::samples() {
            let html = pages.render(Language { locale, by_query: true, by_header: false }, &page).unwrap();
            assert!(html.starts_with(&begin), "{page:?}: {}", &html[..80]);
            for action in attributes(&html, " action=\"").chain(attributes(&html, "<a href=\"/api/v1/auth")) {
                assert!(
                    action.ends_with(&format!("?lang={locale}")) || is_english(&page),
                    "{page:?}: {action}"
                );
            }
            for field in html.split("<input id=").skip(1).filter(|_| !is_english(&page)) {
                let field = field.split('>').next().unwrap();
                assert!(field.contains("dir=\"ltr\""), "{page:?}: {field}");
            }
        }
    }
}

#[test]
fn a_page_of_a_link_tells_whose_account_it_is_for_in_every_language() {
    let pages = pages();
    for locale in Locale::ALL {
        let html = pages.render(Language { locale, ..Language::ENGLISH }, &VERIFY).unwrap();
        for known in ["zoe@example.org</strong>", "Zoë", "Smith", "2026", "15:04"] {
            assert!(html.contains(known), "{locale}: {known} {html}");
        }
    }
}

/// The text of the page's button.
fn button(html: &str) -> &str {
    html.split("type=\"submit\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap()
}

#[test]
fn the_page_behind_a_typed_code_asks_in_its_own_words_in_every_language() {
    let pages = pages();
    let Page::Verify { account, confirm, not_me, .. } = VERIFY else { unreachable!() };
    let by_code = Page::Verify { account, confirm, not_me, by_code: true };
    let form = Page::EnterCode { form: RequestForm::Verification, email: None, problems: &[] };
    for locale in Locale::ALL {
        let render = |page| pages.render(Language { locale, ..Language::ENGLISH }, page).unwrap();
        let asked = render(&by_code);
        assert_ne!(
            button(&asked),
            button(&render(&form)),
            "{locale}: a second step looks like a second step"
        );
        assert!(asked.contains("zoe@example.org</strong>"), "{locale}: {asked}");
        if locale == Locale::En {
            assert!(
                !asked.contains("his link") && asked.contains("<h1>Is this your account?</h1>"),
                "{asked}"
            );
        }
    }
}

#[test]
fn a_last_name_comes_first_where_people_write_it_so() {
    let pages = pages();
    for (locale, name) in
        [(Locale::En, "Zoë Smith"), (Locale::Ja, "Smith Zoë"), (Locale::ZhHans, "Smith Zoë")]
    {
        let html = pages.render(Language { locale, ..Language::ENGLISH }, &VERIFY).unwrap();
        assert!(html.contains(name), "{locale}: {html}");
    }
}

#[test]
fn a_refused_form_marks_the_fields_that_are_wrong_and_says_so_in_its_title() {
    let pages = pages();
    let marked = |page: &Page<'_>| -> Vec<String> {
        let html = pages.render(Language::ENGLISH, page).unwrap();
        assert!(html.contains("<title>Error: "), "{page:?}");
        let fields = html
            .split("<input id=\"")
            .skip(1)
            .filter(|field| field.split('>').next().is_some_and(|field| field.contains("aria-invalid")));
        fields.filter_map(|field| field.split('"').next()).map(str::to_owned).collect()
    };
    let (form, email) = (RequestForm::PasswordReset, Some("zoe@example.org"));
    for (problem, fields) in [
        (Problem::CodeWrong, &["email", "code"][..]),
        (Problem::CodeMalformed, &["code"]),
        (Problem::AddressMalformed, &["email"]),
        (Problem::PasswordGuessable, &["new_password", "confirm_new_password"]),
        (Problem::PasswordsDiffer, &["new_password", "confirm_new_password"]),
        (Problem::FieldRequired, &["email", "code", "new_password", "confirm_new_password"]),
    ] {
        assert_eq!(marked(&Page::EnterCode { form, email, problems: &[problem] }), fields, "{problem:?}");
    }
    let problem = Some(Problem::AddressMalformed);
    assert_eq!(marked(&Page::RequestLink { form, email: None, problem }), ["email"]);
}

#[test]
fn an_error_without_texts_of_its_own_says_what_the_api_says() {
    let pages = pages();
    let error = |code| Page::Error { status: 418, code, message: "A teapot", resolution: Some("Take a cup") };
    let html = pages.render(Language::ENGLISH, &error("teapot")).unwrap();
    assert!(html.contains("<h1>A teapot</h1>") && html.contains("Take a cup.") && html.contains("418"));
    let html = pages.render(Language::ENGLISH, &error("unavailable")).unwrap();
    assert!(html.contains("The service is not available") && !html.contains("A teapot"), "{html}");
}

/// For people to look at: `PREVIEW=<dir> cargo test -p bookly-api pages::tests::preview`.
#[test]
fn preview() {
    let Some(folder) = std::env::var_os("PREVIEW").map(std::path::PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    let acme = ProductSettings { logo: None, ..acme() };
    for (product, pages) in [("bookly", pages()), ("acme", pages_of(&acme))] {
        for locale in Locale::ALL {
            for (number, page) in Page::samples().into_iter().enumerate() {
                let html = pages.render(Language { locale, ..Language::ENGLISH }, &page).unwrap();
                let name = page.template().trim_start_matches("page/");
                fs::write(folder.join(format!("{product}_{locale}_{number:02}_{name}")), html).unwrap();
            }
        }
    }
}

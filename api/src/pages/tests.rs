//! Every page is complete, harmless, and usable by a password manager.

mod language;
mod product;

use std::fs;

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

/// The text between each `start` and the next quotation mark.
fn attributes<'a>(html: &'a str, start: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(start).skip(1).filter_map(|rest| rest.split('"').next())
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
    let acme = ProductSettings { logo: None, ..product::acme() };
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

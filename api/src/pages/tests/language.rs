//! Pages in the language of their reader.

use super::*;

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

//! People get emails and pages in their language.

use bookly_e2e::client::BROWSER_ACCEPT;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, ReceivedMail, Stage};
use bookly_e2e::stack::run;
use reqwest::RequestBuilder;

/// A sign-up with a language, or with none.
fn sign_up(stack: &Stack, person: &Person, locale: Option<&str>) -> RequestBuilder {
    let mut body = json!(person);
    if let Some(locale) = locale {
        body["locale"] = json!(locale);
    }
    stack.api().post("/auth/signup").json(&body)
}

/// Waits for the `nth` email to an address, whatever its subject.
async fn nth_mail(stack: &Stack, to: &str, nth: usize) -> Result<ReceivedMail> {
    until("an email", LIMIT, async || Ok(stack.mails_to(to)?.into_iter().nth(nth - 1))).await
}

/// The language of an HTML document.
fn lang(html: &str) -> &str {
    html.split("<html lang=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default()
}

fn lang_of(mail: &ReceivedMail) -> String {
    lang(&mail.html().unwrap_or_default()).to_owned()
}

fn change(stack: &Stack, access: &str, body: &Value) -> RequestBuilder {
    stack.api().request(reqwest::Method::PATCH, "/auth/me").bearer_auth(access).json(body)
}

both! {
    async fn a_sign_up_names_its_language_or_the_browser_does(stack: &Stack) {
        for (locale, header, kept, sent) in [
            (Some("DE-at"), "fr", Some("de-AT"), "de"),
            (Some("zh-CN"), "", Some("zh-CN"), "zh-Hans"),
            (Some("zh-TW"), "de", Some("zh-TW"), "en"),
            (Some("pt-PT"), "", Some("pt-PT"), "pt-BR"),
            (Some("sv"), "de", Some("sv"), "en"),
            (None, "sv,ja-JP;q=0.9,en;q=0.8", Some("ja-JP"), "ja"),
            (None, "sv", None, "en"),
            (None, "", None, "en"),
            (None, "zh-TW,zh;q=0.9", None, "en"),
        ] {
            let person = Person::new();
            let request = sign_up(stack, &person, locale).header(header::ACCEPT_LANGUAGE, header);
            let user = request.expect(201).await?["user"].take();
            assert_eq!(user["locale"].as_str(), kept, "{locale:?} {header}");
            assert_eq!(lang_of(&nth_mail(stack, &person.email, 1).await?), sent, "{locale:?} {header}");
        }
    }

    async fn a_welcome_has_the_language_of_the_account_with_its_address(stack: &Stack) {
        let admin = stack.admin().await?;
        let known = Person::new();
        sign_up(stack, &known, Some("es")).expect(201).await?;
        nth_mail(stack, &known.email, 1).await?;
        let unknown = bookly_e2e::person::new_address();
        let addresses = json!({"addresses": [known.email, unknown]});
        stack.api().post("/auth/send_mail").bearer_auth(&admin.tokens.access).json(&addresses).expect(200).await?;
        assert_eq!(lang_of(&nth_mail(stack, &known.email, 2).await?), "es");
        assert_eq!(lang_of(&nth_mail(stack, &unknown, 1).await?), "en");
    }

    async fn a_language_that_is_null_is_none(stack: &Stack) {
        let mut body = json!(Person::new());
        body["locale"] = Value::Null;
        let signed_up = stack.api().post("/auth/signup").header(header::ACCEPT_LANGUAGE, "it").json(&body);
        assert_eq!(signed_up.expect(201).await?["user"]["locale"], "it", "as if it were not given");
        let member = stack.member().await?;
        let access = &member.tokens.access;
        change(stack, access, &json!({"locale": "pl"})).expect(200).await?;
        let user = change(stack, access, &json!({"locale": null, "username": "zoe"})).expect(200).await?;
        assert_eq!((&user["locale"], &user["username"]), (&Value::Null, &json!("zoe")));
        assert_eq!(stack.me(access).expect(200).await?["locale"], Value::Null);
    }

    async fn a_malformed_language_is_refused(stack: &Stack) {
        for locale in ["", "de_DE", "d", "german language", "<script>", "de-\u{202e}AT"] {
            let refusal = sign_up(stack, &Person::new(), Some(locale)).refused(422, "validation_error").await?;
            assert_eq!(refusal["errors"][0]["field"], "locale", "{locale:?}: {refusal}");
        }
        let mut body = json!(Person::new());
        body["locale"] = json!(["de"]);
        stack.api().post("/auth/signup").json(&body).refused(422, "validation_error").await?;
    }

    async fn an_account_changes_its_names_and_its_language(stack: &Stack) {
        let member = stack.member().await?;
        let access = &member.tokens.access;
        let user = change(stack, access, &json!({"locale": "uk"})).expect(200).await?;
        assert_eq!((&user["locale"], &user["first_name"], &user["email"]), (&json!("uk"), &json!("Kim"), &json!(member.person.email)));
        let names = json!({"first_name": "Zoë", "last_name": "李", "username": "zoe", "role": "admin", "email": "x@example.org"});
        let user = change(stack, access, &names).expect(200).await?;
        for (field, value) in [("first_name", "Zoë"), ("last_name", "李"), ("username", "zoe"), ("role", "user"), ("locale", "uk")] {
            assert_eq!(user[field], value, "{field}");
        }
        let me = stack.me(access).expect(200).await?;
        assert_eq!((&me["username"], &me["locale"], &me["email"]), (&json!("zoe"), &json!("uk"), &json!(member.person.email)));
        assert_eq!(change(stack, access, &json!({})).expect(200).await?["username"], "zoe");
        for body in [json!({"locale": "de_DE"}), json!({"first_name": ""}), json!({"username": null}), json!({"locale": 7})] {
            change(stack, access, &body).refused(422, "validation_error").await?;
        }
        stack.api().request(reqwest::Method::PATCH, "/auth/me").json(&json!({})).refused(401, "not_authenticated").await?;
        let unverified = Person::new();
        stack.sign_up(&unverified).await?;
        let tokens = stack.log_in(&unverified).await?;
        change(stack, &tokens.access, &json!({"locale": "de"})).refused(403, "account_not_verified").await?;
        stack.api().post("/auth/logout").bearer_auth(access).expect(200).await?;
        change(stack, access, &json!({"locale": "de"})).refused(401, "token_revoked").await?;
    }

    async fn a_page_is_in_the_language_of_its_address_then_of_a_proven_account_then_of_the_browser(stack: &Stack) {
        let person = Person::new();
        sign_up(stack, &person, Some("ar")).expect(201).await?;
        let link = nth_mail(stack, &person.email, 1).await?.link("/api/v1/auth/verify/").context("a link")?;
        let visit = async |path: &str, accepted: &str| {
            stack.api().visit(path).header(header::ACCEPT_LANGUAGE, accepted).answer().await
        };
        for (path, accepted, shown, varies) in [
            (link.clone(), "de", "de", true),
            (link.replace("/verify/", "/not-me/"), "de", "de", true),
            (link.clone(), "sv", "ar", true),
            (format!("{link}?lang=tr"), "de", "tr", false),
            (format!("{link}?lang=sv"), "de", "de", true),
            (format!("{link}x"), "de-CH, fr;q=0.5", "de", true),
            ("/auth/password-reset-request".to_owned(), "zh-TW, nl;q=0.5", "nl", true),
            ("/auth/password-reset-request?lang=pl".to_owned(), "nl", "pl", false),
            ("/auth/verify".to_owned(), "sv", "en", true),
            ("//".to_owned(), "it", "it", true),
        ] {
            let answer = visit(&path, accepted).await?;
            assert_eq!(lang(&answer.body), shown, "{path} {accepted}");
            assert_eq!(answer.header("content-language"), shown, "{path}");
            assert_eq!(answer.header("vary").to_lowercase().contains("accept-language"), varies, "{path} {answer:?}");
        }
        let arabic = visit(&link, "").await?.body;
        assert!(arabic.contains("<html lang=\"ar\" dir=\"rtl\">"), "{arabic}");
        let form = visit("/auth/password-reset-request?lang=pl", "de").await?.body;
        assert!(form.contains("action=\"/api/v1/auth/password-reset-request?lang=pl\""), "{form}");
        let sent = stack.api().submit("/auth/password-reset-request?lang=pl", &[("email", "nobody")]).page(422).await?;
        assert_eq!(lang(&sent), "pl");
        let verified = stack.api().submit(&link, &[]).page(200).await?;
        assert_eq!(lang(&verified), "ar");
        let again = visit(&link, "de").await?;
        assert_eq!(lang(&again.body), "ar", "nobody else chose the language of an account that is verified");
        assert!(!again.header("vary").to_lowercase().contains("accept-language"), "{again:?}");
        let error = stack.api().get("/auth/me").header(header::ACCEPT_LANGUAGE, "de").refused(401, "not_authenticated").await?;
        assert_eq!(error["message"], "Not authenticated", "the API's errors stay English");
    }

    async fn people_without_a_language_get_the_default(stack: &Stack, DEFAULT_LOCALE = "fr") {
        let person = Person::new();
        stack.sign_up(&person).await?;
        assert_eq!(lang_of(&nth_mail(stack, &person.email, 1).await?), "fr");
        let page = stack.api().get("/auth/resend-verification").header(header::ACCEPT, BROWSER_ACCEPT).page(200).await?;
        assert_eq!(lang(&page), "fr");
    }
}

async fn an_email_has_the_language_as_of_sending(kind: Kind) -> Result<()> {
    run(StackOptions::new(kind).mail_server(), async |stack: &Stack| {
        let member = stack.member().await?;
        let smtp = stack.smtp()?;
        smtp.set_fault(Fault::RefuseGreeting(421, "4.3.2 shutting down".to_owned()));
        smtp.drop_connections();
        let greeted = smtp.count(Stage::Greeting);
        stack.ask_for_reset(&member.person.email).expect(200).await?;
        smtp.wait_for_stage(Stage::Greeting, greeted + 1, LIMIT).await?;
        change(stack, &member.tokens.access, &json!({"locale": "ja"})).expect(200).await?;
        smtp.clear_faults();
        let mail = nth_mail(stack, &member.person.email, 2).await?;
        assert_eq!(lang_of(&mail), "ja");
        Ok(())
    })
    .await
}

on_both!(an_email_has_the_language_as_of_sending);

//! The pages where people type a code.

use bookly_e2e::forge::wrong_code;
use bookly_e2e::person::new_password;
use bookly_e2e::prelude::*;

const VERIFY: &str = "Verify your email";
const RESET: &str = "Reset Your Password";

/// Where the form of a page leads, below the base path.
fn button(page: &str) -> Result<String> {
    between(page, "<form method=\"post\" action=\"/api/v1", "\"")
}

fn between(text: &str, start: &str, end: &str) -> Result<String> {
    let found = text.split(start).nth(1).and_then(|rest| rest.split(end).next());
    found.map(str::to_owned).with_context(|| format!("{start} in {text}"))
}

both! {
    async fn the_pages_take_a_code_and_show_what_is_wrong(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let code = stack.code(&person.email, VERIFY).await?;
        let page = stack.api().visit("/auth/verify").page(200).await?;
        for part in [r#"autocomplete="one-time-code""#, r#"inputmode="numeric""#, r#"name="code""#] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let submit = |path: &str, code: &str, more: &[(&str, &str)]| {
            let fields = [&[("email", person.email.as_str()), ("code", code)], more].concat();
            stack.api().submit(path, &fields)
        };
        let wrong = submit("/auth/verify", &wrong_code(&code), &[]).page(400).await?;
        assert!(wrong.contains("wrong or has expired") && wrong.contains(&person.email), "{wrong}");
        let short = submit("/auth/verify", "123", &[]).page(422).await?;
        assert!(short.contains("The code must have 8 digits."), "{short}");
        let confirmation = submit("/auth/verify", &code, &[]).page(200).await?;
        stack.api().submit(&button(&confirmation)?, &[]).page(200).await?;
        let again = submit("/auth/verify", &code, &[]).page(200).await?;
        assert!(again.contains("Your account is verified"), "{again}");

        let asked = stack.api().submit("/auth/password-reset-request", &[("email", &person.email)]).page(200).await?;
        assert!(asked.contains(r#"action="/api/v1/auth/password-reset-confirm""#), "{asked}");
        let code = stack.code(&person.email, RESET).await?;
        let passwords = [("new_password", "pa55-long-enough"), ("confirm_new_password", "pa55-another-one")];
        let refused = submit("/auth/password-reset-confirm", &code, &passwords).page(400).await?;
        assert!(refused.contains("not the same") && !refused.contains("pa55-"), "{refused}");
        let changed = person.with_password(&new_password());
        let passwords = [("new_password", changed.password.as_str()), ("confirm_new_password", &changed.password)];
        submit("/auth/password-reset-confirm", &code, &passwords).page(200).await?;
        stack.log_in(&changed).await?;
    }

    async fn a_form_with_a_code_says_for_which_account_it_is_before_it_verifies(stack: &Stack) {
        let person = Person { username: "kimnovak".to_owned(), ..Person::new() };
        let created_at = stack.sign_up(&person).await?["created_at"].take();
        let year = created_at.as_str().and_then(|time| time.get(..4)).context("a year")?;
        let code = stack.code(&person.email, VERIFY).await?;
        let fields = [("email", person.email.as_str()), ("code", code.as_str())];
        let mut page = String::new();
        // More often than wrong codes may be tried.
        for _ in 0..6 {
            page = stack.api().submit("/auth/verify?lang=en", &fields).page(200).await?;
            for said in [person.email.as_str(), "Kim Novak", "kimnovak", year, "I did not sign up"] {
                assert!(page.contains(said), "{said} in {page}");
            }
        }
        let tokens = stack.log_in(&person).await?;
        stack.me(&tokens.access).refused(403, "account_not_verified").await?;
        let verified = stack.api().submit(&button(&page)?, &[]).page(200).await?;
        assert!(verified.contains("Your account is verified"), "{verified}");
        stack.me(&tokens.access).expect(200).await?;
    }

    async fn the_owner_of_an_address_deletes_an_account_by_the_page_behind_its_code(stack: &Stack) {
        let stranger = Person::new();
        stack.sign_up(&stranger).await?;
        let code = stack.code(&stranger.email, VERIFY).await?;
        let form = stack.api().submit("/auth/verify", &[("email", &stranger.email), ("code", &code)]);
        let not_me = between(&form.page(200).await?, "<a href=\"/api/v1/auth/not-me/", "\"")?;
        stack.api().submit(&format!("/auth/not-me/{not_me}"), &[]).page(200).await?;
        stack.log_in_as(&stranger).refused(400, "invalid_email_or_password").await?;
    }

    async fn a_form_with_a_code_from_another_site_is_refused(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let code = stack.code(&person.email, VERIFY).await?;
        let form = stack.api().post("/auth/verify").form(&[("email", &person.email), ("code", &code)]);
        form.header(header::ORIGIN, "https://evil.test").page(403).await?;
        let tokens = stack.log_in(&person).await?;
        stack.me(&tokens.access).refused(403, "account_not_verified").await?;
    }
}

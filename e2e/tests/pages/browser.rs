//! What people do: open the mail, follow its link, press the button. In Chromium, with and without JavaScript.
//!
//! Screenshots of the pages are stored under `target/screenshots`.

use std::time::Duration;

use bookly_e2e::browser::Browser;
use bookly_e2e::forge;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::{JWT_SECRET, run};
use bookly_shared::links::Purpose;

both! {
    async fn a_person_follows_the_mails_link_and_presses_the_button(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let browser = Browser::start(true).await?;
        browser.open(&stack.link(&person.email, "Verify your email").await?).await?;
        browser.says("Verify your email").await?;
        browser.screenshot("verify").await?;
        browser.press("Your account is verified").await?;
        browser.screenshot("verified").await?;
        let tokens = stack.log_in(&person).await?;
        stack.me(&tokens.access).expect(200).await?;
    }

    async fn a_forgotten_password_is_replaced_without_javascript(stack: &Stack) {
        let person = stack.member().await?.person;
        let browser = Browser::start(false).await?;
        browser.open(&stack.api().url("/auth/password-reset-request")).await?;
        browser.fill("email", &person.email).await?;
        browser.screenshot("reset-request").await?;
        browser.press("Check your email").await?;
        browser.open(&stack.link(&person.email, "Reset Your Password").await?).await?;
        let changed = person.with_password(&new_password());
        browser.fill("new_password", &changed.password).await?;
        browser.fill("confirm_new_password", "pa55-something-else").await?;
        browser.press("not the same").await?;
        browser.screenshot("reset-mismatch").await?;
        browser.fill("new_password", &changed.password).await?;
        browser.fill("confirm_new_password", &changed.password).await?;
        browser.press("Your new password is saved").await?;
        browser.screenshot("reset-done").await?;
        stack.log_in(&changed).await?;
    }

    async fn a_person_types_the_mails_codes_without_javascript(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let browser = Browser::start(false).await?;
        browser.open(&stack.api().url("/auth/resend-verification")).await?;
        browser.fill("email", &person.email).await?;
        browser.press("enter the code here").await?;
        browser.screenshot("code-after-request").await?;
        let code = stack.nth_code(&person.email, "Verify your email", 2).await?;
        browser.fill("code", &forge::wrong_code(&code)).await?;
        browser.press("wrong or has expired").await?;
        browser.screenshot("code-wrong").await?;
        browser.fill("code", &code).await?;
        browser.press("I did not sign up").await?;
        for said in [&person.email, "Kim Novak"] {
            browser.says(said).await?;
        }
        browser.screenshot("code-right").await?;
        browser.press("Your account is verified").await?;
        browser.open(&stack.api().url("/auth/password-reset-request")).await?;
        browser.fill("email", &person.email).await?;
        browser.press("enter the code here").await?;
        let code = stack.code(&person.email, "Reset Your Password").await?;
        browser.fill("code", &code.replace(' ', "")).await?;
        let changed = person.with_password(&new_password());
        browser.fill("new_password", &changed.password).await?;
        browser.fill("confirm_new_password", "pa55-something-else").await?;
        browser.press("not the same").await?;
        browser.screenshot("code-reset").await?;
        browser.fill("code", &code).await?;
        browser.fill("new_password", &changed.password).await?;
        browser.fill("confirm_new_password", &changed.password).await?;
        browser.press("Your new password is saved").await?;
        stack.log_in(&changed).await?;
    }

    async fn a_person_verifies_and_moves_an_address_without_javascript(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let browser = Browser::start(false).await?;
        browser.open(&stack.link(&person.email, "Verify your email").await?).await?;
        browser.press("Your account is verified").await?;
        let tokens = stack.log_in(&person).await?;
        let moved = Person { email: new_address(), ..person.clone() };
        let ask = json!({"new_email": moved.email, "password": person.password});
        stack.api().post("/auth/email-change-request").bearer_auth(&tokens.access).json(&ask).expect(200).await?;
        browser.open(&stack.link(&moved.email, "Confirm your new email address").await?).await?;
        browser.screenshot("email-change").await?;
        browser.press("Your email address is changed").await?;
        stack.log_in(&moved).await?;
    }

    async fn the_owner_of_an_address_deletes_a_strangers_account_without_javascript(stack: &Stack) {
        let stranger = Person { username: "kimnovak".to_owned(), ..Person::new() };
        stack.sign_up(&stranger).await?;
        let browser = Browser::start(false).await?;
        let link = stack.link(&stranger.email, "Verify your email").await?;
        browser.open(&link).await?;
        for said in [&stranger.email, &stranger.username, "Kim Novak"] {
            browser.says(said).await?;
        }
        browser.follow("I did not sign up", "Delete this account?").await?;
        browser.says(&stranger.email).await?;
        browser.screenshot("not-me").await?;
        // The page asks again: opening it deletes nothing.
        stack.log_in(&stranger).await?;
        browser.press("The account was deleted").await?;
        browser.screenshot("not-me-done").await?;
        stack.log_in_as(&stranger).refused(400, "invalid_email_or_password").await?;
        browser.open(&link).await?;
        browser.says("This account does not exist any more").await?;
        let owner = stranger.with_password(&new_password());
        stack.sign_up(&owner).await?;
        browser.open(&stack.nth_link(&owner.email, "Verify your email", 2).await?).await?;
        browser.press("Your account is verified").await?;
    }

    async fn an_owner_undoes_a_change_of_address_and_sets_a_new_password_without_javascript(stack: &Stack) {
        let owner = stack.member().await?;
        let thief = Person { email: new_address(), ..owner.person.clone() };
        let ask = json!({"new_email": thief.email, "password": owner.person.password});
        stack.api().post("/auth/email-change-request").bearer_auth(&owner.tokens.access).json(&ask).expect(200).await?;
        stack.api().post(&stack.link(&thief.email, "Confirm your new email address").await?).expect(200).await?;
        let browser = Browser::start(false).await?;
        let undo = stack.link(&owner.person.email, "Your email address was changed").await?;
        browser.open(&undo).await?;
        browser.says(&owner.person.email).await?;
        browser.screenshot("email-change-undo").await?;
        stack.log_in(&thief).await?;
        browser.press("Your address is restored").await?;
        browser.screenshot("email-change-undone").await?;
        for person in [&owner.person, &thief] {
            stack.log_in_as(person).refused(400, "invalid_email_or_password").await?;
        }
        browser.open(&undo).await?;
        browser.says("This link does not work").await?;
        browser.open(&stack.link(&owner.person.email, "Reset Your Password").await?).await?;
        let changed = owner.person.with_password(&new_password());
        browser.fill("new_password", &changed.password).await?;
        browser.fill("confirm_new_password", &changed.password).await?;
        browser.press("Your new password is saved").await?;
        stack.log_in(&changed).await?;
    }

    async fn an_expired_link_leads_to_a_fresh_one(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let link = stack.link(&person.email, "Verify your email").await?;
        let hours = Duration::from_secs(2 * 3600);
        let old = forge::aged(forge::token_of(&link), Purpose::EmailVerification, hours, JWT_SECRET)?;
        let browser = Browser::start(false).await?;
        browser.open(&stack.api().url(&format!("/auth/verify/{old}"))).await?;
        browser.says("expired").await?;
        browser.screenshot("link-expired").await?;
        browser.fill("email", &person.email).await?;
        browser.press("a new link is on its way").await?;
        browser.open(&stack.nth_link(&person.email, "Verify your email", 2).await?).await?;
        browser.press("Your account is verified").await?;
    }

    /// Over plain http Chromium sends no `Sec-Fetch-Site` to such a name, and with `no-referrer` no origin either.
    async fn every_button_works_over_plain_http_under_a_name_that_is_not_localhost(stack: &Stack, DOMAIN = "http://bookly.lan") {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let browser = Browser::start_under_a_name(false, "bookly.lan", stack.api().root()).await?;
        let link = stack.link(&person.email, "Verify your email").await?;
        ensure!(link.starts_with("http://bookly.lan/"), "{link}");
        browser.open(&link).await?;
        browser.press("Your account is verified").await?;
        let tokens = stack.log_in(&person).await?;
        let moved = Person { email: new_address(), ..person.clone() };
        let ask = json!({"new_email": moved.email, "password": person.password});
        stack.api().post("/auth/email-change-request").bearer_auth(&tokens.access).json(&ask).expect(200).await?;
        browser.open(&stack.link(&moved.email, "Confirm your new email address").await?).await?;
        browser.press("Your email address is changed").await?;
        browser.open("http://bookly.lan/api/v1/auth/password-reset-request").await?;
        browser.fill("email", &moved.email).await?;
        browser.press("Check your email").await?;
        browser.open(&stack.link(&moved.email, "Reset Your Password").await?).await?;
        let changed = moved.with_password(&new_password());
        browser.fill("new_password", &changed.password).await?;
        browser.fill("confirm_new_password", &changed.password).await?;
        browser.press("Your new password is saved").await?;
        stack.command("bookly-api", &["user", "role", &changed.email, "admin"]).await?.succeeded()?;
        browser.open("http://bookly.lan/admin/login").await?;
        browser.fill("email", &changed.email).await?;
        browser.fill("password", &changed.password).await?;
        browser.press("Emails in the last hour").await?;
        browser.press_button("Log out", "For administrators").await?;
    }

    async fn pages_fit_a_narrow_phone_and_name_their_fields(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.ask_for_reset(&person.email).expect(200).await?;
        let verify = stack.link(&person.email, "Verify your email").await?;
        let not_me = verify.replace("/verify/", "/not-me/");
        let moved = stack.member().await?;
        let ask = json!({"new_email": new_address(), "password": moved.person.password});
        let request = stack.api().post("/auth/email-change-request").bearer_auth(&moved.tokens.access);
        request.json(&ask).expect(200).await?;
        let confirm = stack.link(ask["new_email"].as_str().context("an address")?, "Confirm your new email address").await?;
        stack.api().post(&confirm).expect(200).await?;
        let undo = stack.link(&moved.person.email, "Your email address was changed").await?;
        let reset = stack.link(&person.email, "Reset Your Password").await?;
        let browser = Browser::start(true).await?;
        browser.resize(320).await?;
        let own = |path: &str| stack.api().url(path);
        let pages = [verify, not_me, undo, reset, own("/auth/password-reset-request"), own("/auth/resend-verification"), own("/auth/verify"), own("/auth/password-reset-confirm"), own("//"), own("/auth/verify/x")];
        for page in pages {
            browser.open(&page).await?;
            browser.content_width().await.context(page)?;
            let fields = browser.attributes("input:not([hidden]):not([type=hidden])", "id").await?;
            let labels = browser.attributes("label", "for").await?;
            assert!(fields.iter().all(|id| id.is_some() && labels.contains(id)), "every field has a label");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_finds_the_mail_in_the_inbox() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.mail(&person.email, "Verify your email").await?;
        let browser = Browser::start(true).await?;
        browser.open(stack.api().root()).await?;
        browser.screenshot("start").await?;
        browser.open(&stack.api().url("//inbox")).await?;
        browser.says(&person.email).await?;
        browser.screenshot("inbox").await?;
        browser.follow("Verify your email", "bookly@bookly.test").await?;
        browser.says(&person.email).await?;
        browser.screenshot("inbox-mail").await?;
        Ok(())
    })
    .await
}

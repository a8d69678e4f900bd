//! `examples/frontend`: a frontend of its own origin, in Chromium. Every link of an email leads to it, and it calls the API
//! with JSON.

use bookly_e2e::browser::Browser;
use bookly_e2e::example::Example;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use bookly_e2e::static_site::StaticSite;

/// The origin in the example's settings.
const ORIGIN: &str = "http://localhost:5173";

/// The frontend in a browser, and the API that it calls.
struct Frontend<'a> {
    stack: &'a Stack,
    site: &'a StaticSite,
    browser: Browser,
}

/// Runs a test with the example's settings and files.
async fn with_frontend(kind: Kind, test: impl AsyncFn(&Frontend<'_>) -> Result<()>) -> Result<()> {
    let example = Example::named("frontend")?;
    let site = StaticSite::start(example.folder()).await?;
    let options = example.added_to(StackOptions::new(kind), |_, value| value.replace(ORIGIN, site.origin()));
    run(options, async |stack| {
        site.replace("config.js", format!("const API = '{}';", stack.api().url("/auth")));
        let browser = Browser::start(true).await?;
        test(&Frontend { stack, site: &site, browser }).await
    })
    .await
}

impl Frontend<'_> {
    async fn open(&self, page: &str) -> Result<()> {
        self.browser.open(&format!("{}/#/{page}", self.site.origin())).await
    }

    /// Opens the link in the `nth` email with this subject.
    async fn follow_mail(&self, to: &str, subject: &str, nth: usize) -> Result<()> {
        let mail = self.stack.nth_mail(to, subject, nth).await?;
        let link = mail.link(self.site.origin()).context("a link to the frontend")?;
        ensure!(!mail.text().unwrap_or_default().contains("/api/v1/"), "{mail:?}");
        self.browser.open(&link).await
    }

    async fn fill(&self, fields: &[(&str, &str)]) -> Result<()> {
        for (field, text) in fields {
            // A page that is opened again keeps what was typed.
            self.browser.clear(field).await?;
            self.browser.fill(field, text).await?;
        }
        Ok(())
    }

    async fn sign_up(&self, person: &Person) -> Result<()> {
        self.open("sign-up").await?;
        let (first, last) = (&*person.first_name, &*person.last_name);
        self.fill(&[("first_name", first), ("last_name", last), ("username", &person.username)]).await?;
        self.fill(&[("email", &person.email), ("password", &person.password)]).await?;
        self.browser.press_button("Sign up", "We sent a link and a code to you").await
    }

    async fn log_in(&self, email: &str, password: &str, expected: &str) -> Result<()> {
        self.open("log-in").await?;
        self.browser.says("I forgot my password").await?;
        self.fill(&[("email", email), ("password", password)]).await?;
        self.browser.press_button("Log in", expected).await
    }

    async fn reset(&self, password: &str) -> Result<()> {
        self.browser.says("Choose a new password").await?;
        self.fill(&[("new_password", password), ("confirm_new_password", password)]).await?;
        self.browser.press_button("Save new password", "Password reset Successfully").await
    }
}

async fn a_person_signs_up_moves_the_address_undoes_it_and_resets_the_password(
    frontend: &Frontend<'_>,
) -> Result<()> {
    let (browser, person) = (&frontend.browser, Person::new());
    frontend.sign_up(&person).await?;
    frontend.follow_mail(&person.email, "Verify your email", 1).await?;
    browser.says("Verify your email").await?;
    ensure!(browser.url().await?.ends_with("/#/verify"), "the token is still in the address bar");
    browser.press_button("Verify my email", "Account verified successfully").await?;
    frontend.log_in(&person.email, "pa55-wrong", "The address or the password is wrong").await?;
    frontend.log_in(&person.email, &person.password, &person.email).await?;
    let language = "SELECT count(*) FROM users WHERE email = $1 AND locale IS NOT NULL";
    assert_eq!(frontend.stack.sql().number(language, &person.email).await?, 1);

    let moved = new_address();
    frontend.fill(&[("new_email", &moved), ("password", &person.password)]).await?;
    browser.press_button("Change my address", "Check the new address for a confirmation link").await?;
    frontend.follow_mail(&moved, "Confirm your new email address", 1).await?;
    browser.press_button("Confirm this address", "Email changed successfully").await?;
    frontend.follow_mail(&person.email, "Your email address was changed", 1).await?;
    browser.says("Undo the change of address").await?;
    browser.press_button("Restore my address", "Email change undone").await?;
    browser.says("I forgot my password").await?;
    ensure!(browser.url().await?.ends_with("/#/log-in"), "the session has ended");

    frontend.follow_mail(&person.email, "Reset Your Password", 1).await?;
    let password = new_password();
    frontend.reset(&password).await?;
    frontend.log_in(&person.email, &password, &person.email).await?;
    browser.press_button("Log out", "Logged Out Successfully").await?;
    // The notice leads to the form for a forgotten password.
    frontend.follow_mail(&person.email, "Your password was changed", 1).await?;
    browser.says("Reset your password").await?;
    frontend.fill(&[("email", &person.email)]).await?;
    browser.press_button("Send me a link", "Please check your email for instructions").await?;
    frontend.follow_mail(&person.email, "Reset Your Password", 2).await?;
    frontend.reset(&new_password()).await
}

async fn a_person_does_the_same_with_codes(frontend: &Frontend<'_>) -> Result<()> {
    let (browser, stack, person) = (&frontend.browser, frontend.stack, Person::new());
    frontend.sign_up(&person).await?;
    let code = stack.code(&person.email, "Verify your email").await?;
    // The address is that of the sign-up.
    browser.fill("code", &code).await?;
    browser.press_button("Verify my email", "Account verified successfully").await?;
    frontend.log_in(&person.email, &person.password, &person.email).await?;
    let moved = new_address();
    frontend.fill(&[("new_email", &moved), ("password", &person.password)]).await?;
    browser.press_button("Change my address", "Check the new address for a confirmation link").await?;
    browser.follow("I have a code for the new address", "Confirm your new email address").await?;
    browser.fill("code", &stack.code(&moved, "Confirm your new email address").await?).await?;
    browser.press_button("Confirm this address", "Email changed successfully").await?;
    frontend.open("forgotten").await?;
    browser.says("Reset your password").await?;
    frontend.fill(&[("email", &moved)]).await?;
    browser.press_button("Send me a link", "Please check your email for instructions").await?;
    browser.follow("I have a code", "Choose a new password").await?;
    let code = stack.code(&moved, "Reset Your Password").await?;
    frontend.fill(&[("email", &moved), ("code", "0000 0000")]).await?;
    let password = new_password();
    frontend.fill(&[("new_password", &password), ("confirm_new_password", &password)]).await?;
    browser
        .press_button(
            "Save new password",
            "This code is wrong or too old. The link in the email works as well.",
        )
        .await?;
    frontend.fill(&[("code", &code)]).await?;
    browser.press_button("Save new password", "Password reset Successfully").await?;
    frontend.log_in(&moved, &password, &moved).await
}

async fn the_owner_of_an_address_deletes_the_account_of_a_stranger(frontend: &Frontend<'_>) -> Result<()> {
    let (browser, person) = (&frontend.browser, Person::new());
    frontend.sign_up(&person).await?;
    browser.follow("I got no email", "Get a new link").await?;
    browser.press_button("Send a new link", "a new link is on its way").await?;
    frontend.follow_mail(&person.email, "Verify your email", 2).await?;
    browser.follow("I did not sign up", "Delete this account?").await?;
    browser.press_button("Delete this account", "The account was deleted").await?;
    frontend.log_in(&person.email, &person.password, "The address or the password is wrong").await
}

async fn a_page_that_the_settings_do_not_name_may_not_call(frontend: &Frontend<'_>) -> Result<()> {
    let other = StaticSite::start(Example::named("frontend")?.folder()).await?;
    other.replace("config.js", format!("const API = '{}';", frontend.stack.api().url("/auth")));
    let browser = &frontend.browser;
    browser.open(&format!("{}/#/forgotten", other.origin())).await?;
    browser.fill("email", &new_address()).await?;
    browser.press_button("Send me a link", "Failed to fetch").await
}

on_both!(with_frontend:
    a_person_signs_up_moves_the_address_undoes_it_and_resets_the_password,
    a_person_does_the_same_with_codes,
    the_owner_of_an_address_deletes_the_account_of_a_stranger,
    a_page_that_the_settings_do_not_name_may_not_call,
);

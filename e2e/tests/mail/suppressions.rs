//! Mailboxes that get no email: by their owner's click, by an operator, by a bounce.

use bookly_e2e::person::new_address;
use bookly_e2e::prelude::*;
use bookly_e2e::stack::{Tokens, run};
use reqwest::header;

const DOMAIN: &str = "https://books.example.org";
const WELCOME: &str = "Welcome to our app";

/// An administrator of a service whose links lead to another place than the test's.
async fn admin(stack: &Stack) -> Result<Tokens> {
    let person = Person::new();
    stack.sign_up(&person).await?;
    let mail = stack.mail(&person.email, "Verify your email").await?;
    ensure!(mail.header("List-Unsubscribe").is_none(), "bulk only");
    let link = stack.link(&person.email, "Verify your email").await?;
    stack.api().post(&here(stack, &link)).expect(200).await?;
    stack.command("bookly-api", &["user", "role", &person.email, "admin"]).await?.succeeded()?;
    stack.log_in(&person).await
}

fn here(stack: &Stack, link: &str) -> String {
    link.replace(DOMAIN, stack.api().root())
}

async fn welcome(stack: &Stack, admin: &Tokens, address: &str) -> Result<()> {
    let body = json!({"addresses": [address]});
    stack.api().post("/auth/send_mail").bearer_auth(&admin.access).json(&body).expect(200).await?;
    stack.settled().await
}

/// Why emails to this address were cancelled.
async fn reasons(stack: &Stack, address: &str) -> Result<Vec<String>> {
    let sql = "SELECT last_error FROM emails WHERE recipient = $1 AND state = 'cancelled' ORDER BY id";
    stack.sql().texts(sql, address).await
}

async fn one_click_ends_the_welcome_emails_and_no_others(stack: &Stack, admin: &Tokens) -> Result<()> {
    let person = Person::new();
    let address = &person.email;
    stack.sign_up(&person).await?;
    welcome(stack, admin, address).await?;
    let mail = stack.mail(address, WELCOME).await?;
    assert_eq!(mail.header("List-Unsubscribe-Post").as_deref(), Some("List-Unsubscribe=One-Click"));
    let listed = mail.header("List-Unsubscribe").context("the header")?;
    let link = listed.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).context(listed.clone())?;
    ensure!(link.starts_with(&format!("{DOMAIN}/api/v1/unsubscribe/")), "{link}");
    let link = here(stack, link);

    let page = stack.api().visit(&link).page(200).await?;
    assert!(page.contains(address.as_str()), "{page}");
    welcome(stack, admin, address).await?;
    stack.nth_mail(address, WELCOME, 2).await.context("the page changes nothing")?;

    let click = stack.api().post(&link).header(header::ORIGIN, "https://mail.example.com");
    let answer = click.form(&[("List-Unsubscribe", "One-Click")]).expect(200).await?;
    assert_eq!(answer, json!({"message": "Unsubscribed"}));
    welcome(stack, admin, address).await?;
    assert_eq!(reasons(stack, address).await?, ["suppressed: unsubscribe"]);
    stack.ask_for_reset(address).expect(200).await?;
    stack.mail(address, "Reset Your Password").await?;

    let of = format!("/admin/suppressions/{address}?reason=unsubscribe");
    let removed =
        stack.api().request(reqwest::Method::DELETE, &of).bearer_auth(&admin.access).answer().await?;
    assert_eq!(removed.status, 204, "{removed:?}");
    welcome(stack, admin, address).await?;
    stack.nth_mail(address, WELCOME, 3).await.map(drop)
}

async fn an_operator_stops_all_emails_to_a_mailbox(stack: &Stack, admin: &Tokens) -> Result<()> {
    let address = new_address();
    stack.command("bookly-worker", &["suppression", "add", &address]).await?.succeeded()?;
    let query = format!("/admin/suppressions?address={address}");
    let listed = stack.api().get(&query).bearer_auth(&admin.access).expect(200).await?;
    assert_eq!(listed["suppressions"][0]["reason"], "operator", "{listed}");
    welcome(stack, admin, &address).await?;
    assert_eq!(reasons(stack, &address).await?, ["suppressed: operator"]);
    stack.command("bookly-worker", &["suppression", "remove", &address]).await?.succeeded()?;
    welcome(stack, admin, &address).await?;
    stack.mail(&address, WELCOME).await.map(drop)
}

async fn a_bounce_lets_one_reset_a_day_pass(stack: &Stack, admin: &Tokens) -> Result<()> {
    let person = Person::new();
    stack.sign_up(&person).await?;
    stack.mail(&person.email, "Verify your email").await?;
    let bounce = json!({"address": person.email, "reason": "bounce"});
    stack.api().post("/admin/suppressions").bearer_auth(&admin.access).json(&bounce).expect(201).await?;
    for _ in 0..2 {
        let answer = stack.ask_for_reset(&person.email).expect(200).await?;
        let told = stack.ask_for_reset(&new_address()).expect(200).await?;
        assert_eq!(answer, told, "strangers learn nothing");
        stack.settled().await?;
    }
    stack.mail(&person.email, "Reset Your Password").await?;
    assert_eq!(stack.mails_to(&person.email)?.len(), 2);
    assert_eq!(reasons(stack, &person.email).await?, ["suppressed: bounce"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suppressed_mailbox_gets_no_email_and_the_row_says_why() -> Result<()> {
    let options = StackOptions::new(Kind::Full).workers(1).with("DOMAIN", DOMAIN);
    run(options, async |stack| {
        let admin = admin(stack).await?;
        one_click_ends_the_welcome_emails_and_no_others(stack, &admin).await?;
        an_operator_stops_all_emails_to_a_mailbox(stack, &admin).await?;
        a_bounce_lets_one_reset_a_day_pass(stack, &admin).await
    })
    .await
}

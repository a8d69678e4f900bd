//! The operator's pages in Chromium: find an email, see why it failed, send it again, cancel it.

use bookly_e2e::browser::Browser;
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::{Member, run};

/// The widths of a phone and of a desktop screen.
const WIDTHS: [u32; 2] = [390, 1280];

/// Logs an administrator in to the pages.
async fn operator(stack: &Stack, admin: &Member, javascript: bool) -> Result<Browser> {
    let browser = Browser::start(javascript).await?;
    browser.open(&stack.api().url("//admin")).await?;
    browser.says("For administrators").await?;
    browser.fill("email", &admin.person.email).await?;
    browser.fill("password", &admin.person.password).await?;
    browser.press("Emails in the last hour").await?;
    Ok(browser)
}

/// Waits until the newest mail to this address is in this state.
async fn state(stack: &Stack, to: &str, state: &str) -> Result<()> {
    let sql = "SELECT count(*) FROM emails WHERE recipient = $1 AND state = ";
    until("a mail's state", LIMIT, async || {
        let found = stack.sql().number(&format!("{sql}'{state}'"), to).await?;
        Ok((found > 0).then_some(()))
    })
    .await
}

async fn a_failed_mail_is_found_and_sent_again(stack: &Stack) -> Result<()> {
    let (admin, smtp) = (stack.admin().await?, stack.smtp()?);
    let person = Person::new();
    smtp.set_fault(Fault::reply(Stage::RcptTo, 550, "5.1.1 no such user").only_to(&person.email));
    stack.sign_up(&person).await?;
    state(stack, &person.email, "failed").await?;
    let browser = operator(stack, &admin, false).await?;
    browser.follow(&person.email, "What happened").await?;
    browser.says("550 5.1.1 no such user").await?;
    smtp.clear_faults();
    browser.press_button("Send it again", "What happened").await?;
    stack.link(&person.email, "Verify your email").await?;
    state(stack, &person.email, "sent").await?;
    browser.open(&stack.api().url("//admin")).await?;
    browser.fill("to", &person.email.to_uppercase()).await?;
    browser.press_button("Search", "verify email").await?;
    browser.follow(&person.email, "What happened").await?;
    // The whole history: it failed, an operator retried it, it was sent.
    for part in ["Accepted", "Failed", "550 5.1.1 no such user", "Sent", "250 "] {
        browser.says(part).await?;
    }
    browser.open(&stack.api().url("//admin")).await?;
    browser.press_button("Log out", "For administrators").await?;
    browser.open(&stack.api().url("//admin")).await?;
    browser.says("For administrators").await
}

async fn a_mail_that_waits_is_cancelled(stack: &Stack) -> Result<()> {
    let (admin, smtp) = (stack.admin().await?, stack.smtp()?);
    let person = Person::new();
    smtp.set_fault(Fault::reply(Stage::RcptTo, 450, "4.2.1 mailbox busy").only_to(&person.email));
    let browser = operator(stack, &admin, false).await?;
    stack.sign_up(&person).await?;
    // After its first attempt it is queued again and waits for the second.
    let waits = "SELECT count(*) FROM emails WHERE recipient = $1 AND state = 'queued' AND attempts > 0";
    until("a mail that waits", LIMIT, async || {
        Ok((stack.sql().number(waits, &person.email).await? > 0).then_some(()))
    })
    .await?;
    browser.open(&stack.api().url("//admin")).await?;
    browser.follow(&person.email, "450 4.2.1 mailbox busy").await?;
    browser.press_button("Cancel it", "cancelled by an operator").await?;
    smtp.clear_faults();
    state(stack, &person.email, "cancelled").await?;
    assert!(stack.mails_to(&person.email)?.is_empty());
    Ok(())
}

async fn the_pages_fit_a_phone_and_a_desk(stack: &Stack) -> Result<()> {
    let (admin, smtp) = (stack.admin().await?, stack.smtp()?);
    let failing = Person::new();
    smtp.set_fault(Fault::reply(Stage::RcptTo, 550, "5.1.1 no such user").only_to(&failing.email));
    stack.sign_up(&failing).await?;
    state(stack, &failing.email, "failed").await?;
    let waiting = Person::new();
    smtp.set_fault(Fault::reply(Stage::Data, 451, "4.3.0 try again later").only_to(&waiting.email));
    stack.sign_up(&waiting).await?;
    let browser = operator(stack, &admin, true).await?;
    let board = stack.api().url("//admin");
    browser.follow(&failing.email, "What happened").await?;
    let pages = [
        ("board", board.clone()),
        ("mail", browser.url().await?),
        ("search", format!("{board}/emails?to=&state=")),
        ("wrong", format!("{board}/emails?to=zoe")),
    ];
    for width in WIDTHS {
        browser.resize(width).await?;
        for (name, page) in &pages {
            browser.open(page).await?;
            browser.content_width().await.with_context(|| format!("{name} at {width} px"))?;
            browser.screenshot(&format!("admin-{name}-{width}")).await?;
            let fields = browser.attributes("input, select", "id").await?;
            let labels = browser.attributes("label", "for").await?;
            assert!(fields.iter().all(|id| id.is_some() && labels.contains(id)), "every field has a label");
        }
    }
    assert_eq!(browser.attributes("#to", "value").await?, [Some("zoe".to_owned())], "what was typed stays");
    Ok(())
}

async fn the_board_tells_which_mail_server_is_away(stack: &Stack) -> Result<()> {
    let (admin, smtp) = (stack.admin().await?, stack.smtp()?);
    let workers = if stack.kind() == Kind::Full { "2 workers" } else { "1 worker" };
    let browser = operator(stack, &admin, false).await?;
    let board = stack.api().url("//admin");
    let tells = async |circuit: &str| {
        until("a circuit on the board", LIMIT, async || {
            browser.open(&board).await?;
            Ok(browser.text().await?.contains(circuit).then_some(()))
        })
        .await
    };
    let usable = format!("closed first, {workers}, since");
    tells(&usable).await?;
    smtp.close_port().await;
    // Each worker opens its own circuit, when it tries.
    for _ in 0..20 {
        stack.sign_up(&Person::new()).await?;
    }
    tells("open first, ").await?;
    browser.screenshot("admin-server-away").await?;
    smtp.open_port();
    tells(&usable).await
}

/// Both stacks, each with a mail server that can refuse.
macro_rules! with_mail_server {
    ($($name:ident),*) => {
        mod embedded {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() -> Result<()> {
                    run(StackOptions::new(Kind::Embedded).mail_server(), super::$name).await
                }
            )*
        }
        mod full {
            use super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() -> Result<()> {
                    run(StackOptions::new(Kind::Full), super::$name).await
                }
            )*
        }
    };
}

with_mail_server!(
    a_failed_mail_is_found_and_sent_again,
    a_mail_that_waits_is_cancelled,
    the_board_tells_which_mail_server_is_away,
    the_pages_fit_a_phone_and_a_desk
);

//! The admin's welcome mail.

use std::time::Duration;

use bookly_e2e::person::new_address;
use bookly_e2e::poll::LIMIT;
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::{Tokens, run};
use reqwest::RequestBuilder;

/// Of the worker in the test of bulk; a quarter is not for bulk.
const DELIVERIES: usize = 4;

fn send(stack: &Stack, tokens: &Tokens, addresses: &Value) -> RequestBuilder {
    stack.api().post("/auth/send_mail").bearer_auth(&tokens.access).json(&json!({"addresses": addresses}))
}

both! {
    async fn an_admin_welcomes_each_address_with_a_mail_of_its_own(stack: &Stack) {
        let admin = stack.admin().await?;
        let addresses: Vec<String> = (0..3).map(|_| new_address()).collect();
        // Each again, in another spelling.
        let named: Vec<String> = addresses.iter().cloned().chain(addresses.iter().map(|a| a.to_uppercase())).collect();
        let answer = send(stack, &admin.tokens, &json!(named)).expect(200).await?;
        assert_eq!(answer, json!({"message": "Email sent successfully"}));
        stack.settled().await?;
        for address in &addresses {
            let mail = stack.mail(address, "Welcome to our app").await?;
            assert_eq!(mail.to, [address.as_str()], "nobody sees who else is welcomed");
            assert_eq!(stack.mails_to(address)?.len(), 1, "one message, to the first spelling");
            assert!(mail.text().context("text")?.contains("Welcome to the app"));
            assert!(mail.html().context("HTML")?.contains("Welcome to the app"));
        }
    }

    async fn nobody_else_sends_mail(stack: &Stack) {
        let member = stack.member().await?;
        let addresses = json!([new_address()]);
        send(stack, &member.tokens, &addresses).refused(403, "insufficient_permissions").await?;
        let body = json!({"addresses": addresses});
        stack.api().post("/auth/send_mail").json(&body).refused(401, "not_authenticated").await?;
        stack.settled().await?;
        let stranger = addresses[0].as_str().context("an address")?;
        assert_eq!(stack.mails_to(stranger)?.len(), 0);
    }

    async fn an_admin_who_is_no_longer_one_sends_no_mail(stack: &Stack) {
        let admin = stack.admin().await?;
        stack.command("bookly-api", &["user", "role", &admin.person.email, "user"]).await?.succeeded()?;
        let refused = send(stack, &admin.tokens, &json!([new_address()])).answer().await?;
        assert!([401, 403].contains(&refused.status.as_u16()), "{refused:?}");
        let again = stack.log_in(&admin.person).await?;
        send(stack, &again, &json!([new_address()])).refused(403, "insufficient_permissions").await?;
    }

    async fn one_wrong_address_and_none_is_mailed(stack: &Stack) {
        let admin = stack.admin().await?;
        let good = new_address();
        for bad in ["no address", "kim-x@people.test\r\nBcc: y@z.test", ""] {
            send(stack, &admin.tokens, &json!([good, bad])).refused(422, "validation_error").await?;
        }
        send(stack, &admin.tokens, &json!("kim-x@people.test")).refused(422, "validation_error").await?;
        stack.settled().await?;
        assert_eq!(stack.mails_to(&good)?.len(), 0);
    }

    async fn only_accounts_that_exist_get_a_role(stack: &Stack) {
        let stranger = new_address();
        let finished = stack.command("bookly-api", &["user", "role", &stranger, "admin"]).await?;
        assert!(!finished.status.success());
        let member = stack.member().await?.person;
        let finished = stack.command("bookly-api", &["user", "role", &member.email, "king"]).await?;
        assert!(!finished.status.success());
    }
}

/// Per delivery at a time, one bulk email may end while the reset is claimed, and one while it is with the mail server.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_does_not_wait_behind_bulk() -> Result<()> {
    let options = StackOptions::new(Kind::Full).workers(1).with("WORKER_CONCURRENCY", DELIVERIES.to_string());
    run(options, async |stack: &Stack| {
        let (smtp, member, admin) = (stack.smtp()?, stack.member().await?.person, stack.admin().await?);
        stack.settled().await?;
        let before_bulk = smtp.mails_total();
        smtp.set_fault(Fault::DelayAt(Stage::FinalDot, Duration::from_millis(300)));
        let addresses: Vec<String> = (0..50).map(|_| new_address()).collect();
        send(stack, &admin.tokens, &json!(addresses)).expect(200).await?;
        smtp.wait_for_total(before_bulk + 3, LIMIT).await?;
        stack
            .api()
            .post("/auth/password-reset-request")
            .json(&json!({"email": member.email}))
            .expect(200)
            .await?;
        let before = smtp.mails_total();
        smtp.wait_for_mail_with_subject(&member.email, "Reset Your Password", LIMIT).await?;
        let ahead = smtp.mails_total() - before;
        assert!(ahead <= 2 * DELIVERIES, "{ahead} emails came before the reset");
        smtp.clear_faults();
        for address in &addresses {
            smtp.wait_for_mail_to(address, LIMIT).await?;
        }
        Ok(())
    })
    .await
}

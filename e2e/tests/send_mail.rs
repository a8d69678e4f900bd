//! The admin's welcome mail.

use bookly_e2e::person::new_address;
use bookly_e2e::prelude::*;
use bookly_e2e::stack::Tokens;
use reqwest::RequestBuilder;

fn send(stack: &Stack, tokens: &Tokens, addresses: &Value) -> RequestBuilder {
    stack.api().post("/auth/send_mail").bearer_auth(&tokens.access).json(&json!({"addresses": addresses}))
}

both! {
    async fn an_admin_welcomes_each_address_with_a_mail_of_its_own(stack: &Stack) {
        let admin = stack.admin().await?;
        let addresses: Vec<String> = (0..3).map(|_| new_address()).collect();
        let answer = send(stack, &admin.tokens, &json!(addresses)).expect(200).await?;
        assert_eq!(answer, json!({"message": "Email sent successfully"}));
        for address in &addresses {
            let mail = stack.mail(address, "Welcome to our app").await?;
            assert_eq!(mail.to, [address.as_str()], "nobody sees who else is welcomed");
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

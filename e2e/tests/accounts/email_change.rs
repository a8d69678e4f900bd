//! Moving an account to another address.

use bookly_e2e::forge;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::Member;
use reqwest::RequestBuilder;

const ASKED: &str = "Check the new address for a confirmation link";
const LINK: &str = "Confirm your new email address";
const NOTICE: &str = "Your email address is about to change";

fn ask(stack: &Stack, member: &Member, new_email: &str, password: &str) -> RequestBuilder {
    let body = json!({"new_email": new_email, "password": password});
    stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access).json(&body)
}

async fn asked(stack: &Stack, member: &Member, new_email: &str) -> Result<String> {
    let answer = ask(stack, member, new_email, &member.person.password).expect(200).await?;
    assert_eq!(answer, json!({"message": ASKED}));
    stack.link(new_email, LINK).await
}

both! {
    async fn an_address_moves_when_the_new_one_is_proven(stack: &Stack) {
        let member = stack.member().await?;
        let new_email = new_address();
        let link = asked(stack, &member, &new_email).await?;
        let page = stack.api().visit(&link).page(200).await?;
        assert!(page.contains("<button"), "{page}");
        assert_eq!(stack.me(&member.tokens.access).expect(200).await?["email"], member.person.email);
        let answer = stack.api().post(&link).expect(200).await?;
        assert_eq!(answer, json!({"message": "Email changed successfully"}));
        let moved = Person { email: new_email.clone(), ..member.person.clone() };
        let tokens = stack.log_in(&moved).await?;
        assert_eq!(stack.me(&tokens.access).expect(200).await?["email"], new_email);
        stack.log_in_as(&member.person).refused(400, "invalid_email_or_password").await?;
    }

    async fn the_old_address_is_warned_with_the_new_one_masked(stack: &Stack) {
        let member = stack.member().await?;
        let new_email = new_address();
        asked(stack, &member, &new_email).await?;
        let notice = stack.mail(&member.person.email, NOTICE).await?;
        let text = notice.text().context("text")?;
        assert!(!text.contains(&new_email), "masked: {text}");
        assert!(text.contains("people.test"), "but recognisable: {text}");
        assert!(text.contains("/api/v1/auth/password-reset-request"), "what to do: {text}");
        assert!(!text.contains("email-change-confirm"), "the link is for the new address only");
    }

    async fn the_link_works_once(stack: &Stack) {
        let member = stack.member().await?;
        let link = asked(stack, &member, &new_address()).await?;
        stack.api().post(&link).expect(200).await?;
        stack.api().post(&link).refused(400, "invalid_token").await?;
        stack.api().visit(&link).page(400).await?;
    }

    async fn a_reset_makes_the_link_useless(stack: &Stack) {
        let member = stack.member().await?;
        let link = asked(stack, &member, &new_address()).await?;
        stack.ask_for_reset(&member.person.email).expect(200).await?;
        let reset = stack.link(&member.person.email, "Reset Your Password").await?;
        stack.reset(&reset, &new_password()).expect(200).await?;
        stack.api().post(&link).refused(400, "invalid_token").await?;
    }

    async fn the_password_is_asked_for(stack: &Stack) {
        let member = stack.member().await?;
        ask(stack, &member, &new_address(), &new_password()).refused(400, "invalid_email_or_password").await?;
        ask(stack, &member, "no address", &member.person.password).refused(422, "validation_error").await?;
    }

    async fn a_change_to_the_own_address_mails_nobody(stack: &Stack) {
        let member = stack.member().await?;
        for own in [member.person.email.clone(), member.person.email.to_uppercase()] {
            let answer = ask(stack, &member, &own, &member.person.password).expect(200).await?;
            assert_eq!(answer, json!({"message": ASKED}));
        }
        ask(stack, &member, &member.person.email, "pa55-wrong").refused(400, "invalid_email_or_password").await?;
        assert_eq!(stack.sql().number("SELECT count(*) FROM emails WHERE kind <> 'verify_email' AND mailbox = $1", &member.person.email).await?, 0);
    }

    async fn an_address_that_is_taken_gets_the_same_answer_and_no_link(stack: &Stack) {
        let member = stack.member().await?;
        let other = stack.member().await?.person;
        let answer = ask(stack, &member, &other.email, &member.person.password).expect(200).await?;
        assert_eq!(answer, json!({"message": ASKED}));
        stack.settled().await?;
        assert_eq!(stack.mails_to(&other.email)?.len(), 1, "nothing but the mail of its own sign-up");
    }

    async fn the_first_account_with_the_new_address_keeps_it(stack: &Stack) {
        let member = stack.member().await?;
        let faster = Person::new();
        let link = asked(stack, &member, &faster.email).await?;
        stack.sign_up(&faster).await?;
        stack.api().post(&link).refused(403, "user_exists").await?;
        stack.log_in(&faster).await?;
        stack.me(&member.tokens.access).expect(200).await?;
    }

    async fn a_link_of_another_purpose_does_not_move_an_address(stack: &Stack) {
        let member = stack.member().await?;
        stack.ask_for_reset(&member.person.email).expect(200).await?;
        let reset = stack.link(&member.person.email, "Reset Your Password").await?;
        let wrong_door = format!("/auth/email-change-confirm/{}", forge::token_of(&reset));
        stack.api().post(&wrong_door).refused(400, "invalid_token").await?;
        let change = asked(stack, &member, &new_address()).await?;
        let wrong_door = format!("/auth/password-reset-confirm/{}", forge::token_of(&change));
        stack.reset(&wrong_door, &new_password()).refused(400, "invalid_token").await?;
    }
}

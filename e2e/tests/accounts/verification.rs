//! Proving the address of a new account.

use std::time::Duration;

use bookly_e2e::forge;
use bookly_e2e::person::new_address;
use bookly_e2e::prelude::*;
use bookly_e2e::stack::JWT_SECRET;
use bookly_shared::links::Purpose;
use reqwest::Method;

const VERIFIED: &str = "Account verified successfully";

async fn new_link(stack: &Stack) -> Result<(Person, String)> {
    let person = Person::new();
    stack.sign_up(&person).await?;
    let link = stack.link(&person.email, "Verify your email").await?;
    Ok((person, link))
}

async fn is_verified(stack: &Stack, person: &Person) -> Result<bool> {
    let tokens = stack.log_in(person).await?;
    Ok(stack.me(&tokens.access).answer().await?.status == 200)
}

both! {
    async fn following_the_link_verifies_for_programs(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        assert!(!is_verified(stack, &person).await?);
        let answer = stack.api().get(&link).expect(200).await?;
        assert_eq!(answer["message"], VERIFIED);
        assert!(is_verified(stack, &person).await?);
    }

    async fn following_the_link_shows_people_a_button_that_verifies(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        let page = stack.api().visit(&link).page(200).await?;
        assert!(page.contains("<button") && page.contains(r#"method="post""#), "{page}");
        assert!(!page.contains("<script"), "the page works without JavaScript");
        assert!(!is_verified(stack, &person).await?, "looking is not verifying");
        stack.api().submit(&link, &[]).page(200).await?;
        assert!(is_verified(stack, &person).await?);
    }

    async fn posting_verifies(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        assert_eq!(stack.api().post(&link).expect(200).await?["message"], VERIFIED);
        assert!(is_verified(stack, &person).await?);
    }

    async fn a_head_request_never_verifies(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        let answer = stack.api().request(Method::HEAD, &link).answer().await?;
        assert!(answer.status.is_success() || answer.status == 405, "{answer:?}");
        assert_eq!(answer.body, "");
        assert!(!is_verified(stack, &person).await?, "mail scanners send HEAD");
    }

    async fn verifying_twice_is_as_good_as_once(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        for _ in 0..3 {
            assert_eq!(stack.api().get(&link).expect(200).await?["message"], VERIFIED);
            assert_eq!(stack.api().post(&link).expect(200).await?["message"], VERIFIED);
        }
        assert!(is_verified(stack, &person).await?);
    }

    async fn an_expired_link_says_so_and_offers_a_new_one(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        let hour = Duration::from_secs(3600);
        let token = forge::token_of(&link);
        let aged = |age| forge::aged(token, Purpose::EmailVerification, age, JWT_SECRET);
        let old = format!("/auth/verify/{}", aged(hour + Duration::from_secs(60))?);
        stack.api().get(&old).refused(400, "token_expired").await?;
        stack.api().post(&old).refused(400, "token_expired").await?;
        let page = stack.api().visit(&old).page(400).await?;
        assert!(page.contains("resend-verification") && page.contains(r#"type="email""#), "{page}");
        assert!(!is_verified(stack, &person).await?);
        let nearly = format!("/auth/verify/{}", aged(hour - Duration::from_secs(120))?);
        stack.api().get(&nearly).expect(200).await?;
    }

    async fn a_token_that_is_not_ours_is_refused_and_never_an_error_of_ours(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        let token = forge::token_of(&link);
        let another_key = forge::aged(token, Purpose::EmailVerification, Duration::ZERO, &"x".repeat(40))?;
        let (payload, rest) = token.split_once('.').context("three parts")?;
        let bad = [
            "x".to_owned(),
            "...".to_owned(),
            "%00".to_owned(),
            "%ff%fe".to_owned(),
            ".eJw.a.b".to_owned(),
            token[..token.len() - 5].to_owned(),
            format!("{payload}A.{rest}"),
            another_key,
            "a".repeat(5000),
        ];
        for bad in bad {
            for method in [Method::GET, Method::POST] {
                stack.api().request(method, &format!("/auth/verify/{bad}")).refused(400, "invalid_token").await?;
            }
        }
        assert!(!is_verified(stack, &person).await?);
    }

    async fn a_reset_token_does_not_verify_an_account(stack: &Stack) {
        let (person, _) = new_link(stack).await?;
        stack.ask_for_reset(&person.email).expect(200).await?;
        let reset = stack.link(&person.email, "Reset Your Password").await?;
        let wrong_door = format!("/auth/verify/{}", forge::token_of(&reset));
        stack.api().get(&wrong_door).refused(400, "invalid_token").await?;
        stack.api().post(&wrong_door).refused(400, "invalid_token").await?;
        assert!(!is_verified(stack, &person).await?);
    }

    async fn a_good_token_whose_account_is_gone_finds_nobody(stack: &Stack) {
        let (person, link) = new_link(stack).await?;
        stack.settled().await?;
        assert_eq!(stack.sql().run("DELETE FROM users WHERE email = $1", &person.email).await?, 1);
        stack.api().get(&link).refused(404, "user_not_found").await?;
        stack.api().post(&link).refused(404, "user_not_found").await?;
    }

    async fn only_a_post_verifies_where_get_must_not(stack: &Stack, VERIFY_ON_GET = "false") {
        let (person, link) = new_link(stack).await?;
        let refusal = stack.api().get(&link).answer().await?;
        assert_eq!(refusal.status, 405, "{refusal:?}");
        assert!(refusal.header("allow").contains("POST"), "{refusal:?}");
        assert_eq!(refusal.json()?["resolution"], "Send POST to this address");
        stack.api().visit(&link).page(200).await?;
        assert!(!is_verified(stack, &person).await?);
        stack.api().post(&link).expect(200).await?;
        assert!(is_verified(stack, &person).await?);
    }

    async fn a_new_link_is_mailed_where_one_is_needed_with_the_same_answer_for_all(stack: &Stack) {
        let (person, first) = new_link(stack).await?;
        let member = stack.member().await?.person;
        let stranger = new_address();
        let expected = "If the account exists and is not verified, a new link is on its way";
        for email in [&person.email, &member.email, &stranger] {
            let asked = stack.api().post("/auth/resend-verification").json(&json!({"email": email}));
            assert_eq!(asked.expect(200).await?, json!({"message": expected}));
        }
        let second = stack.nth_link(&person.email, "Verify your email", 2).await?;
        stack.settled().await?;
        assert_eq!(stack.mails_to(&member.email)?.len(), 1, "a verified account needs no link");
        assert_eq!(stack.mails_to(&stranger)?.len(), 0);
        stack.api().get(&first).expect(200).await?;
        stack.api().get(&second).expect(200).await?;
    }

    async fn there_is_a_form_for_a_new_link(stack: &Stack) {
        let (person, _) = new_link(stack).await?;
        let page = stack.api().visit("/auth/resend-verification").page(200).await?;
        assert!(page.contains(r#"name="email""#) && page.contains(r#"autocomplete="email""#), "{page}");
        stack.api().submit("/auth/resend-verification", &[("email", &person.email)]).page(200).await?;
        stack.nth_link(&person.email, "Verify your email", 2).await?;
    }
}

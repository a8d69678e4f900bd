//! A forgotten password.

use std::time::Duration;

use bookly_e2e::client::Answer;
use bookly_e2e::forge;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::JWT_SECRET;
use bookly_shared::links::Purpose;

const ASKED: &str = "Please check your email for instructions to reset your password";
const DONE: &str = "Password reset Successfully";
const SUBJECT: &str = "Reset Your Password";

async fn reset_link(stack: &Stack, email: &str) -> Result<String> {
    let asked = stack.ask_for_reset(email).expect(200).await?;
    assert_eq!(asked, json!({"message": ASKED}));
    stack.link(email, SUBJECT).await
}

both! {
    async fn a_reset_link_sets_a_new_password(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let changed = person.with_password(&new_password());
        let answer = stack.reset(&link, &changed.password).expect(200).await?;
        assert_eq!(answer, json!({"message": DONE}));
        stack.log_in_as(&person).refused(400, "invalid_email_or_password").await?;
        stack.log_in(&changed).await?;
    }

    async fn a_reset_link_works_once(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        stack.reset(&link, &new_password()).expect(200).await?;
        stack.reset(&link, &new_password()).refused(400, "invalid_token").await?;
        stack.api().visit(&link).page(400).await?;
    }

    async fn of_many_uses_at_once_one_counts(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let passwords: Vec<String> = (0..6).map(|_| new_password()).collect();
        let uses = passwords.iter().map(|password| stack.reset(&link, password).answer());
        let answers: Vec<Answer> = futures_util::future::join_all(uses).await.into_iter().collect::<Result<_>>()?;
        let done: Vec<usize> = (0..6).filter(|index| answers[*index].status == 200).collect();
        assert_eq!(done.len(), 1, "{answers:?}");
        stack.log_in(&person.with_password(&passwords[done[0]])).await?;
    }

    async fn a_used_link_makes_the_other_links_of_its_time_useless(stack: &Stack) {
        let person = stack.member().await?.person;
        let first = reset_link(stack, &person.email).await?;
        stack.ask_for_reset(&person.email).expect(200).await?;
        let second = stack.nth_link(&person.email, SUBJECT, 2).await?;
        stack.reset(&first, &new_password()).expect(200).await.context("a newer request ends no link")?;
        stack.reset(&second, &new_password()).refused(400, "invalid_token").await?;
    }

    async fn a_reset_ends_all_sessions(stack: &Stack) {
        let member = stack.member().await?;
        let other = stack.log_in(&member.person).await?;
        let link = reset_link(stack, &member.person.email).await?;
        stack.reset(&link, &new_password()).expect(200).await?;
        for tokens in [&member.tokens, &other] {
            stack.me(&tokens.access).refused(401, "token_revoked").await?;
            stack.refresh(&tokens.refresh).refused(401, "token_revoked").await?;
        }
    }

    async fn a_reset_is_told_by_mail(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        stack.reset(&link, &new_password()).expect(200).await?;
        let notice = stack.mail(&person.email, "Your password was changed").await?;
        assert!(notice.text().context("text")?.contains("/api/v1/auth/password-reset-request"));
    }

    async fn a_reset_proves_the_address(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let link = reset_link(stack, &person.email).await?;
        let changed = person.with_password(&new_password());
        stack.reset(&link, &changed.password).expect(200).await?;
        let tokens = stack.log_in(&changed).await?;
        stack.me(&tokens.access).expect(200).await?;
    }

    async fn a_verification_token_does_not_reset_a_password(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let verify = stack.link(&person.email, "Verify your email").await?;
        let wrong_door = format!("/auth/password-reset-confirm/{}", forge::token_of(&verify));
        stack.reset(&wrong_door, &new_password()).refused(400, "invalid_token").await?;
        stack.api().visit(&wrong_door).page(400).await?;
        stack.log_in(&person).await?;
    }

    async fn known_and_unknown_addresses_are_answered_alike(stack: &Stack) {
        let person = stack.member().await?.person;
        let stranger = new_address();
        let known = stack.ask_for_reset(&person.email).answer().await?;
        let unknown = stack.ask_for_reset(&stranger).answer().await?;
        let names = |answer: &Answer| {
            let mut names: Vec<_> = answer.headers.keys().map(|name| name.to_string()).collect();
            names.sort();
            names
        };
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
        assert_eq!(names(&known), names(&unknown));
        stack.link(&person.email, SUBJECT).await?;
        stack.settled().await?;
        assert_eq!(stack.mails_to(&stranger)?.len(), 0, "nobody is mailed who has no account");
    }

    async fn the_mail_goes_to_the_accounts_own_spelling(stack: &Stack) {
        let person = stack.member().await?.person;
        stack.ask_for_reset(&person.email.to_uppercase()).expect(200).await?;
        let mail = stack.mail(&person.email, SUBJECT).await?;
        assert_eq!(mail.to, [person.email]);
    }

    async fn the_link_opens_a_form_that_changes_nothing_and_works_without_javascript(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        for _ in 0..2 {
            let page = stack.api().visit(&link).page(200).await?;
            for part in [r#"name="new_password""#, r#"name="confirm_new_password""#, r#"autocomplete="new-password""#] {
                assert!(page.contains(part), "{part} in {page}");
            }
            assert!(!page.contains("<script"), "{page}");
        }
        stack.log_in(&person).await?;
        let changed = person.with_password(&new_password());
        let fields = [("new_password", changed.password.as_str()), ("confirm_new_password", &changed.password)];
        stack.api().submit(&link, &fields).page(200).await?;
        stack.log_in(&changed).await?;
    }

    async fn a_form_that_is_filled_in_wrongly_can_be_filled_in_again(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let password = new_password();
        for (new, again, status) in [("pa55-ab", "pa55-ab", 422), (password.as_str(), "pa55-another-one", 400)] {
            let fields = [("new_password", new), ("confirm_new_password", again)];
            let page = stack.api().submit(&link, &fields).page(status).await?;
            assert!(page.contains(r#"name="new_password""#), "{page}");
            assert!(!page.contains(new), "a page does not repeat a password");
        }
        stack.reset(&link, &new_password()).expect(200).await.context("the link is not used up")?;
    }

    async fn wrong_passwords_are_refused_and_leave_the_link_alone(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let post = |new: &str, again: &str| {
            stack.api().post(&link).json(&json!({"new_password": new, "confirm_new_password": again}))
        };
        post("pa55-long-enough", "pa55-another-one").refused(400, "passwords_do_not_match").await?;
        post("pa55-ab", "pa55-ab").refused(422, "validation_error").await?;
        stack.api().post(&link).json(&json!({})).refused(422, "validation_error").await?;
        stack.reset(&link, &new_password()).expect(200).await?;
    }

    async fn a_form_of_another_site_is_refused(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let form = [("new_password", "pa55-long-enough"), ("confirm_new_password", "pa55-long-enough")];
        let foreign = stack.api().post(&link).form(&form).header(header::ORIGIN, "https://evil.test");
        foreign.page(403).await?;
        let cross = stack.api().post(&link).form(&form).header("Sec-Fetch-Site", "cross-site");
        cross.page(403).await?;
        stack.log_in(&person).await?;
    }

    async fn an_expired_link_says_so_and_offers_a_new_one(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let age = Duration::from_secs(3660);
        let old = forge::aged(forge::token_of(&link), Purpose::PasswordReset, age, JWT_SECRET)?;
        let old = format!("/auth/password-reset-confirm/{old}");
        stack.reset(&old, &new_password()).refused(400, "token_expired").await?;
        let page = stack.api().visit(&old).page(400).await?;
        assert!(page.contains("/api/v1/auth/password-reset-request"), "{page}");
    }

    async fn a_good_token_whose_account_is_gone_finds_nobody(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        stack.settled().await?;
        stack.sql().run("DELETE FROM users WHERE email = $1", &person.email).await?;
        stack.reset(&link, &new_password()).refused(404, "user_not_found").await?;
    }

    async fn there_is_a_form_to_ask_with(stack: &Stack) {
        let person = stack.member().await?.person;
        let page = stack.api().visit("/auth/password-reset-request").page(200).await?;
        assert!(page.contains(r#"name="email""#), "{page}");
        stack.api().submit("/auth/password-reset-request", &[("email", &person.email)]).page(200).await?;
        stack.link(&person.email, SUBJECT).await?;
    }

    async fn a_mailbox_is_not_flooded_by_requests(stack: &Stack) {
        let person = stack.member().await?.person;
        for _ in 0..30 {
            assert_eq!(stack.ask_for_reset(&person.email).expect(200).await?, json!({"message": ASKED}));
        }
        stack.settled().await?;
        let mails = stack.mails_to(&person.email)?.len();
        assert!((2..=20).contains(&mails), "{mails} mails for 30 requests");
    }
}

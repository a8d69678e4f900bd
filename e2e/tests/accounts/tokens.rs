//! What links and sessions open, for how long, and what ends them.

use std::fmt::Display;
use std::time::Duration;

use bookly_e2e::client::Answer;
use bookly_e2e::forge;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::{JWT_SECRET, Member};
use futures_util::future::try_join_all;

const VERIFY: &str = "Verify your email";
const RESET: &str = "Reset Your Password";
const CHANGE: &str = "Confirm your new email address";

async fn reset_link(stack: &Stack, email: &str) -> Result<String> {
    stack.ask_for_reset(email).expect(200).await?;
    stack.link(email, RESET).await
}

async fn change_link(stack: &Stack, member: &Member, new_email: &str) -> Result<String> {
    let body = json!({"new_email": new_email, "password": member.person.password});
    let asked = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access);
    asked.json(&body).expect(200).await?;
    stack.link(new_email, CHANGE).await
}

async fn change_password(stack: &Stack, member: &Member, new: &str) -> Result<()> {
    let body =
        json!({"current_password": member.person.password, "new_password": new, "confirm_new_password": new});
    let asked = stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access);
    asked.json(&body).expect(200).await?;
    Ok(())
}

/// Presses a token against the endpoint of a kind of link.
async fn press(stack: &Stack, endpoint: &str, token: impl Display) -> Result<Answer> {
    let new = new_password();
    let body = json!({"new_password": new, "confirm_new_password": new});
    stack.api().post(&format!("/auth/{endpoint}/{token}")).json(&body).answer().await
}

both! {
    async fn every_token_is_valid_for_its_own_purpose_only(stack: &Stack) {
        let member = stack.member().await?;
        let new_email = new_address();
        let reset = reset_link(stack, &member.person.email).await?;
        let change = change_link(stack, &member, &new_email).await?;
        let verify = stack.link(&member.person.email, VERIFY).await?;
        let tokens = [
            ("verify", forge::token_of(&verify)),
            ("password-reset-confirm", forge::token_of(&reset)),
            ("email-change-confirm", forge::token_of(&change)),
            ("access", &member.tokens.access),
            ("refresh", &member.tokens.refresh),
        ];
        for (own, token) in tokens {
            for endpoint in ["verify", "password-reset-confirm", "email-change-confirm"] {
                if endpoint != own {
                    let answer = press(stack, endpoint, token).await?;
                    assert_eq!((answer.status.as_u16(), &answer.json()?["error_code"]), (400, &json!("invalid_token")), "{own} at {endpoint}");
                    stack.api().visit(&format!("/auth/{endpoint}/{token}")).page(400).await?;
                }
            }
            if own.contains("verify") || own.contains("confirm") {
                stack.me(token).refused(401, "invalid_token").await.context(own)?;
                stack.refresh(token).refused(401, "invalid_token").await.context(own)?;
            }
        }
        // None of that used anything up.
        assert_eq!(press(stack, "verify", forge::token_of(&verify)).await?.status, 200);
        assert_eq!(press(stack, "password-reset-confirm", forge::token_of(&reset)).await?.status, 200);
    }

    async fn of_fifty_uses_of_a_reset_link_at_once_one_counts(stack: &Stack) {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let (apis, _process) = stack.apis().await?;
        let passwords: Vec<String> = (0..50).map(|_| new_password()).collect();
        let uses = passwords.iter().enumerate().map(|(index, password)| {
            let api = &apis[index % apis.len()];
            let body = json!({"new_password": password, "confirm_new_password": password});
            api.post(&format!("/auth/password-reset-confirm/{}", forge::token_of(&link))).json(&body).patient_answer()
        });
        let answers: Vec<Answer> = try_join_all(uses).await?;
        let done: Vec<usize> = (0..50).filter(|index| answers[*index].status == 200).collect();
        assert_eq!(done.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 200) {
            assert_eq!((answer.status.as_u16(), &answer.json()?["error_code"]), (400, &json!("invalid_token")));
        }
        stack.log_in(&person.with_password(&passwords[done[0]])).await?;
        stack.settled().await?;
        let notices = stack.mails_to(&person.email)?;
        assert_eq!(notices.iter().filter(|mail| mail.subject().as_deref() == Some("Your password was changed")).count(), 1);
    }

    async fn a_changed_password_ends_older_links(stack: &Stack) {
        let member = stack.member().await?;
        let reset = reset_link(stack, &member.person.email).await?;
        let change = change_link(stack, &member, &new_address()).await?;
        change_password(stack, &member, &new_password()).await?;
        stack.reset(&reset, &new_password()).refused(400, "invalid_token").await?;
        stack.api().post(&change).refused(400, "invalid_token").await?;
    }

    async fn a_changed_address_ends_older_links(stack: &Stack) {
        let member = stack.member().await?;
        let verify = stack.link(&member.person.email, VERIFY).await?;
        let reset = reset_link(stack, &member.person.email).await?;
        let (first, second) = (new_address(), new_address());
        let older = change_link(stack, &member, &second).await?;
        stack.api().post(&change_link(stack, &member, &first).await?).expect(200).await?;
        stack.reset(&reset, &new_password()).refused(400, "invalid_token").await?;
        stack.api().post(&older).refused(400, "invalid_token").await?;
        stack.api().post(&verify).refused(400, "invalid_token").await.context("it proves an address that is not the account's")?;
    }

    async fn a_changed_role_ends_older_links(stack: &Stack) {
        let member = stack.member().await?;
        let reset = reset_link(stack, &member.person.email).await?;
        let change = change_link(stack, &member, &new_address()).await?;
        stack.command("bookly-api", &["user", "role", &member.person.email, "admin"]).await?.succeeded()?;
        stack.reset(&reset, &new_password()).refused(400, "invalid_token").await?;
        stack.api().post(&change).refused(400, "invalid_token").await?;
    }

    async fn a_newer_request_ends_no_older_link(stack: &Stack) {
        let person = stack.member().await?.person;
        let first = reset_link(stack, &person.email).await?;
        for nth in 2..=3 {
            stack.ask_for_reset(&person.email).expect(200).await?;
            stack.nth_link(&person.email, RESET, nth).await?;
        }
        stack.reset(&first, &new_password()).expect(200).await?;
    }

    async fn what_ends_a_session_counts_on_the_next_request_of_every_process(stack: &Stack) {
        let (apis, _process) = stack.apis().await?;
        let other = &apis[apis.len() - 1];
        let me = |access: &str| other.get("/auth/me").bearer_auth(access);
        let (out, reset, admin) = (stack.member().await?, stack.member().await?, stack.admin().await?);
        for member in [&out, &reset, &admin] {
            me(&member.tokens.access).expect(200).await?;
        }
        stack.api().post("/auth/logout").bearer_auth(&out.tokens.access).expect(200).await?;
        me(&out.tokens.access).refused(401, "token_revoked").await?;
        stack.reset(&reset_link(stack, &reset.person.email).await?, &new_password()).expect(200).await?;
        me(&reset.tokens.access).refused(401, "token_revoked").await?;
        let greet = || other.post("/auth/send_mail").bearer_auth(&admin.tokens.access).json(&json!({"addresses": [new_address()]}));
        greet().expect(200).await?;
        stack.command("bookly-api", &["user", "role", &admin.person.email, "user"]).await?.succeeded()?;
        greet().refused(403, "insufficient_permissions").await?;
    }

    async fn an_account_that_someone_else_made_with_my_address_is_mine_after_a_reset(stack: &Stack) {
        let thief = Person::new();
        let mine = Person { first_name: "Not".to_owned(), ..thief.with_password(&new_password()) };
        stack.sign_up(&thief).await?;
        let sessions = [stack.log_in(&thief).await?, stack.log_in(&thief).await?];
        stack.api().post("/auth/signup").json(&mine).refused(403, "user_exists").await?;
        stack.reset(&reset_link(stack, &mine.email).await?, &mine.password).expect(200).await?;
        for tokens in &sessions {
            stack.me(&tokens.access).refused(401, "token_revoked").await?;
            stack.refresh(&tokens.refresh).refused(401, "token_revoked").await?;
        }
        stack.log_in_as(&thief).refused(400, "invalid_email_or_password").await?;
        let tokens = stack.log_in(&mine).await?;
        assert_eq!(stack.me(&tokens.access).expect(200).await?["is_verified"], true);
    }

    async fn nobody_has_an_account_from_the_start(stack: &Stack) {
        assert_eq!(stack.sql().number("SELECT count(*) FROM users", "").await?, 0);
    }

    async fn keys_that_a_token_brings_along_are_not_looked_at(stack: &Stack) {
        let access = stack.member().await?.tokens.access;
        let claims = forge::claims(&access)?;
        let own_key = json!({"kty": "oct", "k": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg", "alg": "HS256"});
        for (name, value) in [
            ("kid", json!("../../../dev/null")),
            ("kid", json!("' UNION SELECT 'x' --")),
            ("jwk", own_key),
            ("jku", json!("https://evil.test/keys.json")),
            ("x5u", json!("https://evil.test/cert.pem")),
        ] {
            let mut header = forge::hs256();
            header[name] = value;
            for key in ["x".repeat(35), String::new()] {
                stack.me(&forge::jwt(&header, &claims, &key)?).refused(401, "invalid_token").await.context(name)?;
            }
            stack.me(&forge::jwt(&header, &claims, JWT_SECRET)?).expect(200).await.context("only ours counts")?;
        }
    }

    async fn the_algorithm_is_the_settings_whatever_a_token_says(stack: &Stack) {
        let access = stack.member().await?.tokens.access;
        let claims = forge::claims(&access)?;
        stack.me(&forge::unsigned(&claims)).refused(401, "invalid_token").await?;
        for algorithm in ["none", "None", "NONE", "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", ""] {
            let header = json!({"alg": algorithm, "typ": "JWT"});
            let token = forge::jwt(&header, &claims, JWT_SECRET)?;
            stack.me(&token).refused(401, "invalid_token").await.context(algorithm)?;
        }
    }

    async fn a_token_without_a_claim_that_ours_have_is_refused(stack: &Stack) {
        let claims = forge::claims(&stack.member().await?.tokens.access)?;
        for name in ["exp", "iat", "jti", "sid", "refresh", "user"] {
            let mut without = claims.clone();
            without.as_object_mut().context("claims")?.remove(name);
            let token = forge::jwt(&forge::hs256(), &without, JWT_SECRET)?;
            stack.me(&token).refused(401, "invalid_token").await.context(name)?;
        }
    }

    async fn what_a_token_claims_to_be_allowed_is_not_believed(stack: &Stack) {
        let member = stack.member().await?;
        let mut claims = forge::claims(&member.tokens.access)?;
        claims["user"]["role"] = json!("admin");
        let token = forge::jwt(&forge::hs256(), &claims, JWT_SECRET)?;
        let greet = stack.api().post("/auth/send_mail").bearer_auth(&token).json(&json!({"addresses": [new_address()]}));
        greet.refused(403, "insufficient_permissions").await?;
    }

    async fn a_link_lives_no_longer_than_is_set(stack: &Stack, PASSWORD_RESET_LIFETIME = "60") {
        let person = stack.member().await?.person;
        let link = reset_link(stack, &person.email).await?;
        let purpose = bookly_shared::links::Purpose::PasswordReset;
        let aged = forge::aged(forge::token_of(&link), purpose, Duration::from_secs(75), JWT_SECRET)?;
        let answer = press(stack, "password-reset-confirm", aged).await?;
        assert_eq!((answer.status.as_u16(), &answer.json()?["error_code"]), (400, &json!("token_expired")));
        stack.reset(&link, &new_password()).expect(200).await?;
    }
}

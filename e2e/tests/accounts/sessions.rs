//! Logging in, staying logged in, logging out.

use bookly_e2e::forge;
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::JWT_SECRET;
use reqwest::Method;

both! {
    async fn logging_in_gives_two_tokens_that_say_what_the_originals_said(stack: &Stack) {
        let person = Person::new();
        let user = stack.sign_up(&person).await?;
        let answer = stack.log_in_as(&person).expect(200).await?;
        assert_eq!(answer["message"], "Login successful");
        assert_eq!(answer["user"], json!({"email": person.email, "uid": user["uid"]}));
        for (token, refresh) in [("access_token", false), ("refresh_token", true)] {
            let claims = forge::claims(answer[token].as_str().context("a token")?)?;
            assert_eq!(claims["refresh"], refresh);
            assert_eq!(claims["user"]["email"], person.email);
            assert_eq!(claims["user"]["user_uid"], user["uid"], "{claims}");
            assert!(claims["exp"].is_i64() && claims["jti"].is_string() && claims["sid"].is_string());
        }
    }

    async fn a_wrong_password_and_an_unknown_address_are_answered_alike(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let wrong = stack.log_in_as(&person.with_password(&new_password()));
        let wrong = wrong.refused(400, "invalid_email_or_password").await?;
        let unknown = stack.log_in_as(&Person { email: new_address(), ..person });
        assert_eq!(unknown.refused(400, "invalid_email_or_password").await?, wrong);
    }

    async fn an_unverified_account_logs_in_and_is_stopped_at_protected_endpoints(stack: &Stack) {
        let person = Person::new();
        stack.sign_up(&person).await?;
        let access = stack.log_in(&person).await?.access;
        let api = stack.api();
        stack.me(&access).refused(403, "account_not_verified").await?;
        api.get("/books/").bearer_auth(&access).refused(403, "account_not_verified").await?;
        let mail = json!({"addresses": [new_address()]});
        api.post("/auth/send_mail").bearer_auth(&access).json(&mail).refused(403, "account_not_verified").await?;
        let change = json!({"new_email": new_address(), "password": person.password});
        let change = api.post("/auth/email-change-request").bearer_auth(&access).json(&change);
        change.refused(403, "account_not_verified").await?;
    }

    async fn me_is_the_account_with_its_books(stack: &Stack) {
        let member = stack.member().await?;
        let me = stack.me(&member.tokens.access).expect(200).await?;
        assert_eq!((&me["email"], &me["is_verified"]), (&json!(member.person.email), &json!(true)));
        assert_eq!(me["books"], json!([]));
        assert!(!me.to_string().contains("argon2"), "{me}");
    }

    async fn a_refresh_token_gets_access_tokens_by_get_and_by_post(stack: &Stack) {
        let member = stack.member().await?;
        for method in [Method::GET, Method::POST] {
            let request = stack.api().request(method, "/auth/refresh_token").bearer_auth(&member.tokens.refresh);
            let answer = request.expect(200).await?;
            let access = answer["access_token"].as_str().context("an access token")?;
            stack.me(access).expect(200).await?;
        }
    }

    async fn logging_out_ends_the_whole_session(stack: &Stack) {
        for method in [Method::GET, Method::POST] {
            let member = stack.member().await?;
            let other = stack.log_in(&member.person).await?;
            let out = stack.api().request(method, "/auth/logout").bearer_auth(&member.tokens.access);
            assert_eq!(out.expect(200).await?, json!({"message": "Logged Out Successfully"}));
            stack.me(&member.tokens.access).refused(401, "token_revoked").await?;
            stack.refresh(&member.tokens.refresh).refused(401, "token_revoked").await?;
            stack.me(&other.access).expect(200).await?;
        }
    }

    async fn each_token_is_valid_at_its_own_endpoint_only(stack: &Stack) {
        let tokens = stack.member().await?.tokens;
        stack.me(&tokens.refresh).refused(401, "access_token_required").await?;
        stack.refresh(&tokens.access).refused(403, "refresh_token_required").await?;
        let out = stack.api().post("/auth/logout").bearer_auth(&tokens.refresh);
        out.refused(401, "access_token_required").await?;
        stack.me(&tokens.access).expect(200).await?;
    }

    async fn without_a_token_nobody_is_let_in(stack: &Stack) {
        let api = stack.api();
        let endpoints = ["/auth/me", "/auth/refresh_token", "/auth/logout", "/books/"];
        for endpoint in endpoints {
            api.get(endpoint).refused(401, "not_authenticated").await?;
            api.get(endpoint).header("Authorization", "Basic a2ltOnB3").refused(401, "not_authenticated").await?;
        }
    }

    async fn forged_tokens_are_refused(stack: &Stack) {
        let member = stack.member().await?;
        let claims = forge::claims(&member.tokens.access)?;
        let mut expired = claims.clone();
        expired["exp"] = json!(1_700_000_000);
        let mut without_end = claims.clone();
        without_end.as_object_mut().context("an object")?.remove("exp");
        let header = forge::hs256();
        let forged = [
            ("alg none", forge::unsigned(&claims)),
            ("another key", forge::jwt(&header, &claims, &"x".repeat(40))?),
            ("an empty key", forge::jwt(&header, &claims, "")?),
            ("another algorithm", forge::jwt(&json!({"alg": "HS512", "typ": "JWT"}), &claims, JWT_SECRET)?),
            ("expired", forge::jwt(&header, &expired, JWT_SECRET)?),
            ("endless", forge::jwt(&header, &without_end, JWT_SECRET)?),
            ("no JWT", "x".to_owned()),
            ("cut", member.tokens.access[..member.tokens.access.len() - 4].to_owned()),
        ];
        for (what, token) in forged {
            stack.me(&token).refused(401, "invalid_token").await.context(what)?;
        }
        let honest = forge::jwt(&header, &claims, JWT_SECRET)?;
        stack.me(&honest).expect(200).await.context("the forger's tools work")?;
    }

    async fn a_changed_password_ends_the_other_sessions_and_is_told_by_mail(stack: &Stack) {
        let member = stack.member().await?;
        let other = stack.log_in(&member.person).await?;
        let changed = member.person.with_password(&new_password());
        let change = |current: &str, new: &str, again: &str| {
            let body = json!({"current_password": current, "new_password": new, "confirm_new_password": again});
            stack.api().post("/auth/password-change").bearer_auth(&member.tokens.access).json(&body)
        };
        let old = member.person.password.as_str();
        let new = changed.password.as_str();
        change(&new_password(), new, new).refused(400, "invalid_email_or_password").await?;
        change(old, new, &new_password()).refused(400, "passwords_do_not_match").await?;
        change(old, "pa55-ab", "pa55-ab").refused(422, "validation_error").await?;
        let answer = change(old, new, new).expect(200).await?;
        assert_eq!(answer, json!({"message": "Password changed successfully"}));
        stack.me(&member.tokens.access).expect(200).await.context("the own session lives on")?;
        stack.me(&other.access).refused(401, "token_revoked").await?;
        stack.refresh(&other.refresh).refused(401, "token_revoked").await?;
        stack.log_in_as(&member.person).refused(400, "invalid_email_or_password").await?;
        stack.log_in(&changed).await?;
        let notice = stack.mail(&member.person.email, "Your password was changed").await?;
        let text = notice.text().context("text")?;
        assert!(text.contains("/api/v1/auth/password-reset-request"), "{text}");
    }

    async fn a_changed_password_needs_a_session(stack: &Stack) {
        let body = json!({"current_password": "x", "new_password": new_password()});
        stack.api().post("/auth/password-change").json(&body).refused(401, "not_authenticated").await?;
    }

    async fn sessions_survive_a_killed_api(stack: &Stack) {
        let member = stack.member().await?;
        stack.restart_api().await?;
        stack.me(&member.tokens.access).expect(200).await?;
    }
}

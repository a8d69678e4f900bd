//! One body for all errors, whatever goes wrong.

use bookly_e2e::prelude::*;
use reqwest::Method;

both! {
    async fn a_path_that_is_not_there(stack: &Stack) {
        for path in ["/nothing", "//nothing", "/auth/nothing", "/auth"] {
            stack.api().get(path).refused(404, "not_found").await?;
            stack.api().post(path).refused(404, "not_found").await?;
        }
    }

    async fn a_method_that_is_not_there_names_those_that_are(stack: &Stack) {
        for (method, path, allowed) in [
            (Method::GET, "/auth/signup", "POST"),
            (Method::DELETE, "/auth/login", "POST"),
            (Method::POST, "/auth/me", "GET"),
            (Method::PUT, "/books/", "GET"),
        ] {
            let answer = stack.api().request(method.clone(), path).answer().await?;
            assert!(answer.header("allow").contains(allowed), "{answer:?}");
            stack.api().request(method, path).refused(405, "method_not_allowed").await?;
        }
    }

    async fn a_body_beyond_64_kib(stack: &Stack) {
        let body = format!(r#"{{"email": "{}"}}"#, "x".repeat(64 * 1024));
        for path in ["/auth/signup", "/auth/login", "/auth/password-reset-request"] {
            let request = stack.api().post(path).header(header::CONTENT_TYPE, "application/json");
            let refusal = request.body(body.clone()).answer().await?;
            assert_eq!(refusal.status, 413, "{refusal:?}");
            assert_eq!(refusal.json()?["error_code"], "body_too_large");
            // The body was not read, so the connection cannot be used again: a client that is not told fails
            // its next request (RFC 9112 §9.6).
            assert_eq!(refusal.header("connection"), "close", "{refusal:?}");
        }
    }

    async fn a_body_of_another_type(stack: &Stack) {
        for content_type in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
            let request = stack.api().post("/auth/login").header(header::CONTENT_TYPE, content_type);
            request.body("{}").refused(415, "unsupported_media_type").await?;
        }
        stack.api().post("/auth/login").form(&[("email", "x")]).refused(415, "unsupported_media_type").await?;
    }

    async fn a_body_that_is_no_json(stack: &Stack) {
        for body in ["{", "", "\u{0}", r#"{"email": }"#, "nul"] {
            let request = stack.api().post("/auth/login").header(header::CONTENT_TYPE, "application/json");
            request.body(body).refused(400, "malformed_body").await.context(body)?;
        }
    }

    async fn a_slash_at_the_end_of_a_path_is_served_without_a_redirect(stack: &Stack) {
        let person = Person::new();
        stack.api().post("/auth/signup/").json(&person).expect(201).await?;
        let login = json!({"email": person.email, "password": person.password});
        let tokens = stack.api().post("/auth/login/").json(&login).expect(200).await?;
        let access = tokens["access_token"].as_str().context("a token")?;
        stack.api().get("/auth/me/").bearer_auth(access).refused(403, "account_not_verified").await?;
        stack.api().get("/books/?limit=1").bearer_auth(access).refused(403, "account_not_verified").await?;
        let link = stack.link(&person.email, "Verify your email").await?;
        stack.api().post(&format!("{link}/")).expect(200).await?;
    }

    async fn json_with_a_byte_order_mark_is_read_as_without(stack: &Stack) {
        let person = Person::new();
        let with_mark = |path: &str, body: String| {
            let request = stack.api().post(path).header(header::CONTENT_TYPE, "application/json");
            request.body(format!("\u{feff}{body}"))
        };
        with_mark("/auth/signup", serde_json::to_string(&person)?).expect(201).await?;
        let email = json!({"email": person.email}).to_string();
        with_mark("/auth/password-reset-request", email).expect(200).await?;
    }

    async fn json_of_another_shape(stack: &Stack) {
        for body in [json!([]), json!("x"), json!(1), json!({"email": 1, "password": []})] {
            stack.api().post("/auth/login").json(&body).refused(422, "validation_error").await?;
        }
    }

    async fn a_message_does_not_repeat_what_was_sent(stack: &Stack) {
        let body = r#"{"email": "kim-x@people.test", "password": "pa55-in-the-open" "#;
        let request = stack.api().post("/auth/login").header(header::CONTENT_TYPE, "application/json");
        let refusal = request.body(body).refused(400, "malformed_body").await?;
        assert!(!refusal.to_string().contains("pa55-"), "{refusal}");
    }

    async fn no_answer_may_be_stored_framed_or_sniffed(stack: &Stack) {
        for path in ["/auth/me", "//health/live", "//", "/nothing"] {
            let answer = stack.api().get(path).answer().await?;
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert!(answer.header("cache-control").contains("no-store"), "{path}");
            assert!(answer.header("content-security-policy").contains("frame-ancestors"), "{path}");
        }
    }

    async fn health_tells_what_is_up(stack: &Stack) {
        stack.api().get("//health/live").expect(200).await?;
        stack.api().get("//health/ready").expect(200).await?;
        let page = stack.api().visit("//").page(200).await?;
        assert_eq!(page.contains("/inbox"), stack.kind() == Kind::Embedded, "{page}");
    }

    async fn too_many_requests_are_told_when_to_come_back(stack: &Stack, RATE_LIMIT = "on") {
        let person = Person::new();
        let mut limited = None;
        for _ in 0..200 {
            let answer = stack.log_in_as(&person).answer().await?;
            if answer.status == 429 {
                limited = Some(answer);
                break;
            }
        }
        let limited = limited.context("200 attempts to log in are not limited")?;
        assert!(limited.header("retry-after").parse::<u64>()? >= 1, "{limited:?}");
        assert_eq!(limited.json()?["error_code"], "too_many_requests");
        stack.api().get("//health/live").expect(200).await.context("others are not limited")?;
    }
}

//! What pages of other sites can make a browser send to the service: nothing that changes anything.

use bookly_e2e::client::Answer;
use bookly_e2e::document::operations;
use bookly_e2e::person::new_address;
use bookly_e2e::prelude::*;
use reqwest::{Method, RequestBuilder};

const EVIL: &str = "https://evil.test";
const APP: &str = "https://app.example.org";

/// Everything that a page can have a browser send without asking first, and more.
const CONTENT_TYPES: [Option<&str>; 6] = [
    None,
    Some("application/json"),
    Some("text/plain"),
    Some("application/x-www-form-urlencoded"),
    Some("multipart/form-data; boundary=x"),
    Some("application/octet-stream"),
];

/// How a browser says that another site's page sends a request.
const OTHER_SITES: [&[(&str, &str)]; 6] = [
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", EVIL)],
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site"), ("Origin", "https://other.example.org")],
    &[("Origin", EVIL)],
    &[("Origin", "null")],
    &[("Origin", "http://rebound.test"), ("Host", "rebound.test")],
];

fn with(request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

fn is_refused(answer: &Answer) -> bool {
    let is_page = answer.header("content-type").starts_with("text/html");
    answer.status == 403 && (is_page || answer.body.contains("insufficient_permissions"))
}

/// Every call that changes something, the operator's pages' among them.
async fn changing_calls(stack: &Stack) -> Result<Vec<(Method, String)>> {
    let id = uuid::Uuid::new_v4().to_string();
    let mut calls: Vec<(Method, String)> = operations(stack.api())
        .await?
        .into_iter()
        // Mail programs post to the link that unsubscribes, from their own pages (RFC 8058).
        .filter(|operation| !operation.method.is_safe() && operation.path != "/api/v1/unsubscribe/{token}")
        // Each call of a provider proves itself; a browser stores nothing for it.
        .filter(|operation| !operation.path.starts_with("/api/v1/bounces/"))
        .map(|operation| (operation.method, operation.path))
        .collect();
    ensure!(calls.len() > 12, "{calls:?}");
    for path in [
        "/admin/login",
        "/admin/logout",
        "/admin/emails/{id}/retry",
        "/admin/emails/{id}/cancel",
        "/admin/suppressions",
        "/admin/suppressions/remove",
    ] {
        calls.push((Method::POST, path.to_owned()));
    }
    for (_, path) in &mut calls {
        let parts = path.split('/').map(|part| match part {
            "{token}" => "x",
            part if part.starts_with('{') => &id,
            part => part,
        });
        *path = format!("/{}", parts.collect::<Vec<_>>().join("/"));
    }
    Ok(calls)
}

both! {
    async fn every_call_that_changes_something_refuses_pages_of_other_sites(stack: &Stack, CORS_ORIGINS = APP) {
        let member = stack.member().await?;
        for (method, path) in changing_calls(stack).await? {
            for (headers, content_type) in OTHER_SITES.iter().flat_map(|site| CONTENT_TYPES.map(|kind| (site, kind))) {
                let request = with(stack.api().request(method.clone(), &path), headers).bearer_auth(&member.tokens.access);
                let request = content_type.into_iter().fold(request, |request, kind| request.header(header::CONTENT_TYPE, kind));
                let answer = request.body("{}").answer().await?;
                ensure!(is_refused(&answer), "{method} {path} {headers:?} {content_type:?}: {answer:?}");
            }
        }
    }

    async fn a_body_without_a_content_type_from_another_site_mails_nobody(stack: &Stack) {
        let email = new_address();
        let ask = |headers: &[(&str, &str)]| {
            with(stack.api().post("/auth/password-reset-request"), headers).body(json!({"email": email}).to_string())
        };
        for headers in OTHER_SITES {
            ask(headers).refused(403, "insufficient_permissions").await.with_context(|| format!("{headers:?}"))?;
        }
        assert_eq!(stack.sql().number("SELECT count(*) FROM emails WHERE mailbox = $1", &email).await?, 0);
        let told = |line: &str| line.contains("not in CORS_ORIGINS") && line.contains(EVIL);
        stack.api_process().log().line(bookly_e2e::poll::LIMIT, told).await?;
        // A program sends neither header, and need not name JSON.
        ask(&[]).expect(200).await?;
    }

    async fn pages_of_other_sites_may_still_be_linked_from_and_read(stack: &Stack) {
        for (path, status) in [("//", 200), ("//health/live", 200), ("/auth/verify/x", 400), ("/auth/password-reset-request", 200)] {
            let visit = stack.api().visit(path).header(header::ORIGIN, EVIL).answer().await?;
            assert_eq!(visit.status, status, "{path}");
        }
    }

    async fn an_app_or_an_allowed_origin_verifies_without_a_content_type(stack: &Stack, CORS_ORIGINS = "https://app.example.org, capacitor://localhost") {
        let ways: [&[(&str, &str)]; 5] = [
            &[],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", APP)],
            &[("Origin", "capacitor://localhost")],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", "capacitor://localhost"), ("Content-Type", "text/plain;charset=UTF-8")],
            &[("Content-Type", "application/octet-stream")],
        ];
        for headers in ways {
            let person = Person::new();
            stack.sign_up(&person).await?;
            let link = stack.link(&person.email, "Verify your email").await?;
            with(stack.api().post(&link), headers).expect(200).await.with_context(|| format!("{headers:?}"))?;
        }
    }

    async fn a_preflight_allows_what_programs_of_a_browser_send(stack: &Stack, CORS_ORIGINS = "https://app.example.org, capacitor://localhost") {
        for origin in [APP, "capacitor://localhost"] {
            let wanted = ["authorization", "content-type", "idempotency-key", "traceparent", "tracestate"];
            let asked = stack.api().request(Method::OPTIONS, "/auth/login").header(header::ORIGIN, origin);
            let asked = asked.header("Access-Control-Request-Method", "POST");
            let answer = asked.header("Access-Control-Request-Headers", wanted.join(",")).answer().await?;
            assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, origin));
            let allowed = answer.header("access-control-allow-headers").to_lowercase();
            assert!(wanted.iter().all(|name| allowed.split(',').any(|one| one.trim() == *name)), "{allowed}");
        }
    }
}

//! What keeps pages and answers harmless in a browser: their headers, where forms may come from, who may call.

use bookly_e2e::client::{Answer, BROWSER_ACCEPT, referrer_policy};
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::stack::{Member, run};
use reqwest::{Method, RequestBuilder};

const UI: &str = "//api/v1/docs/";
const TEXT_PLAIN: &str = "text/plain";
const MULTIPART: &str = "multipart/form-data; boundary=x";
const URLENCODED: &str = "application/x-www-form-urlencoded";
const EVIL: &str = "https://evil.test";

/// What must hold for every answer, page or not, whatever its status.
fn check(what: &str, answer: &Answer) -> Result<()> {
    let policy = answer.header("content-security-policy");
    let directive = |name: &str| policy.split(';').find_map(|part| part.trim().strip_prefix(name));
    ensure!(directive("default-src") == Some(" 'none'"), "{what}: default-src: {answer:?}");
    // The documentation's scripts are files of this service.
    let scripts = if what.contains(UI) { Some(" 'self'") } else { None };
    ensure!(directive("script-src") == scripts, "{what}: script-src: {answer:?}");
    // The inbox shows a mail in a frame of its own.
    let frames = if what.contains("/inbox/") && what.ends_with("/html") { " 'self'" } else { " 'none'" };
    ensure!(directive("frame-ancestors") == Some(frames), "{what}: frame-ancestors: {answer:?}");
    ensure!(answer.header("x-content-type-options") == "nosniff", "{what}: nosniff: {answer:?}");
    // The answer to HEAD has the headers of a page and no body that shows whether there is a form.
    if !what.starts_with("HEAD ") {
        let policy = referrer_policy(answer);
        ensure!(answer.header("referrer-policy") == policy, "{what}: Referrer-Policy: {answer:?}");
    }
    if !what.contains(UI) {
        ensure!(answer.header("cache-control") == "no-store", "{what}: Cache-Control: {answer:?}");
        ensure!(!answer.body.contains("<script"), "{what}: a script: {answer:?}");
    }
    ensure!(answer.headers.get("strict-transport-security").is_none(), "{what}: HSTS over http: {answer:?}");
    ensure!(!answer.header("x-request-id").is_empty(), "{what}: x-request-id: {answer:?}");
    Ok(())
}

async fn checked(what: &str, request: RequestBuilder, status: u16) -> Result<()> {
    let answer = request.answer().await?;
    ensure!(answer.status == status, "{what}: expected {status}: {answer:?}");
    check(what, &answer)
}

/// Method and path of every call that the document names, ready to be sent.
async fn documented(stack: &Stack) -> Result<Vec<(Method, String)>> {
    let document = stack.api().get("/openapi.json").expect(200).await?;
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        let id = uuid::Uuid::new_v4().to_string();
        let path = path.replace("{token}", "x").replace("{book_uid}", &id).replace("{user_uid}", &id);
        let path = path.replace("{id}", &id).replace("{provider}", "postmark");
        let path = path.replace("{mailbox}", "ann@example.org");
        ensure!(!path.contains('{'), "{path}");
        for method in item.as_object().context("calls")?.keys() {
            calls.push((method.to_uppercase().parse()?, format!("/{path}")));
        }
    }
    ensure!(calls.len() > 20, "{calls:?}");
    Ok(calls)
}

/// Links of each kind to an account, unused.
async fn links(stack: &Stack, member: &Member) -> Result<[String; 3]> {
    let new_email = new_address();
    let body = json!({"new_email": new_email, "password": member.person.password});
    let asked = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access);
    asked.json(&body).expect(200).await?;
    stack.ask_for_reset(&member.person.email).expect(200).await?;
    Ok([
        stack.link(&member.person.email, "Verify your email").await?,
        stack.link(&member.person.email, "Reset Your Password").await?,
        stack.link(&new_email, "Confirm your new email address").await?,
    ])
}

both! {
    async fn every_documented_call_answers_with_headers_that_keep_it_harmless(stack: &Stack) {
        let no_such = Method::from_bytes(b"PROPFIND")?;
        for (method, path) in documented(stack).await? {
            let what = format!("{method} {path}");
            for accept in ["application/json", BROWSER_ACCEPT] {
                let request = stack.api().request(method.clone(), &path).header(header::ACCEPT, accept);
                check(&what, &request.answer().await?)?;
            }
            checked(&what, stack.api().request(no_such.clone(), &path), 405).await?;
        }
    }

    async fn every_kind_of_error_answers_with_them_too(stack: &Stack) {
        let api = stack.api();
        let member = stack.member().await?;
        let log_in = || api.post("/auth/login").header(header::CONTENT_TYPE, "application/json");
        checked("400", log_in().body("{"), 400).await?;
        checked("401", api.get("/auth/me"), 401).await?;
        checked("403", api.post("/auth/send_mail").bearer_auth(&member.tokens.access), 403).await?;
        for path in ["//nothing", "/nothing", "/auth/verify/x/y", "//inbox/../data", "//%ff", "//inbox/x"] {
            let status = api.visit(path).answer().await?.status;
            ensure!(status == 404 || status == 422, "{path}: {status}");
            check(path, &api.visit(path).answer().await?)?;
        }
        checked("413", log_in().body("x".repeat(65 * 1024)), 413).await?;
        checked("415", api.post("/auth/login").header(header::CONTENT_TYPE, TEXT_PLAIN).body("x"), 415).await?;
        checked("422", log_in().body("{}"), 422).await?;
        checked("422 page", api.submit("/auth/password-reset-request", &[("email", "x")]), 422).await?;
        for _ in 0..5 {
            stack.log_in_as(&Person { password: new_password(), ..member.person.clone() }).answer().await?;
        }
        let stranger = Person::new();
        for _ in 0..5 {
            stack.log_in_as(&stranger).refused(400, "invalid_email_or_password").await?;
        }
        checked("429", stack.log_in_as(&stranger), 429).await?;
        // The last part, because it breaks the service.
        stack.settled().await?;
        stack.sql().run("ALTER TABLE users RENAME TO users_elsewhere", "").await?;
        checked("500", stack.me(&member.tokens.access), 500).await?;
        let link = forged_link(&member)?;
        checked("500 page", api.visit(&link), 500).await?;
    }

    async fn every_page_answers_with_them_too(stack: &Stack) {
        let member = stack.member().await?;
        let mut pages = vec!["//".to_owned(), "//admin/login".to_owned(), UI.to_owned(), format!("{UI}swagger-initializer.js")];
        pages.extend(["/auth/password-reset-request", "/auth/resend-verification"].map(str::to_owned));
        let links = links(stack, &member).await?;
        pages.extend(links.clone());
        if stack.kind() == Kind::Embedded {
            let inbox = stack.api().visit("//inbox").page(200).await?;
            let id = inbox.split("href=\"/inbox/").nth(1).and_then(|rest| rest.split('"').next()).context("a mail")?;
            pages.push("//inbox".to_owned());
            pages.extend(["", "/html", "/text", "/source"].map(|part| format!("//inbox/{id}{part}")));
        }
        for page in &pages {
            checked(page, stack.api().visit(page), 200).await?;
            let head = stack.api().request(Method::HEAD, page).header(header::ACCEPT, BROWSER_ACCEPT);
            checked(&format!("HEAD {page}"), head, 200).await?;
        }
        let [verify, reset, change] = &links;
        checked(verify, stack.api().submit(verify, &[]), 200).await?;
        checked(change, stack.api().submit(change, &[]), 200).await?;
        checked(reset, stack.api().visit(reset), 400).await.context("of another address by now")?;
    }

    async fn strict_transport_is_asked_for_where_the_service_is_reached_by_https(stack: &Stack, DOMAIN = "books.example.org") {
        for path in ["//", "//health/live", "/auth/me", "/nothing", "/auth/verify/x"] {
            let answer = stack.api().visit(path).answer().await?;
            let seconds = answer.header("strict-transport-security").strip_prefix("max-age=");
            assert!(seconds.is_some_and(|seconds| seconds.parse().is_ok_and(|seconds: u64| seconds >= 31_536_000)), "{path}: {answer:?}");
        }
    }

    async fn a_form_that_was_not_sent_from_a_page_of_ours_changes_nothing(stack: &Stack) {
        let member = stack.member().await?;
        let unverified = Person::new();
        stack.sign_up(&unverified).await?;
        let verify = stack.link(&unverified.email, "Verify your email").await?;
        let [_, reset, change] = links(stack, &member).await?;
        let rows = async || stack.sql().number("SELECT count(*) FROM emails", "").await;
        stack.settled().await?;
        let before = rows().await?;
        let new = new_password();
        let reset_form = format!("new_password={new}&confirm_new_password={new}");
        let email = format!("email={}", member.person.email);
        let endpoints = [
            ("/auth/password-reset-request", email.as_str(), [URLENCODED].as_slice()),
            ("/auth/resend-verification", &email, &[URLENCODED]),
            (&reset, &reset_form, &[URLENCODED]),
            (&verify, "", &[URLENCODED, TEXT_PLAIN, MULTIPART]),
            (&change, "", &[URLENCODED, TEXT_PLAIN, MULTIPART]),
        ];
        let root = stack.api().root();
        let same_name = root.replace("http:", "https:");
        let ways: [&[(&str, &str)]; 8] = [
            &[],
            &[("Origin", EVIL)],
            &[("Origin", "null")],
            &[("Origin", &same_name)],
            &[("Sec-Fetch-Site", "cross-site"), ("Origin", root)],
            &[("Sec-Fetch-Site", "same-site")],
            &[("Origin", "http://rebound.test"), ("Host", "rebound.test")],
            &[("Referer", root)],
        ];
        for (endpoint, form, encodings) in endpoints {
            for (way, encoding) in ways.iter().flat_map(|way| encodings.iter().map(move |encoding| (way, encoding))) {
                let request = stack.api().post(endpoint).header(header::CONTENT_TYPE, *encoding).body(form.to_owned());
                let request = way.iter().fold(request, |request, (name, value)| request.header(*name, *value));
                let answer = request.answer().await?;
                ensure!(answer.status == 403, "{endpoint} {way:?} {encoding}: {answer:?}");
            }
        }
        assert_eq!(rows().await?, before, "no mail");
        let tokens = stack.log_in(&unverified).await?;
        stack.me(&tokens.access).refused(403, "account_not_verified").await?;
        let me = stack.me(&member.tokens.access).expect(200).await?;
        assert_eq!(me["email"], member.person.email);
        stack.log_in(&member.person).await?;
        // The same forms from a page of this service.
        for (endpoint, fields) in [(&verify, vec![]), (&reset, vec![("new_password", &*new), ("confirm_new_password", &*new)])] {
            stack.api().submit(endpoint, &fields).page(200).await?;
        }
    }

    async fn no_page_of_another_site_may_call(stack: &Stack) {
        let answer = preflight(stack, EVIL).answer().await?;
        assert_eq!(answer.status, 405, "{answer:?}");
        let called = stack.api().get("/auth/me").header(header::ORIGIN, EVIL).answer().await?;
        for answer in [answer, called] {
            assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control-")), "{answer:?}");
        }
    }

    async fn pages_of_sites_that_are_named_may_call_without_cookies(stack: &Stack, CORS_ORIGINS = "https://app.example.org") {
        let allowed = "access-control-allow-origin";
        let answer = preflight(stack, "https://app.example.org").answer().await?;
        assert_eq!((answer.status.as_u16(), answer.header(allowed)), (200, "https://app.example.org"));
        assert_eq!(answer.header("access-control-allow-credentials"), "");
        let called = stack.api().get("/auth/me").header(header::ORIGIN, "https://app.example.org").answer().await?;
        assert_eq!((called.status.as_u16(), called.header(allowed)), (401, "https://app.example.org"));
        for other in [EVIL, "http://app.example.org", "https://app.example.org.evil.test", "null"] {
            assert_eq!(preflight(stack, other).answer().await?.header(allowed), "", "{other}");
        }
    }
}

/// The preflight of a browser before a page of another site may log in.
fn preflight(stack: &Stack, origin: &str) -> RequestBuilder {
    let asked = stack.api().request(Method::OPTIONS, "/auth/login").header(header::ORIGIN, origin);
    asked
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "content-type")
}

/// A link with a valid signature; the database is not asked.
fn forged_link(member: &Member) -> Result<String> {
    use bookly_shared::links::{LinkClaims, LinkSigner, Purpose};
    let claims = LinkClaims {
        email: member.person.email.clone(),
        uid: member.uid.parse()?,
        version: None,
        change: None,
    };
    let signer = LinkSigner::new(&bookly_e2e::stack::JWT_SECRET.to_owned().into());
    let token = signer.sign(Purpose::EmailVerification, &claims, std::time::SystemTime::now().into());
    Ok(format!("/auth/verify/{}", token.as_str()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_inbox_and_its_mails_are_for_a_loopback_host_only() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.mail(&person.email, "Verify your email").await?;
        let list = stack.api().visit("//inbox").page(200).await?;
        let id =
            list.split("href=\"/inbox/").nth(1).and_then(|rest| rest.split('"').next()).context("a mail")?;
        for part in ["", "/html", "/text", "/source"] {
            let path = format!("//inbox/{id}{part}");
            for host in
                ["rebound.test", "127.0.0.1.rebound.test", "localhost.rebound.test:8000", "[::2]", "0.0.0.0"]
            {
                let answer = stack.api().get(&path).header(header::HOST, host).answer().await?;
                ensure!(answer.status == 404 && !answer.body.contains("/auth/"), "{path} {host}: {answer:?}");
            }
            for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"] {
                stack.api().get(&path).header(name, "127.0.0.1").refused(404, "not_found").await?;
            }
            assert_eq!(stack.api().get(&path).answer().await?.status, 200, "{path}");
        }
        Ok(())
    })
    .await
}

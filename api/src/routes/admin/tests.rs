use axum::body::Body;
use axum::http::{Method, Request};
use bookly_shared::db::emails::claim::{ClaimLimits, ClaimedEmail};
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind, Role};
use serde_json::Value;
use uuid::Uuid;

use crate::serve::Limits;
use crate::testing::{Login, TestApp, request, with_body, with_header, with_token};

mod suppressions;

const LIST: &str = "/api/v1/admin/emails";

/// Queues a mail. No worker runs in these tests: it stays where it is.
async fn queue(app: &TestApp, to: &str) -> Uuid {
    let mail = NewEmail::new(EmailKind::Welcome, &EmailAddress::parse(to).unwrap(), app.state().now());
    app.state().db.insert_emails(std::slice::from_ref(&mail)).await.unwrap();
    mail.id
}

/// Has a worker claim all that waits, this mail among it.
async fn claim(app: &TestApp, id: Uuid) -> ClaimedEmail {
    let claimed = app.state().db.claim_due(ClaimLimits::of(100), "mail-1", app.state().now()).await.unwrap();
    claimed.into_iter().find(|mail| mail.id == id).unwrap()
}

/// Has a worker give a mail up.
async fn fail(app: &TestApp, id: Uuid) {
    let mail = claim(app, id).await;
    let (db, now) = (&app.state().db, app.state().now());
    assert!(db.complete_failed(&mail, "RCPT TO: 550 5.1.1 no such user".into(), now).await.unwrap());
}

async fn call(app: &TestApp, method: Method, path: &str, login: &Login) -> (u16, Value) {
    let answer = app.send(with_token(request(method, path), &login.access)).await;
    (answer.status.as_u16(), answer.json())
}

fn id_of(mail: &Value) -> Uuid {
    mail["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn only_administrators_see_the_emails() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, true).await;
    for path in [LIST.to_owned(), format!("{LIST}/{}", Uuid::nil())] {
        assert_eq!(app.get(&path).await.error(), (401, "not_authenticated".into()));
        let (status, body) = call(&app, Method::GET, &path, &ann).await;
        assert_eq!((status, body["error_code"].as_str().unwrap()), (403, "insufficient_permissions"));
    }
}

#[tokio::test]
async fn emails_are_found_by_address_state_kind_and_time() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    let (bob, _eve) = (queue(&app, "bob@example.org").await, queue(&app, "eve@example.org").await);
    fail(&app, bob).await;
    let find = async |query: &str| -> Vec<Uuid> {
        let (status, body) = call(&app, Method::GET, &format!("{LIST}?{query}"), &admin).await;
        assert_eq!(status, 200, "{body}");
        body["emails"].as_array().unwrap().iter().map(id_of).collect()
    };
    assert_eq!(find("").await.len(), 3);
    assert_eq!(find("to=BOB@example.ORG").await, [bob]);
    assert_eq!(find("state=failed").await, [bob]);
    assert!(find("state=failed&kind=verify_email").await.is_empty());
    assert_eq!(find("kind=welcome&state=").await.len(), 2);
    assert_eq!(find("since=2020-01-01T00:00:00Z&limit=2").await.len(), 2);
    assert!(find("since=2999-01-01T00:00:00%2B01:00").await.is_empty());
    assert!(find(&format!("before={bob}")).await.iter().all(|id| *id < bob));
    for wrong in ["state=lost", "kind=letter", "to=bob", "since=yesterday", "before=1", "limit=0"] {
        let (status, body) = call(&app, Method::GET, &format!("{LIST}?{wrong}"), &admin).await;
        assert_eq!((status, body["errors"][0]["field"].as_str()), (422, wrong.split('=').next()), "{body}");
    }
}

#[tokio::test]
async fn a_list_says_whether_there_are_more() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    queue(&app, "bob@example.org").await;
    let list = async |query: &str| call(&app, Method::GET, &format!("{LIST}?{query}"), &admin).await.1;
    for (query, count, more) in
        [("", 2, false), ("limit=2", 2, false), ("limit=1", 1, true), ("to=eve@x.org", 0, false)]
    {
        let body = list(query).await;
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["emails", "more"]);
        assert_eq!(
            (body["emails"].as_array().unwrap().len(), &body["more"]),
            (count, &more.into()),
            "{query}"
        );
    }
}

#[tokio::test]
async fn over_plain_http_under_another_name_the_cookie_is_one_that_browsers_store() {
    let app = TestApp::with(&[("DOMAIN", "http://bookly.lan:8000")], Limits::default()).await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    let answer = log_in(&app, "ann@example.org", PASSWORD).await;
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    assert!(cookie.starts_with("admin_session=") && !cookie.contains("Secure"), "{cookie}");
    assert!(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let page = app.send(with_header(request(Method::GET, "/admin"), "cookie", pair)).await;
    assert_eq!(page.status, 200, "{}", page.text);
}

#[tokio::test]
async fn a_failed_email_is_sent_again_and_its_history_stays() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    let id = queue(&app, "bob@example.org").await;
    let retry = format!("{LIST}/{id}/retry");
    let (status, body) = call(&app, Method::POST, &retry, &admin).await;
    assert_eq!((status, body["error_code"].as_str().unwrap()), (409, "email_not_failed"));
    fail(&app, id).await;
    let (status, body) = call(&app, Method::POST, &retry, &admin).await;
    assert_eq!((status, body["state"].as_str().unwrap(), &body["attempts"]), (200, "queued", &0.into()));
    let history = &body["history"][0];
    assert_eq!((history["outcome"].as_str(), history["worker"].as_str()), (Some("failed"), Some("mail-1")));
    assert_eq!(history["reply"], "RCPT TO: 550 5.1.1 no such user");
}

#[tokio::test]
async fn an_email_that_waits_is_cancelled_and_one_that_a_worker_is_sending_is_not() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    let taken = queue(&app, "eve@example.org").await;
    claim(&app, taken).await;
    let waits = queue(&app, "bob@example.org").await;
    for _ in 0..2 {
        let (status, body) = call(&app, Method::POST, &format!("{LIST}/{waits}/cancel"), &admin).await;
        assert_eq!((status, body["state"].as_str().unwrap()), (200, "cancelled"));
    }
    let (status, body) = call(&app, Method::POST, &format!("{LIST}/{taken}/cancel"), &admin).await;
    assert_eq!((status, body["error_code"].as_str().unwrap()), (409, "email_not_queued"));
    let (status, body) = call(&app, Method::POST, &format!("{LIST}/{}/cancel", Uuid::nil()), &admin).await;
    assert_eq!((status, body["error_code"].as_str().unwrap()), (404, "email_not_found"));
}

const PASSWORD: &str = "a tree in the 3rd garden";

/// An account that can log in with the password.
async fn sign_up(app: &TestApp, email: &str, role: Role) {
    let body = serde_json::json!({"first_name": "Ann", "last_name": "Smith", "username": "ann",
                                  "email": email, "password": PASSWORD});
    let call = with_body(request(Method::POST, "/api/v1/auth/signup"), "application/json", body.to_string());
    assert_eq!(app.send(call).await.status, 201);
    let (db, now, email) = (&app.state().db, app.state().now(), EmailAddress::parse(email).unwrap());
    let user = db.user_of_mailbox(email.canonical()).await.unwrap().unwrap();
    db.verify_account(user.uid, &email, now).await.unwrap();
    db.set_role(&email, role, now).await.unwrap();
}

fn form(path: &str, fields: &str) -> Request<Body> {
    let call = with_body(request(Method::POST, path), "application/x-www-form-urlencoded", fields.to_owned());
    with_header(call, "sec-fetch-site", "same-origin")
}

async fn log_in(app: &TestApp, email: &str, password: &str) -> crate::testing::Answer {
    let pair = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("email", email), ("password", password)])
        .finish();
    app.send(form("/admin/login", &pair)).await
}

/// The cookie as a browser sends it back.
async fn cookie(app: &TestApp, email: &str) -> String {
    let answer = log_in(app, email, PASSWORD).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, Some("/admin")), "{}", answer.text);
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    for attribute in ["__Host-", "; Path=/", "; HttpOnly", "; Secure", "; SameSite=Strict", "; Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_page_opens_to_administrators_with_its_own_cookie_only() {
    let app = TestApp::new().await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    sign_up(&app, "bob@example.org", Role::User).await;
    for path in ["/admin", "/admin/emails", "/admin/emails/1"] {
        let answer = app.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, Some("/admin/login")),
            "{path}"
        );
    }
    let wrong = log_in(&app, "ann@example.org", "wrong").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("set-cookie")), (400, None));
    let stranger = log_in(&app, "bob@example.org", PASSWORD).await;
    assert_eq!((stranger.status.as_u16(), stranger.header("set-cookie")), (403, None));

    let cookie = cookie(&app, "ann@example.org").await;
    let page = app.send(with_header(request(Method::GET, "/admin"), "cookie", &cookie)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let token = cookie.split_once('=').unwrap().1;
    let bearer = with_token(request(Method::GET, LIST), token);
    assert_eq!(app.send(bearer).await.error(), (401, "invalid_token".into()));
    let admin = app.log_in("eve@example.org", Role::Admin, true).await;
    let jwt = format!("__Host-admin_session={}", admin.access);
    let answer = app.send(with_header(request(Method::GET, "/admin"), "cookie", &jwt)).await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn demotion_and_logout_count_on_the_next_request() {
    let app = TestApp::new().await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    sign_up(&app, "bob@example.org", Role::Admin).await;
    let (ann, bob) = (cookie(&app, "ann@example.org").await, cookie(&app, "bob@example.org").await);
    let status = async |cookie: &str| {
        app.send(with_header(request(Method::GET, "/admin"), "cookie", cookie)).await.status.as_u16()
    };
    assert_eq!((status(&ann).await, status(&bob).await), (200, 200));
    let address = EmailAddress::parse("ann@example.org").unwrap();
    app.state().db.set_role(&address, Role::User, app.state().now()).await.unwrap();
    let out = with_header(form("/admin/logout", ""), "cookie", &bob);
    let answer = app.send(out).await;
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!((status(&ann).await, status(&bob).await), (303, 303));
}

#[tokio::test]
async fn buttons_pressed_on_another_sites_page_do_nothing() {
    let app = TestApp::new().await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    let cookie = cookie(&app, "ann@example.org").await;
    let id = queue(&app, "bob@example.org").await;
    for (site, status) in [("cross-site", 403), ("same-site", 403), ("same-origin", 303)] {
        let call = with_header(form(&format!("/admin/emails/{id}/cancel"), ""), "cookie", &cookie);
        assert_eq!(
            app.send(with_header(call, "sec-fetch-site", site)).await.status.as_u16(),
            status,
            "{site}"
        );
        let state = app.state().db.email(id).await.unwrap().unwrap().state;
        assert_eq!(state, if status == 303 { "cancelled" } else { "queued" }, "{site}");
    }
    let login = with_header(form("/admin/login", "email=a&password=b"), "sec-fetch-site", "cross-site");
    assert_eq!(app.send(login).await.status, 403);
}

#[tokio::test]
async fn the_page_shows_who_failed_and_why_without_trusting_a_word_of_it() {
    let app = TestApp::new().await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    let cookie = cookie(&app, "ann@example.org").await;
    let id = queue(&app, "bob@example.org").await;
    let mail = claim(&app, id).await;
    let (db, now) = (&app.state().db, app.state().now());
    db.complete_failed(&mail, "RCPT TO: 550 <script>alert(1)</script>".into(), now).await.unwrap();
    let page = async |path: &str| {
        let answer = app.send(with_header(request(Method::GET, path), "cookie", &cookie)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    };
    for path in
        ["/admin".to_owned(), "/admin/emails?to=bob@example.org".into(), format!("/admin/emails/{id}")]
    {
        let text = page(&path).await;
        assert!(text.contains("bob@example.org") && text.contains("550 &lt;script&gt;"), "{path} {text}");
    }
    assert!(page("/admin").await.contains("class=\"failed\""), "the minute's bar is drawn");
    assert!(page(&format!("/admin/emails/{id}")).await.contains("Send it again"));
    let wrong = app.send(with_header(request(Method::GET, "/admin/emails?to=bob"), "cookie", &cookie)).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("The address must"), "{}", wrong.text);
    let none = format!("/admin/emails/{}", Uuid::nil());
    let none = app.send(with_header(request(Method::GET, &none), "cookie", &cookie)).await;
    assert_eq!(none.status, 404);
}

//! Suppressions as JSON and on the operator's pages.

use axum::http::Method;
use bookly_shared::db::suppressions::{NewSuppression, SuppressionFilter};
use bookly_shared::domain::{Role, SuppressionReason};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{call, cookie, form, sign_up};
use crate::testing::{Answer, Login, TestApp, request, with_body, with_header, with_token};

const PATH: &str = "/api/v1/admin/suppressions";

async fn add(app: &TestApp, login: &Login, body: &Value) -> Answer {
    let post = with_body(request(Method::POST, PATH), "application/json", body.to_string());
    app.send(with_token(post, &login.access)).await
}

/// Mailbox and reason of each entry, newest first.
async fn stored(app: &TestApp) -> Vec<(String, String)> {
    let state = app.state();
    let (rows, _) = state.db.suppressions(&SuppressionFilter::default(), 100, state.now()).await.unwrap();
    rows.into_iter().map(|row| (row.mailbox, row.reason)).collect()
}

fn pair(mailbox: &str, reason: &str) -> (String, String) {
    (mailbox.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn only_administrators_see_and_change_the_suppressions() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, true).await;
    let of = format!("{PATH}/ann@example.org");
    for (method, path) in [(Method::GET, PATH), (Method::POST, PATH), (Method::DELETE, &of)] {
        let bare = request(method.clone(), path);
        assert_eq!(app.send(bare).await.error(), (401, "not_authenticated".into()), "{method}");
        let body = json!({"address": "bob@example.org"}).to_string();
        let as_user =
            with_token(with_body(request(method.clone(), path), "application/json", body), &ann.access);
        assert_eq!(app.send(as_user).await.error(), (403, "insufficient_permissions".into()), "{method}");
    }
    assert!(stored(&app).await.is_empty());
}

#[tokio::test]
async fn an_administrator_adds_lists_and_removes_suppressions() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    let added = add(&app, &admin, &json!({"address": "Bob+News@Example.org"})).await;
    let entry = added.json();
    assert_eq!(added.status, 201, "{entry}");
    assert_eq!(entry["mailbox"], "bob+news@example.org");
    assert_eq!((&entry["reason"], &entry["until"]), (&json!("operator"), &Value::Null), "{entry}");
    let bounce = json!({"address": "bob@example.org", "reason": "bounce", "days": null});
    assert_eq!(lasts(&add(&app, &admin, &bounce).await.json()), TimeDelta::days(30));
    let short = json!({"address": "bob@example.org", "reason": "bounce", "days": 3});
    assert_eq!(lasts(&add(&app, &admin, &short).await.json()), TimeDelta::days(3));

    let list = async |query: &str| call(&app, Method::GET, &format!("{PATH}{query}"), &admin).await;
    let (status, all) = list("").await;
    assert_eq!((status, &all["more"]), (200, &json!(false)), "{all}");
    assert_eq!(all["suppressions"][1], entry, "{all}");
    let fields: Vec<&String> = all["suppressions"][0].as_object().unwrap().keys().collect();
    assert_eq!(fields, ["created_at", "mailbox", "reason", "source", "until"]);
    let (_, one) = list("?limit=1").await;
    assert_eq!((&one["suppressions"][0]["mailbox"], &one["more"]), (&json!("bob@example.org"), &json!(true)));
    for query in ["?offset=1", "?reason=operator", "?address=BOB%2Bnews@example.org"] {
        let (_, found) = list(query).await;
        assert_eq!(found["suppressions"], json!([entry]), "{query}");
    }

    let remove = async |of: &str| {
        let call = request(Method::DELETE, &format!("{PATH}/{of}"));
        app.send(with_token(call, &admin.access)).await.status.as_u16()
    };
    assert_eq!(remove("bob@example.org?reason=operator").await, 404);
    assert_eq!(remove("no-address").await, 404);
    assert_eq!(remove("bob@example.org?reason=bounce").await, 204);
    assert_eq!(stored(&app).await, [pair("bob+news@example.org", "operator")]);
    assert_eq!(remove("BOB%2BNEWS@example.org").await, 204);
    assert_eq!(stored(&app).await, []);
}

#[tokio::test]
async fn what_the_recipient_asked_for_is_removed_only_by_its_reason() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    for reason in SuppressionReason::ALL {
        let entry = json!({"address": "bob@example.org", "reason": reason.as_str()});
        assert_eq!(add(&app, &admin, &entry).await.status, 201);
    }
    let remove = async |query: &str| {
        let call = request(Method::DELETE, &format!("{PATH}/bob@example.org{query}"));
        app.send(with_token(call, &admin.access)).await
    };
    assert_eq!(remove("").await.status, 204);
    let mut left = stored(&app).await;
    left.sort();
    assert_eq!(left, [pair("bob@example.org", "complaint"), pair("bob@example.org", "unsubscribe")]);
    let again = remove("").await;
    assert_eq!(again.error(), (404, "not_found".into()));
    assert!(again.json()["resolution"].as_str().unwrap().contains("unsubscribe"), "{}", again.text);
    for reason in ["complaint", "unsubscribe"] {
        assert_eq!(remove(&format!("?reason={reason}")).await.status, 204);
    }
    assert_eq!(stored(&app).await, []);
    assert_eq!(remove("").await.json()["resolution"], Value::Null);
}

/// How long an entry holds.
fn lasts(entry: &Value) -> TimeDelta {
    let time = |name: &str| entry[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    time("until") - time("created_at")
}

#[tokio::test]
async fn a_wrong_field_of_a_suppression_is_named() {
    let app = TestApp::new().await;
    let admin = app.log_in("ann@example.org", Role::Admin, true).await;
    for (body, field) in [
        (json!({}), "address"),
        (json!({"address": "bob"}), "address"),
        (json!({"address": "bob@example.org", "reason": "spam"}), "reason"),
        (json!({"address": "bob@example.org", "days": 0}), "days"),
        (json!({"address": "bob@example.org", "days": 3651}), "days"),
    ] {
        let answer = add(&app, &admin, &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.refused_fields()),
            (422, vec![field.to_owned()]),
            "{body}"
        );
    }
    for path in [format!("{PATH}?reason=spam"), format!("{PATH}?limit=0"), format!("{PATH}?address=bob")] {
        assert_eq!(call(&app, Method::GET, &path, &admin).await.0, 422, "{path}");
    }
    assert_eq!(call(&app, Method::DELETE, &format!("{PATH}/b@example.org?reason=spam"), &admin).await.0, 422);
}

#[tokio::test]
async fn the_operators_page_adds_finds_and_removes_suppressions() {
    let app = TestApp::new().await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    let cookie = cookie(&app, "ann@example.org").await;
    let page =
        async |path: &str| app.send(with_header(request(Method::GET, path), "cookie", &cookie)).await.text;
    let post =
        async |path: &str, fields: &str| app.send(with_header(form(path, fields), "cookie", &cookie)).await;
    let added = post("/admin/suppressions", "address=Bob%40example.org&reason=operator&days=").await;
    assert_eq!((added.status.as_u16(), added.header("location")), (303, Some("/admin/suppressions")));
    let state = app.state();
    let bounce = NewSuppression::new("cid@example.org", SuppressionReason::Bounce, "<b>", state.now());
    state.db.suppress(&bounce).await.unwrap();
    for path in ["/admin", "/admin/suppressions"] {
        let text = page(path).await;
        assert!(text.contains("bob@example.org") && text.contains("by &lt;b&gt;,"), "{path} {text}");
    }
    let found = page("/admin/suppressions?address=BOB@example.org").await;
    assert!(found.contains("value=\"BOB@example.org\""), "the field keeps what was typed: {found}");
    assert!(found.contains("<strong>bob@example.org") && !found.contains("cid@example.org"), "{found}");
    let removed = post("/admin/suppressions/remove", "mailbox=bob%40example.org&reason=operator").await;
    assert_eq!(removed.status, 303);
    assert_eq!(stored(&app).await, [pair("cid@example.org", "bounce")]);
    let wrong = post("/admin/suppressions", "address=bob&reason=operator").await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.text.contains("The address must look like"), "{}", wrong.text);
}

#[tokio::test]
async fn no_other_site_and_nobody_else_changes_suppressions_by_the_page() {
    let app = TestApp::new().await;
    sign_up(&app, "ann@example.org", Role::Admin).await;
    let cookie = cookie(&app, "ann@example.org").await;
    let fields = "address=bob%40example.org&mailbox=bob%40example.org&reason=operator";
    for path in ["/admin/suppressions", "/admin/suppressions/remove"] {
        let stranger = app.send(form(path, fields)).await;
        assert_eq!((stranger.status.as_u16(), stranger.header("location")), (303, Some("/admin/login")));
        let other =
            with_header(with_header(form(path, fields), "cookie", &cookie), "sec-fetch-site", "cross-site");
        assert_eq!(app.send(other).await.status, 403, "{path}");
    }
    assert!(stored(&app).await.is_empty());
}

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request};
use axum::routing::post;
use bookly_shared::domain::{EmailAddress, Password, Role};
use serde_json::json;

use super::*;
use crate::layers;
use crate::serve::Limits;
use crate::testing::{Answer, Login, TestApp, request, send_to, with_body, with_header, with_token};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

struct Sample {
    email: EmailAddress,
    count: Option<i64>,
}

impl FromFields for Sample {
    fn from_fields(fields: &mut Fields) -> Option<Sample> {
        let email = fields.parse("email", EmailAddress::parse);
        let password = fields.parse_owned("password", Password::parse);
        let count = fields.optional("count", |fields, name| fields.integer(name, 1..=9));
        password?;
        Some(Sample { email: email?, count: count? })
    }
}

struct Addresses(Vec<EmailAddress>);

impl FromFields for Addresses {
    fn from_fields(fields: &mut Fields) -> Option<Addresses> {
        fields.list("addresses", 1..=3, EmailAddress::parse).map(Addresses)
    }
}

fn routes(app: &TestApp) -> Router {
    let describe = |sample: Sample| format!("{} {:?}", sample.email.as_str(), sample.count);
    let routes = Router::new()
        .route("/json", post(async move |Json(sample): Json<Sample>| describe(sample)))
        .route("/list", post(async |Json(Addresses(list)): Json<Addresses>| list.len().to_string()))
        .route(
            "/either",
            post(async move |sent: JsonOrForm<Sample>| {
                format!("{:?} {}", sent.encoding, describe(sent.body))
            }),
        )
        .route("/access", post(async |AccessToken(session): AccessToken| session.sid.to_string()))
        .route("/verified", post(async |_: VerifiedUser| "in"))
        .route("/admin", post(async |_: AdminUser| "in"))
        .route("/refresh", post(async |RefreshToken(session): RefreshToken| session.sid.to_string()));
    layers::wrap(routes, app.state()).with_state(app.state().clone())
}

async fn post_to(app: &TestApp, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    send_to(routes(app), with_body(request(Method::POST, path), content_type, body)).await
}

#[tokio::test]
async fn a_body_that_is_no_json_is_400_and_says_where() {
    let app = TestApp::new().await;
    for body in ["", "{", "{\"email\": }", "\u{feff}{}"] {
        let answer = post_to(&app, "/json", JSON, body).await;
        assert_eq!(answer.error(), (400, "malformed_body".into()), "{body:?}");
        assert!(answer.json()["message"].as_str().unwrap().contains("line"));
        assert_eq!(answer.json()["detail"], answer.json()["message"]);
    }
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named_once() {
    let app = TestApp::new().await;
    for (body, fields) in [
        (json!({}), vec!["email", "password"]),
        (json!({"email": 7, "password": null, "count": "x"}), vec!["email", "password", "count"]),
        (json!({"email": "nobody", "password": "short", "count": 10}), vec!["email", "password", "count"]),
        (json!([1]), vec!["body"]),
    ] {
        let answer = post_to(&app, "/json", JSON, body.to_string()).await;
        assert_eq!(answer.error(), (422, "validation_error".into()));
        assert_eq!(answer.refused_fields(), fields);
        assert!(!answer.text.contains("short"), "what was sent is not repeated");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored_and_a_missing_content_type_means_json() {
    let app = TestApp::new().await;
    let body = json!({"email": "a@example.org", "password": "correct horse", "more": [], "count": 3.0});
    let answer = post_to(&app, "/json", "application/vnd.x+json; charset=utf-8", body.to_string()).await;
    assert_eq!(answer.text, "a@example.org Some(3)");
    let bare = request(Method::POST, "/json").map(|_| Body::from(body.to_string()));
    assert_eq!(send_to(routes(&app), bare).await.text, "a@example.org Some(3)");
}

#[tokio::test]
async fn other_encodings_are_415_and_large_bodies_413() {
    let app = TestApp::new().await;
    for (path, kind) in [("/json", FORM), ("/json", "text/plain"), ("/either", "text/html"), ("/json", "?")] {
        let answer = post_to(&app, path, kind, "{}").await;
        assert_eq!(answer.error(), (415, "unsupported_media_type".into()));
    }
    let large = format!("\"{}\"", "x".repeat(64 * 1024));
    let answer = post_to(&app, "/json", JSON, large).await;
    assert_eq!(answer.error(), (413, "body_too_large".into()));
}

#[tokio::test]
async fn what_is_wrong_in_a_list_is_named_by_its_place() {
    let app = TestApp::new().await;
    let send = async |list: serde_json::Value| {
        post_to(&app, "/list", JSON, json!({"addresses": list}).to_string()).await
    };
    assert_eq!(send(json!(["a@b.org", "c@d.org"])).await.text, "2");
    assert_eq!(send(json!(["a@b.org", "c", 3])).await.refused_fields(), ["addresses.1", "addresses.2"]);
    for wrong in [json!([]), json!("a@b.org"), json!(["a@b.org", "a@b.org", "a@b.org", "a@b.org"])] {
        assert_eq!(send(wrong).await.refused_fields(), ["addresses"]);
    }
}

#[tokio::test]
async fn a_form_must_come_from_a_page_of_this_service() {
    let app = TestApp::with(&[("DOMAIN", "bookly.example.org")], Limits::default()).await;
    let form = "email=a%40example.org&password=correct+horse";
    let send = async |headers: &[(&'static str, &str)]| {
        let mut sent = with_body(request(Method::POST, "/either"), FORM, form);
        for (name, value) in headers {
            sent = with_header(sent, name, value);
        }
        send_to(routes(&app), sent).await
    };
    for own in [
        vec![("sec-fetch-site", "same-origin"), ("origin", "null")],
        vec![("sec-fetch-site", "none")],
        vec![("origin", "https://bookly.example.org")],
        vec![("origin", "http://127.0.0.1:8000"), ("host", "127.0.0.1:8000")],
    ] {
        assert_eq!(send(&own).await.text, "Form a@example.org None", "{own:?}");
    }
    for foreign in [
        vec![],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://bookly.example.org")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "http://bookly.example.org")],
        vec![("origin", "http://rebound.example.com"), ("host", "rebound.example.com")],
    ] {
        assert_eq!(send(&foreign).await.error(), (403, "insufficient_permissions".into()), "{foreign:?}");
    }
}

async fn with(app: &TestApp, path: &str, token: &str) -> Answer {
    send_to(routes(app), with_token(request(Method::POST, path), token)).await
}

async fn ann(app: &TestApp, role: Role, verified: bool) -> Login {
    app.log_in("ann@example.org", role, verified).await
}

#[tokio::test]
async fn each_token_opens_its_own_calls() {
    let app = TestApp::new().await;
    let ann = ann(&app, Role::User, false).await;
    assert_eq!(with(&app, "/access", &ann.access).await.text, ann.sid.to_string());
    assert_eq!(with(&app, "/refresh", &ann.refresh).await.text, ann.sid.to_string());
    let answer = with(&app, "/access", &ann.refresh).await;
    assert_eq!(answer.error(), (401, "access_token_required".into()));
    let answer = with(&app, "/refresh", &ann.access).await;
    assert_eq!(answer.error(), (403, "refresh_token_required".into()));
    let answer = with(&app, "/access", "x.y.z").await;
    assert_eq!(answer.error(), (401, "invalid_token".into()));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn without_a_bearer_token_nobody_is_authenticated() {
    let app = TestApp::new().await;
    for header in ["", "Bearer", "Bearer ", "Basic YTpi", "token"] {
        let asked = with_header(request(Method::POST, "/access"), "authorization", header);
        assert_eq!(
            send_to(routes(&app), asked).await.error(),
            (401, "not_authenticated".into()),
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn an_ended_session_and_an_account_that_is_gone_are_told_apart() {
    let app = TestApp::new().await;
    let ann = ann(&app, Role::User, true).await;
    app.state().db.end_session(ann.sid).await.unwrap();
    for (path, token) in [("/access", &ann.access), ("/refresh", &ann.refresh)] {
        assert_eq!(with(&app, path, token).await.error(), (401, "token_revoked".into()));
    }
    let now = app.state().now();
    let nobody =
        crate::jwt::TokenUser { user_uid: uuid::Uuid::new_v4(), email: String::new(), role: Role::User };
    let token = app.state().tokens.access(&nobody, ann.sid, now).unwrap();
    assert_eq!(with(&app, "/access", &token).await.error(), (404, "user_not_found".into()));
}

#[tokio::test]
async fn unverified_accounts_and_users_are_stopped_where_they_must_be() {
    let app = TestApp::new().await;
    let new = app.log_in("new@example.org", Role::Admin, false).await;
    let user = app.log_in("user@example.org", Role::User, true).await;
    let admin = app.log_in("admin@example.org", Role::Admin, true).await;
    for path in ["/verified", "/admin"] {
        assert_eq!(with(&app, path, &new.access).await.error(), (403, "account_not_verified".into()));
        assert_eq!(with(&app, path, &admin.access).await.text, "in");
    }
    assert_eq!(with(&app, "/verified", &user.access).await.text, "in");
    assert_eq!(with(&app, "/admin", &user.access).await.error(), (403, "insufficient_permissions".into()));
    let email = EmailAddress::parse("admin@example.org").unwrap();
    app.state().db.set_role(&email, Role::User, app.state().now()).await.unwrap();
    let demoted = with(&app, "/admin", &admin.access).await;
    assert_eq!(demoted.error(), (403, "insufficient_permissions".into()));
}

fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
    let mut request = Request::new(());
    for value in values {
        request.headers_mut().append(name, value.parse().unwrap());
    }
    request.into_parts().0.headers
}

#[test]
fn who_prefers_html_gets_pages() {
    for (accept, html) in [
        (vec![], false),
        (vec!["*/*"], false),
        (vec!["application/json"], false),
        (vec!["text/html"], true),
        (vec!["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], true),
        (vec!["text/html, */*"], true),
        (vec!["text/*, */*"], true),
        (vec!["text/html, application/json"], false),
        (vec!["text/html;q=0.5, application/json;q=0.9"], false),
        (vec!["application/json;q=0.5", "text/html;q=0.9"], true),
        (vec!["text/html;q=0, */*"], false),
        (vec!["text/html;q=x"], false),
        (vec!["application/json, text/plain, */*"], false),
        (vec!["\"", "text/html"], true),
    ] {
        assert_eq!(WantsHtml::of(&headers("accept", &accept)), WantsHtml(html), "{accept:?}");
    }
}

#[test]
fn the_client_is_the_first_hop_that_is_not_trusted() {
    let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
    for (peer, forwarded, client) in [
        ("192.0.2.1", vec!["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", vec![], "10.0.0.1"),
        ("10.0.0.1", vec!["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", vec!["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", vec!["1.2.3.4, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", vec!["1.2.3.4", "198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", vec!["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", vec!["1.2.3.4, junk"], "10.0.0.1"),
        ("10.0.0.1", vec!["198.51.100.7:4711"], "198.51.100.7"),
        ("fd00::1", vec!["[2001:db8::7]:4711"], "2001:db8::7"),
        ("10.0.0.1", vec!["::ffff:198.51.100.7"], "198.51.100.7"),
    ] {
        let peer = Peer(peer.parse().unwrap());
        let found = ClientIp::behind(peer, &headers("x-forwarded-for", &forwarded), &trusted);
        assert_eq!(found, ClientIp(client.parse().unwrap()), "{forwarded:?}");
    }
}

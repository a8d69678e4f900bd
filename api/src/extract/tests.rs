use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::Method;
use axum::routing::post;
use bookly_shared::domain::{EmailAddress, Password};
use serde_json::json;

use super::*;
use crate::layers;
use crate::serve::Limits;
use crate::testing::{Answer, TestApp, request, send_to, with_body, with_header};

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

struct AddressList(Vec<EmailAddress>);

impl FromFields for AddressList {
    fn from_fields(fields: &mut Fields) -> Option<AddressList> {
        fields.list("addresses", 1..=3, EmailAddress::parse).map(AddressList)
    }
}

fn routes(app: &TestApp) -> Router {
    let describe = |sample: Sample| format!("{} {:?}", sample.email.as_str(), sample.count);
    let routes = Router::new()
        .route("/json", post(async move |JsonBody(sample): JsonBody<Sample>| describe(sample)))
        .route(
            "/list",
            post(async |JsonBody(AddressList(list)): JsonBody<AddressList>| list.len().to_string()),
        )
        .route(
            "/either",
            post(async move |sent: JsonOrForm<Sample>| {
                format!("{:?} {}", sent.encoding, describe(sent.body))
            }),
        );
    layers::wrap(routes, app.state()).with_state(app.state().clone())
}

async fn post_to(app: &TestApp, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
    send_to(routes(app), with_body(request(Method::POST, path), content_type, body)).await
}

#[tokio::test]
async fn a_body_that_is_not_json_gets_400_with_the_position() {
    let app = TestApp::new().await;
    for body in ["", "{", "{\"email\": }", "{}\u{feff}", "\u{feff}\u{feff}{}"] {
        let answer = post_to(&app, "/json", JSON, body).await;
        assert_eq!(answer.error(), (400, "malformed_body".into()), "{body:?}");
        assert!(answer.json()["message"].as_str().unwrap().contains("line"));
        assert_eq!(answer.json()["detail"], answer.json()["message"]);
    }
}

#[tokio::test]
async fn json_with_a_byte_order_mark_is_read_as_without() {
    let app = TestApp::new().await;
    let body = "\u{feff}{\"email\": \"a@example.org\", \"password\": \"correct horse\"}";
    assert_eq!(post_to(&app, "/json", JSON, body).await.text, "a@example.org None");
    assert_eq!(post_to(&app, "/either", JSON, body).await.text, "Json a@example.org None");
}

/// RFC 8259 leaves the first three to the reader. This one takes the last of two equal names, and refuses a number that
/// would be rounded to infinity.
#[tokio::test]
async fn unusual_json_is_read_or_refused_and_never_a_server_error() {
    let app = TestApp::new().await;
    let good = r#""email": "a@example.org", "password": "correct horse""#;
    let nested = |open: &str, depth: usize| format!("{{{good}, \"more\": {}", open.repeat(depth));
    for (body, expected) in [
        (format!(r#"{{{good}, "email": "b@example.org"}}"#), "b@example.org None".to_owned()),
        (format!(r#"{{{good}, "more": 1e308, "count": 3e0}}"#), "a@example.org Some(3)".to_owned()),
        (format!(r#"{{{good}, "more": 1e999}}"#), "malformed_body".into()),
        (format!(r#"{{{good}, "count": 1e300}}"#), "validation_error".into()),
        (format!(r#"{{{good}, "count": 99999999999999999999999}}"#), "validation_error".into()),
        (format!(r#"{{{good}, "count": 9e{}}}"#, "9".repeat(1000)), "malformed_body".into()),
        (format!(r#"{{{good}, "more": "\ud800"}}"#), "malformed_body".into()),
        (format!(r#"{{{good}, "more": "\udc00\ud800"}}"#), "malformed_body".into()),
        (format!(r#"{{{good}, "mo\u0000re": 1}}"#), "a@example.org None".into()),
        (nested("[", 60_000), "malformed_body".into()),
        (nested("{\"a\":", 10_000), "malformed_body".into()),
        (nested("[", 100_000), "body_too_large".into()),
        (format!(r#"{{{good}, {}"#, "\"a\":1,".repeat(9_000)), "malformed_body".into()),
    ] {
        let answer = post_to(&app, "/json", JSON, body.clone()).await;
        let found = if answer.status == 200 { answer.text } else { answer.error().1 };
        assert_eq!(found, expected, "{}", &body[..body.len().min(120)]);
    }
    let bytes = [format!("{{{good}, \"more\": \"").as_bytes(), b"\xff\"}"].concat();
    assert_eq!(post_to(&app, "/json", JSON, bytes).await.error(), (400, "malformed_body".into()));
}

#[tokio::test]
async fn a_form_may_have_repeated_and_thousands_of_fields_but_must_be_utf_8() {
    let app = TestApp::new().await;
    let good = "email=a%40example.org&password=correct+horse";
    let send = async |form: String| {
        let request = with_body(request(Method::POST, "/either"), FORM, form);
        send_to(routes(&app), with_header(request, "sec-fetch-site", "same-origin")).await
    };
    assert_eq!(send(format!("email=b%40example.org&{good}")).await.text, "Form a@example.org None");
    assert_eq!(send(format!("{good}{}", "&x=1".repeat(10_000))).await.text, "Form a@example.org None");
    assert_eq!(send(format!("{good}{}", "&".repeat(60_000))).await.text, "Form a@example.org None");
    assert_eq!(
        send(format!("{good}{}", "&x=1".repeat(20_000))).await.error(),
        (413, "body_too_large".into())
    );
    for bad in ["&x=%ff", "&%c3=1", "&x=%c3&y=%a9"] {
        assert_eq!(send(format!("{good}{bad}")).await.error(), (400, "malformed_body".into()), "{bad}");
    }
}

#[tokio::test]
async fn a_control_character_is_refused_before_any_trimming() {
    let app = TestApp::new().await;
    for control in ["\n", "\r\n", "\0", "\t", "\u{202e}", "\u{200f}", "\u{2028}"] {
        for (email, password, count) in [
            (format!("a@example.org{control}"), "correct horse".to_owned(), "3".to_owned()),
            ("a@example.org".into(), format!("{control}correct horse"), "3".into()),
            ("a@example.org".into(), "correct horse".into(), format!("3{control}")),
        ] {
            let body = json!({"email": email, "password": password, "count": count});
            let answer = post_to(&app, "/json", JSON, body.to_string()).await;
            assert_eq!(answer.error(), (422, "validation_error".into()), "{body}");
            assert_eq!(answer.refused_fields().len(), 1, "{body}");
        }
        let answer = post_to(
            &app,
            "/list",
            JSON,
            json!({"addresses": ["a@b.org", format!("c@d.org{control}")]}).to_string(),
        );
        assert_eq!(answer.await.refused_fields(), ["addresses.1"]);
    }
}

#[tokio::test]
async fn every_invalid_field_is_named_once() {
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
        assert!(!answer.text.contains("short"), "the answer does not quote the input");
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
    let unannounced = Body::from_stream(futures_util::stream::iter([Ok::<_, Infallible>(large.clone())]));
    for body in [Body::from(large), unannounced] {
        let answer = post_to(&app, "/json", JSON, body).await;
        assert_eq!(answer.error(), (413, "body_too_large".into()));
    }
}

#[tokio::test]
async fn an_error_in_a_list_is_named_by_its_index() {
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
        let answer = send(&foreign).await;
        assert_eq!(answer.status.as_u16(), 403, "{foreign:?}");
        // As JSON by the extractor, and as a page by the layer that refuses other sites.
        let refusals =
            ["You do not have enough permissions to perform this action", "You are not allowed to do this"];
        assert!(refusals.iter().any(|text| answer.text.contains(text)), "{}", answer.text);
    }
}

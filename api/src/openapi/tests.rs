use std::collections::{BTreeMap, BTreeSet};

use axum::http::Method;
use bookly_shared::domain::Role;
use serde_json::{Value, json};

use super::ui::{DOCUMENT_PATH, UI_PATH};
use crate::routes::documented;
use crate::serve::Limits;
use crate::testing::{Login, TestApp, request, with_body, with_token};

/// For people and for Prometheus: not in the document.
const UNDOCUMENTED: [&str; 4] = ["/inbox", "/metrics", "/admin", UI_PATH];

async fn app() -> TestApp {
    TestApp::with(&[("RATE_LIMIT", "off")], Limits::default()).await
}

fn document(app: &TestApp) -> Value {
    serde_json::to_value(documented(app.state()).1).unwrap()
}

/// Method and path of every operation.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().unwrap().clone();
        let path = path.clone();
        item.into_iter().map(move |(method, call)| ((method.to_uppercase(), path.clone()), call))
    };
    paths.iter().flat_map(of_path).collect()
}

/// The paths that the router knows: its `Debug` is the only place where axum tells them.
fn routed_paths(app: &TestApp) -> BTreeSet<String> {
    let text = format!("{:?}", crate::routes::routes(app.state().clone()));
    let quoted = text.split('"').skip(1).step_by(2);
    // axum's own route is the fallback.
    quoted.filter(|text| text.starts_with('/') && !text.contains("__private")).map(str::to_owned).collect()
}

async fn allowed_methods(app: &TestApp, path: &str) -> Vec<String> {
    let path = path.replace(['{', '}', '*'], "");
    let answer = app.send(request(Method::from_bytes(b"PROPFIND").unwrap(), &path)).await;
    assert_eq!(answer.error(), (405, "method_not_allowed".into()), "{path}");
    answer.header("allow").unwrap().split(',').map(|method| method.trim().to_owned()).collect()
}

#[tokio::test]
async fn every_route_is_documented_and_every_documented_one_is_routed() {
    let app = app().await;
    let mut routed = BTreeSet::new();
    for path in routed_paths(&app) {
        let is_page =
            path == "/" || path == DOCUMENT_PATH || UNDOCUMENTED.iter().any(|of| path.starts_with(of));
        if is_page {
            continue;
        }
        for method in allowed_methods(&app, &path).await {
            routed.insert((method, path.strip_suffix('/').unwrap_or(&path).to_owned()));
        }
    }
    let mut documented: BTreeSet<(String, String)> = operations(&document(&app)).into_keys().collect();
    assert!(documented.len() > 20, "{documented:?}");
    // Whatever answers GET answers HEAD.
    let heads: Vec<_> =
        documented.iter().filter(|(method, _)| method == "GET").map(|(_, path)| path.clone()).collect();
    documented.extend(heads.into_iter().map(|path| ("HEAD".to_owned(), path)));
    assert_eq!(routed, documented);
}

#[tokio::test]
async fn every_operation_says_what_it_does_and_what_can_go_wrong() {
    let document = document(&app().await);
    let mut ids = BTreeSet::new();
    for (operation, call) in operations(&document) {
        let id = call["operationId"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id.to_owned()), "{operation:?} {id}");
        assert!(call["summary"].is_string() && call["tags"].is_array(), "{operation:?}");
        let answers = call["responses"].as_object().unwrap();
        let has = |status: &str| answers.contains_key(status);
        assert!(has("408") && has("500") && has("503"), "{operation:?}");
        assert_eq!(has("401"), call["security"].is_array(), "{operation:?}");
        assert_eq!(has("413"), call["requestBody"].is_object(), "{operation:?}");
    }
}

#[tokio::test]
async fn an_error_is_documented_as_it_is_sent() {
    let app = app().await;
    let document = document(&app);
    let answer = app.get("/api/v1/auth/me").await;
    let call = &operations(&document)[&("GET".to_owned(), "/api/v1/auth/me".to_owned())];
    let documented = &call["responses"]["401"];
    assert_eq!(
        documented["content"]["application/json"]["examples"]["not_authenticated"]["value"],
        answer.json()
    );
    assert!(documented["headers"]["www-authenticate"].is_object());
    let mut headers = BTreeMap::new();
    for (_, call) in operations(&document) {
        for answer in call["responses"].as_object().unwrap().values() {
            for (name, header) in answer["headers"].as_object().into_iter().flatten() {
                headers.insert(header["description"].as_str().unwrap().to_owned(), name.clone());
            }
        }
    }
    assert_eq!(
        headers.values().collect::<BTreeSet<_>>().len(),
        headers.len(),
        "one text a header: {headers:?}"
    );
    assert!(
        headers.values().any(|name| name == "connection") && !headers.contains_key("See HTTP"),
        "{headers:?}"
    );
}

#[tokio::test]
async fn every_pattern_is_one_that_all_engines_of_regular_expressions_know() {
    let text = document(&app().await).to_string();
    for look_around in ["(?=", "(?!", "(?<"] {
        assert!(!text.contains(look_around), "RE2 has no {look_around}");
    }
}

/// A language tag of this length: with variants of 5 to 8 characters, each another one.
fn tag(length: usize) -> String {
    let mut tag: String = "de".chars().take(length).collect();
    while tag.len() < length {
        let part = match length - tag.len() {
            rest @ ..=9 => rest,
            rest @ 10..=17 => rest / 2,
            _ => 9,
        };
        tag += &format!("-a{:0width$}", tag.len(), width = part.saturating_sub(2));
    }
    tag
}

/// A text of this length that is a good value of its kind.
fn text(schema: &Value, length: usize) -> String {
    if schema["format"] == "email" {
        // Labels of 63 characters at most.
        let labels = ["b".repeat(63), "c".repeat(63), "d".repeat(63)].join(".");
        return format!(
            "{}@{}",
            "a".repeat(length.saturating_sub(192).max(1)),
            &labels[..length.min(192) - 1]
        );
    }
    if schema["pattern"] == "^[A-Za-z0-9]+(-[A-Za-z0-9]+)*$" {
        return tag(length);
    }
    "Zk7-qWxv Tgarden3_".chars().cycle().take(length).collect()
}

/// What the document calls the longest and largest, the smallest, and one step beyond each.
fn edges(schema: &Value) -> Vec<(Value, bool)> {
    let number = |name: &str| schema[name].as_u64();
    let size = |name: &str| number(name).and_then(|number| usize::try_from(number).ok());
    let list = |length| vec![schema["items"]["examples"][0].clone(); length];
    let mut edges = Vec::new();
    for (name, step) in [("maxLength", 1_isize), ("minLength", -1)] {
        let Some(length) = size(name) else { continue };
        edges.push((json!(text(schema, length)), true));
        edges.push((json!(text(schema, length.saturating_add_signed(step))), false));
    }
    for (name, step) in [("maximum", 1), ("minimum", -1)] {
        let Some(limit) = schema[name].as_i64() else { continue };
        edges.extend([(json!(limit), true), (json!(limit + step), false)]);
    }
    for (name, step) in [("maxItems", 1_isize), ("minItems", -1)] {
        let Some(length) = size(name) else { continue };
        edges.extend([(json!(list(length)), true), (json!(list(length.saturating_add_signed(step))), false)]);
    }
    edges
}

/// All properties of a body's schema, through references and compositions.
fn properties(document: &Value, schema: &Value) -> BTreeMap<String, Value> {
    let named = schema["$ref"].as_str().map(|name| document.pointer(&name[1..]).unwrap());
    let parts = schema["allOf"].as_array().into_iter().flatten().chain(named);
    let own = schema["properties"].as_object().cloned().unwrap_or_default();
    parts.flat_map(|part| properties(document, part)).chain(own).collect()
}

async fn refuses(
    app: &TestApp,
    login: &Login,
    operation: &(String, String),
    body: &Value,
    field: &str,
) -> bool {
    let (method, path) = operation;
    let call =
        request(method.parse().unwrap(), &path.replace("{book_uid}", "00000000-0000-0000-0000-000000000000"));
    let answer =
        app.send(with_token(with_body(call, "application/json", body.to_string()), &login.access)).await;
    // A list's entries are named by their place.
    answer.status == 422 && answer.refused_fields().iter().any(|name| name == field)
}

#[tokio::test]
async fn the_documented_limits_are_those_of_the_parser() {
    let app = app().await;
    let login = app.log_in("ann@example.org", Role::Admin, true).await;
    let document = document(&app);
    let mut checked = 0;
    for (operation, call) in operations(&document) {
        // Those with a token in their path, or a code, look at it first; their body is also that of `/password-change`.
        if operation.1.contains("{token}") || operation.1.ends_with("/password-reset-confirm") {
            continue;
        }
        let fields = properties(&document, &call["requestBody"]["content"]["application/json"]["schema"]);
        let body = |name: &str, value: &Value| {
            let mut body: BTreeMap<&str, &Value> =
                fields.iter().map(|(name, schema)| (name.as_str(), &schema["examples"][0])).collect();
            body.insert(name, value);
            json!(body)
        };
        for (name, schema) in &fields {
            for (value, good) in edges(schema) {
                let refused = refuses(&app, &login, &operation, &body(name, &value), name).await;
                assert_ne!(refused, good, "{operation:?} {name} {value}");
                checked += 1;
            }
        }
    }
    assert!(checked > 40, "only {checked} limits were found");
}

#[tokio::test]
async fn the_querys_documented_limits_are_those_of_the_parser() {
    let app = app().await;
    let login = app.log_in("ann@example.org", Role::User, true).await;
    let document = document(&app);
    let call = &operations(&document)[&("GET".to_owned(), "/api/v1/books".to_owned())];
    let parameters = call["parameters"].as_array().unwrap();
    assert_eq!(parameters.len(), 2, "{parameters:?}");
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap();
        for (value, good) in edges(&parameter["schema"]) {
            let call = request(Method::GET, &format!("/api/v1/books?{name}={value}"));
            let answer = app.send(with_token(call, &login.access)).await;
            assert_eq!(answer.status, if good { 200 } else { 422 }, "{name} {value}");
        }
    }
}

#[tokio::test]
async fn the_pages_are_confined_to_this_service() {
    let app = app().await;
    assert_eq!(app.get(UI_PATH).await.header("location"), Some("/api/v1/docs/"));
    for file in ["", "swagger-ui.css", "swagger-initializer.js"] {
        let answer = app.get(&format!("{UI_PATH}/{file}")).await;
        assert_eq!(answer.status, 200, "{file}");
        assert!(answer.header("content-security-policy").unwrap().contains("script-src 'self';"));
        assert!(!answer.text.contains("https://"), "{file}");
    }
    assert_eq!(app.get("/api/v1/docs/nothing").await.error(), (404, "not_found".into()));
    assert_eq!(app.get(DOCUMENT_PATH).await.json(), document(&app));
}

#[tokio::test]
async fn docs_off_hides_the_document_its_pages_and_the_links_to_them() {
    let app = TestApp::with(&[("DOCS", "off")], Limits::default()).await;
    for path in [DOCUMENT_PATH, UI_PATH, "/api/v1/docs/", "/api/v1/docs/swagger-ui.css"] {
        assert_eq!(app.get(path).await.error(), (404, "not_found".into()), "{path}");
    }
    let start = app.get("/").await.text;
    assert!(!start.contains("/api/v1/docs") && !start.contains("openapi.json"), "{start}");
    assert!(self::app().await.get("/").await.text.contains("/api/v1/docs"));
}

#[tokio::test]
async fn the_document_has_the_name_of_the_product() {
    let settings = [("APP_NAME", "Acme & Co"), ("SUPPORT_EMAIL", "help@acme.example")];
    let acme = TestApp::with(&settings, Limits::default()).await;
    let page = acme.get("/api/v1/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<title>Acme &amp; Co</title>"), "{}", page.text);
    let info = &document(&acme)["info"];
    assert_eq!(info["title"], "Acme & Co");
    assert_eq!(info["contact"]["email"], "help@acme.example");
    let info = &document(&app().await)["info"];
    assert_eq!(info["title"], "Bookly");
    assert!(info["description"].as_str().unwrap().contains("And books"), "{info}");
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn without_the_sample_books_nothing_names_them() {
    let app = TestApp::with(&[("APP_NAME", "Acme"), ("SAMPLE_BOOKS", "off")], Limits::default()).await;
    let login = app.log_in("ann@example.org", Role::User, true).await;
    for (method, path) in [
        (Method::GET, "/api/v1/books"),
        (Method::POST, "/api/v1/books"),
        (Method::GET, "/api/v1/books/user/x"),
    ] {
        let answer = app.send(with_token(request(method, path), &login.access)).await;
        assert_eq!(answer.error(), (404, "not_found".into()), "{path}");
    }
    let me = app.send(with_token(request(Method::GET, "/api/v1/auth/me"), &login.access)).await.json();
    assert_eq!(me["email"], "ann@example.org");
    assert!(me.get("books").is_none(), "{me}");
    for text in [document(&app).to_string(), app.get("/").await.text] {
        assert!(!text.to_lowercase().contains("books"), "{text}");
    }
    let with_books = self::app().await;
    let login = with_books.log_in("ann@example.org", Role::User, true).await;
    let me = with_books.send(with_token(request(Method::GET, "/api/v1/auth/me"), &login.access)).await.json();
    assert_eq!(me["books"], json!([]));
}

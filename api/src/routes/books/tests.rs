use axum::http::{Method, StatusCode};
use bookly_shared::domain::Role;
use serde_json::{Value, json};

use crate::testing::{Answer, Login, TestApp, request, with_body, with_token};

fn a_book() -> Value {
    json!({"title": "Dune", "author": "Frank Herbert", "publisher": "Chilton", "published_date": "1965-08-01",
           "page_count": 412, "language": "English"})
}

async fn call(app: &TestApp, login: &Login, method: Method, path: &str, body: Option<Value>) -> Answer {
    let request = with_token(request(method, path), &login.access);
    app.send(match body {
        Some(body) => with_body(request, "application/json", body.to_string()),
        None => request,
    })
    .await
}

async fn add(app: &TestApp, login: &Login) -> String {
    let answer = call(app, login, Method::POST, "/api/v1/books/", Some(a_book())).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    answer.json()["uid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_book_is_added_read_changed_and_deleted() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, true).await;
    let uid = add(&app, &ann).await;
    let path = format!("/api/v1/books/{uid}");
    let read = call(&app, &ann, Method::GET, &path, None).await.json();
    assert_eq!((&read["title"], &read["published_date"]), (&json!("Dune"), &json!("1965-08-01")));
    assert_eq!(read["user_uid"], json!(ann.user.uid));
    let patched = call(&app, &ann, Method::PATCH, &path, Some(json!({"page_count": 500}))).await.json();
    assert_eq!((&patched["page_count"], &patched["title"]), (&json!(500), &json!("Dune")));
    assert_eq!(call(&app, &ann, Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    let gone = call(&app, &ann, Method::GET, &path, None).await;
    assert_eq!(gone.error(), (404, "book_not_found".into()));
}

#[tokio::test]
async fn lists_are_newest_first_and_can_be_read_in_parts() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, true).await;
    let bob = app.log_in("bob@example.org", Role::User, true).await;
    let (first, second) = (add(&app, &ann).await, add(&app, &bob).await);
    let uids = async |path: &str| {
        let list = call(&app, &ann, Method::GET, path, None).await.json();
        list.as_array()
            .unwrap()
            .iter()
            .map(|book| book["uid"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for path in ["/api/v1/books", "/api/v1/books/"] {
        assert_eq!(uids(path).await, [second.clone(), first.clone()]);
    }
    assert_eq!(uids("/api/v1/books?limit=1&offset=1").await, std::slice::from_ref(&first));
    assert_eq!(uids(&format!("/api/v1/books/user/{}", ann.user.uid)).await, [first]);
}

#[tokio::test]
async fn only_the_owner_and_admins_change_a_book() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, true).await;
    let bob = app.log_in("bob@example.org", Role::User, true).await;
    let admin = app.log_in("admin@example.org", Role::Admin, true).await;
    let path = format!("/api/v1/books/{}", add(&app, &ann).await);
    let patch = Some(json!({"title": "Mine"}));
    for (method, body) in [(Method::PATCH, patch.clone()), (Method::DELETE, None)] {
        let answer = call(&app, &bob, method, &path, body).await;
        assert_eq!(answer.error(), (403, "insufficient_permissions".into()));
    }
    assert_eq!(call(&app, &admin, Method::PATCH, &path, patch).await.status, StatusCode::OK);
    assert_eq!(call(&app, &admin, Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn books_are_for_verified_accounts() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, false).await;
    let answer = call(&app, &ann, Method::GET, "/api/v1/books/", None).await;
    assert_eq!(answer.error(), (403, "account_not_verified".into()));
    assert_eq!(app.get("/api/v1/books/").await.error(), (401, "not_authenticated".into()));
}

#[tokio::test]
async fn all_wrong_fields_are_named_at_once() {
    let app = TestApp::new().await;
    let ann = app.log_in("ann@example.org", Role::User, true).await;
    let path = format!("/api/v1/books/{}", add(&app, &ann).await);
    let wrong = json!({"title": "", "author": "a\u{0}b", "publisher": 3, "published_date": "2024-02-30",
                       "page_count": 0, "language": "x".repeat(65)});
    for (method, path) in [(Method::POST, "/api/v1/books/"), (Method::PATCH, path.as_str())] {
        let answer = call(&app, &ann, method, path, Some(wrong.clone())).await;
        assert_eq!(answer.error(), (422, "validation_error".into()));
        let fields = ["title", "author", "publisher", "published_date", "page_count", "language"];
        assert_eq!(answer.refused_fields(), fields);
    }
    let missing = call(&app, &ann, Method::POST, "/api/v1/books/", Some(json!({}))).await;
    assert_eq!(missing.refused_fields().len(), 6);
    for (path, field) in [
        ("/api/v1/books/7", "book_uid"),
        ("/api/v1/books/user/x", "user_uid"),
        ("/api/v1/books?limit=0", "limit"),
        ("/api/v1/books?limit=101", "limit"),
        ("/api/v1/books?offset=-1", "offset"),
    ] {
        assert_eq!(call(&app, &ann, Method::GET, path, None).await.refused_fields(), [field]);
    }
}

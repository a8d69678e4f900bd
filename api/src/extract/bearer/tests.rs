use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::routing::post;
use bookly_shared::domain::{EmailAddress, Role};
use proptest::prelude::*;

use super::*;
use crate::jwt::TokenUser;
use crate::layers;
use crate::testing::{Answer, Login, TestApp, request, send_to, with_header, with_token};

fn routes(app: &TestApp) -> Router {
    let routes = Router::new()
        .route("/access", post(async |AccessToken(session): AccessToken| session.sid.to_string()))
        .route("/verified", post(async |_: VerifiedUser| "in"))
        .route("/admin", post(async |_: AdminUser| "in"))
        .route("/refresh", post(async |RefreshToken(session): RefreshToken| session.sid.to_string()));
    layers::wrap(routes, app.state()).with_state(app.state().clone())
}

async fn with(app: &TestApp, path: &str, token: &str) -> Answer {
    send_to(routes(app), with_token(request(Method::POST, path), token)).await
}

async fn ann(app: &TestApp, role: Role, verified: bool) -> Login {
    app.log_in("ann@example.org", role, verified).await
}

#[tokio::test]
async fn each_kind_of_token_is_accepted_by_its_own_endpoints_only() {
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
async fn a_request_without_a_bearer_token_is_not_authenticated() {
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
async fn an_ended_session_and_a_deleted_account_get_different_errors() {
    let app = TestApp::new().await;
    let ann = ann(&app, Role::User, true).await;
    app.state().db.end_session(ann.sid).await.unwrap();
    for (path, token) in [("/access", &ann.access), ("/refresh", &ann.refresh)] {
        assert_eq!(with(&app, path, token).await.error(), (401, "token_revoked".into()));
    }
    let now = app.state().now();
    let deleted = TokenUser { user_uid: Uuid::new_v4(), email: String::new(), role: Role::User };
    let token = app.state().tokens.access(&deleted, ann.sid, now).unwrap();
    assert_eq!(with(&app, "/access", &token).await.error(), (404, "user_not_found".into()));
}

#[tokio::test]
async fn unverified_accounts_and_users_are_refused_where_more_is_required() {
    let app = TestApp::new().await;
    let new = app.log_in("new@example.org", Role::User, false).await;
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

proptest! {
    /// No header makes it panic, and a token is found only after the scheme's name and a space.
    #[test]
    fn a_token_is_taken_from_a_bearer_header_only(
        value in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..60),
            "(?i)(bearer|basic|bear|bearers)?[ \\t]{0,3}[!-~]{0,20}[ \\t]{0,2}[!-~]{0,9}".prop_map(String::into_bytes),
        ]
    ) {
        let Ok(value) = HeaderValue::from_bytes(&value) else { return Ok(()) };
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value.clone())]);
        if let Some(token) = bearer_token(&headers) {
            prop_assert!(!token.is_empty() && token.trim() == token);
            prop_assert!(value.as_bytes()[..7].eq_ignore_ascii_case(b"bearer "));
            prop_assert!(value.as_bytes().ends_with(token.as_bytes()) || value.as_bytes().last().is_some_and(u8::is_ascii_whitespace));
        } else {
            let is_bearer = value.as_bytes().get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
            prop_assert!(!is_bearer || value.as_bytes()[7..].trim_ascii().is_empty() || value.to_str().is_err());
        }
    }
}

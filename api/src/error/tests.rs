use axum::body::to_bytes;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use super::*;

async fn answer(error: ApiError) -> (u16, Value) {
    let response = error.into_response();
    let status = response.status().as_u16();
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn the_bodies_are_those_of_the_original() {
    let again = "Please get new token";
    for (error, status, code, message, resolution) in [
        (ApiError::LinkExpired, 400, "token_expired", "Token has expired", Some("Please request a new link")),
        (ApiError::LinkInvalid, 400, "invalid_token", "Invalid token", None),
        (
            ApiError::CodeInvalid,
            400,
            "invalid_code",
            "Invalid or expired code",
            Some("Please request a new one"),
        ),
        (ApiError::PasswordsDoNotMatch, 400, "passwords_do_not_match", "Passwords do not match", None),
        (
            ApiError::InvalidEmailOrPassword,
            400,
            "invalid_email_or_password",
            "Invalid Email Or Password",
            None,
        ),
        (ApiError::InvalidToken, 401, "invalid_token", "Token is invalid Or expired", Some(again)),
        (ApiError::TokenRevoked, 401, "token_revoked", "Token is invalid or has been revoked", Some(again)),
        (ApiError::UserExists, 403, "user_exists", "User with email already exists", None),
        (ApiError::UserNotFound, 404, "user_not_found", "User not found", None),
        (
            ApiError::Unavailable(Some("Every connection to the database is in use")),
            503,
            "unavailable",
            "The service is not available, please try again",
            Some("Every connection to the database is in use"),
        ),
        (ApiError::Server, 500, "server_error", "Oops! Something went wrong", None),
    ] {
        let (answered, mut body) = answer(error).await;
        let expected = json!({"message": message, "error_code": code, "detail": message});
        let told = body.as_object_mut().unwrap().remove("resolution");
        assert_eq!((answered, body, told), (status, expected, resolution.map(Value::from)));
    }
}

#[tokio::test]
async fn wrong_fields_are_listed_beside_the_message() {
    let (status, body) = answer(ApiError::field("email", "must not be empty")).await;
    assert_eq!(status, 422);
    assert_eq!(body["errors"], json!([{"field": "email", "message": "must not be empty"}]));
    assert_eq!(body["detail"], "The request is not valid");
}

#[test]
fn headers_tell_clients_how_to_authenticate_and_when_to_come_again() {
    assert_eq!(ApiError::NotAuthenticated.headers()["www-authenticate"], "Bearer");
    assert_eq!(ApiError::InvalidBasicAuth.headers()["www-authenticate"], "Basic realm=\"reports\"");
    assert_eq!(ApiError::InvalidSignature.headers()["www-authenticate"], "Signature");
    assert_eq!(ApiError::TooManyRequests(7).headers()["retry-after"], "7");
    assert_eq!(ApiError::Unavailable(None).headers()["retry-after"], "5");
    assert!(ApiError::Server.headers().is_empty());
}

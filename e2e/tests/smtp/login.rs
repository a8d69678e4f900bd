//! AUTH: when it is used, what its failure means, and that the password stays secret.

use super::*;

#[tokio::test]
async fn login_works_with_plain_and_with_login() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let server = server(login_options(vec![mechanism])).await;
        send(&login_pool(&server, "correct horse"), "a@b.test").await.unwrap();
        let mail = server.wait_for_mail_to("a@b.test", SOON).await.unwrap();
        assert_eq!(mail.auth_user.as_deref(), Some("bookly"));
    }
}

#[tokio::test]
async fn a_wrong_password_makes_the_server_unavailable_and_is_not_repeated() {
    let server = login_server().await;
    let error = send(&login_pool(&server, "battery staple"), "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.code()), (Stage::Auth, Some(535)));
    assert_eq!(error.kind(), FailureKind::ServerUnavailable);
    assert_eq!((server.auth_attempts(), server.count(At::MailFrom)), (1, 0));
}

#[tokio::test]
async fn a_password_that_the_server_repeats_is_not_in_the_error() {
    let server = login_server().await;
    // AGJvb2tseQBzM2NyM3Q= is the AUTH PLAIN response for bookly and s3cr3t.
    let text = "s3cr3t (czNjcjN0, AGJvb2tseQBzM2NyM3Q=) is wrong";
    let fault = Fault::reply(At::Auth, 535, text);
    let error = fails_with(&server, &login_pool(&server, "s3cr3t"), fault).await;
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("s3cr3t") && !shown.contains("czNjcjN0") && !shown.contains("AGJvb2tse"),
        "{shown}"
    );
    assert_eq!(error.cause.to_string(), "535 [redacted] ([redacted], [redacted]) is wrong");
}

#[tokio::test]
async fn settings_and_errors_do_not_show_the_password() {
    let server = login_server().await;
    assert!(!format!("{:?}", login_settings(&server, "s3cr3t")).contains("s3cr3t"));
}

#[tokio::test]
async fn a_server_without_a_known_login_mechanism_is_unavailable() {
    let server = server(login_options(vec!["CRAM-MD5"])).await;
    let error = send(&login_pool(&server, "correct horse"), "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.kind()), (Stage::Auth, FailureKind::ServerUnavailable));
    assert_eq!(server.auth_attempts(), 0);
}

#[tokio::test]
async fn a_server_that_requires_a_login_at_mail_from_does_not_fail_the_email() {
    let server = login_server().await;
    let error = send(&pool(&server, Security::StartTls), "a@b.test").await.unwrap_err();
    assert_eq!((error.stage, error.code()), (Stage::MailFrom, Some(530)));
    assert_eq!(error.kind(), FailureKind::ServerUnavailable);
}

//! AUTH with an access token: what a token server and a mail server can do wrong, and that no secret is in an error.

use bookly_e2e::poll::until;
use bookly_e2e::token_server::{
    CLIENT_ID, MAILBOX, TOKEN_MARK, TOKEN_MARKS, TokenAnswer, TokenServer, client_secret, refresh_token,
};
use bookly_shared::config::{OAuthGrant, OAuthMechanism, OAuthSettings};
use bookly_worker::smtp::{SmtpProblem, TokenProblem};

use super::*;

/// A mail server that accepts the tokens of the token server by these mechanisms, and a pool that uses them.
async fn pool_with(
    tokens: &TokenServer,
    mechanism: OAuthMechanism,
    offered: Vec<&'static str>,
) -> (SmtpServer, SmtpPool) {
    let access_tokens = Some((MAILBOX.to_owned(), tokens.access_tokens()));
    let tls = TlsMode::StartTls;
    let with_tokens =
        SmtpServerOptions { access_tokens, auth_mechanisms: offered, tls, ..Default::default() };
    let server = server(with_tokens).await;
    let grant = OAuthGrant::RefreshToken {
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(client_secret().into()),
        refresh_token: refresh_token(0).into(),
    };
    let oauth = OAuthSettings { mechanism, token_url: tokens.url().to_owned(), grant, scope: None };
    let credentials =
        SmtpCredentials { username: MAILBOX.to_owned(), auth: SmtpAuth::OAuth(Box::new(oauth)) };
    let settings =
        SmtpSettings { credentials: Some(credentials), ..settings(server.port(), Security::StartTls) };
    assert!(!format!("{settings:?}").contains(TOKEN_MARK));
    let timeouts = StageTimeouts { token: Duration::from_secs(2), ..StageTimeouts::default() };
    let options = SmtpOptions { timeouts, ..options(&server) };
    let pool = SmtpPool::new(settings, options).unwrap();
    (server, pool)
}

const BOTH: [&str; 2] = ["XOAUTH2", "OAUTHBEARER"];

fn shows_no_secret(error: &SendError) {
    let shown = format!("{error} {error:?}");
    for secret in TOKEN_MARKS {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn a_token_server_that_is_slow_or_lies_makes_the_server_unavailable() {
    for (answer, problem, text) in [
        (TokenAnswer::Page, TokenProblem::NoTokenServer, "answers 200 without JSON"),
        (TokenAnswer::Huge, TokenProblem::NoTokenServer, "an answer of more than 65536 bytes"),
        (TokenAnswer::Redirect, TokenProblem::NoTokenServer, "answers 302 and leads elsewhere"),
        (TokenAnswer::Refusal, TokenProblem::Grant, "answers 400 invalid_grant"),
        (TokenAnswer::Nothing, TokenProblem::Silent, "no answer within 2s"),
    ] {
        let tokens = TokenServer::start().await.unwrap();
        tokens.answer(answer);
        let (server, pool) = pool_with(&tokens, OAuthMechanism::XOAuth2, BOTH.to_vec()).await;
        let error = send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((error.stage, error.kind()), (Stage::Token, FailureKind::ServerUnavailable));
        assert_eq!(error.problem(), SmtpProblem::NoToken(problem), "{answer:?}");
        assert!(error.to_string().contains(text), "{error}");
        shows_no_secret(&error);
        assert_eq!((server.connections_total(), tokens.requests()), (0, 1), "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_server_that_is_away_makes_the_server_unavailable_until_it_is_back() {
    let tokens = TokenServer::start().await.unwrap();
    tokens.answer(TokenAnswer::Page);
    let (server, pool) = pool_with(&tokens, OAuthMechanism::XOAuth2, BOTH.to_vec()).await;
    send(&pool, "a@b.test").await.unwrap_err();
    tokens.answer(TokenAnswer::WithoutExpiry);
    tokens.asked_more_than(1, SOON).await.unwrap();
    let sent = async || Ok(send(&pool, "a@b.test").await.ok());
    until("an email to be sent", SOON, sent).await.unwrap();
    assert_eq!(server.mails_total(), 1);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_never_shown() {
    for mechanism in [OAuthMechanism::XOAuth2, OAuthMechanism::OAuthBearer] {
        let tokens = TokenServer::start().await.unwrap();
        tokens.answer(TokenAnswer::WrongToken);
        let (server, pool) = pool_with(&tokens, mechanism, BOTH.to_vec()).await;
        let error = send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((error.stage, error.kind()), (Stage::Auth, FailureKind::ServerUnavailable));
        // 501 would say that the client did not answer the server's reason as it must.
        let text = "535 5.7.8 token not accepted: [redacted] [redacted]";
        assert_eq!(error.cause.to_string(), text, "{mechanism:?}");
        shows_no_secret(&error);
        assert_eq!((tokens.requests(), server.auth_attempts()), (2, 2));
        send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((tokens.requests(), server.auth_attempts()), (2, 3), "not again within a minute");
        assert_eq!(tokens.wrong_requests(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_server_that_does_not_offer_the_mechanism_gets_no_token() {
    for (mechanism, offered, missing) in [
        (OAuthMechanism::XOAuth2, "OAUTHBEARER", "does not offer AUTH XOAUTH2"),
        (OAuthMechanism::OAuthBearer, "XOAUTH2", "does not offer AUTH OAUTHBEARER"),
    ] {
        let tokens = TokenServer::start().await.unwrap();
        let (server, pool) = pool_with(&tokens, mechanism, vec!["PLAIN", offered]).await;
        let error = send(&pool, "a@b.test").await.unwrap_err();
        assert_eq!((error.problem(), error.kind()), (SmtpProblem::NoLogin, FailureKind::ServerUnavailable));
        assert!(error.to_string().contains(missing), "{error}");
        assert_eq!(server.auth_attempts(), 0);
    }
}

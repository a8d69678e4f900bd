//! `doctor` with a mail server that wants an access token: the step that fails is named.

use bookly_e2e::ports;
use bookly_e2e::stack::run;
use bookly_e2e::token_server::{MAILBOX, TokenAnswer, TokenServer, grants};

use super::doctor::{check, examined, fails};
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_step_of_a_login_with_an_access_token_that_fails_is_named() -> Result<()> {
    let tokens = TokenServer::start().await?;
    let [refresh_token, ..] = grants(tokens.url());
    let options = StackOptions::new(Kind::Full).workers(0).access_tokens(tokens.access_tokens());
    let options = refresh_token.iter().fold(options, |options, (name, value)| options.with(name, value));
    run(options, async |stack| {
        let (_, report) = examined(stack, &[]).await?;
        let fact = check(&report, "smtp")?["fact"].to_string();
        assert!(fact.contains(&format!("logged in as {MAILBOX} with an access token")), "{fact}");
        for (answer, fact, remedy) in [
            (TokenAnswer::Refusal, "access token: 127.0.0.1:", "MAIL_OAUTH_REFRESH_TOKEN"),
            (TokenAnswer::Page, "answers 200 without JSON", "not a token server"),
            (TokenAnswer::Nothing, "no answer within", "the token server is overloaded"),
            (TokenAnswer::WrongToken, "login: 535 5.7.8 token not accepted: [redacted]", "MAIL_USERNAME"),
        ] {
            tokens.answer(answer);
            fails(stack, &[], "smtp", fact, remedy).await?;
        }
        tokens.answer(TokenAnswer::Rotated);
        let (finished, report) = examined(stack, &[]).await?;
        let found = check(&report, "smtp")?;
        assert_eq!(found["status"], "warn", "{report:#}");
        assert!(found["remedy"].to_string().contains("set a new MAIL_OAUTH_REFRESH_TOKEN"), "{report:#}");
        assert!(finished.status.success(), "the workers still have a token");
        tokens.answer(TokenAnswer::Token);
        let away = format!("http://127.0.0.1:{}/token", ports::free()?);
        fails(stack, &[("MAIL_OAUTH_TOKEN_URL", &away)], "smtp", "refused", "MAIL_OAUTH_TOKEN_URL").await
    })
    .await
}

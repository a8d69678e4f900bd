//! A mail server that repeats the link and the code of an email: no piece of them is stored, logged or shown.

use bookly_e2e::poll::LIMIT;
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::{Fault, LinkForm, Stage};
use bookly_e2e::stack::run;

/// The longest piece that may be left, in letters and digits.
const PIECE: usize = 8;

/// Letters and digits in lower case: what is left of a token that was split, escaped or changed in case.
fn letters_and_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// A piece of what the server repeated of the token that is in the text.
fn piece_in<'a>(text: &str, repeated: &'a str) -> Option<&'a str> {
    let text = letters_and_digits(text);
    (0..=repeated.len().saturating_sub(PIECE))
        .map(|at| &repeated[at..at + PIECE])
        .find(|piece| text.contains(piece))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_piece_of_a_repeated_token_is_stored_logged_or_shown() -> Result<()> {
    run(StackOptions::new(Kind::Full), async |stack| {
        let (smtp, admin) = (stack.smtp()?, stack.admin().await?);
        for code in [552, 451, 250] {
            for form in LinkForm::ALL {
                let person = Person::new();
                smtp.set_fault(Fault::RepeatLink(code, form).only_to(&person.email));
                stack.sign_up(&person).await?;
                let mail = smtp.wait_for_mail_to(&person.email, LIMIT).await?;
                let link = mail.link("/verify/").context("a link")?;
                let token = link.rsplit('/').next().context("a token")?;
                // The forms of the token alone are within those of the link, but for base64.
                let repeated = letters_and_digits(&form.lines(token).concat());
                let id = stack.sql().of_mail(&person.email, "id").await?;
                let shown = shown(stack, &admin.tokens.access, &id).await?;
                assert!(form != LinkForm::Plain || shown.contains("is on a block list"), "{shown}");
                let digits = mail.code().context("a code")?;
                let both = [digits.clone(), digits.replace(' ', "")];
                let codes = both.map(|digits| letters_and_digits(&form.lines(&digits).concat()));
                for text in [shown, logs(stack), rows(stack, &id).await?] {
                    for secret in [&repeated, &codes[0], &codes[1]] {
                        let piece = piece_in(&text, secret);
                        assert_eq!(piece, None, "{code} {form:?}: {text}");
                    }
                }
                smtp.clear_faults();
            }
        }
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_the_server_repeats_is_masked_in_the_log_and_whole_for_the_operator() -> Result<()> {
    run(StackOptions::new(Kind::Full), async |stack| {
        for (code, message) in
            [("552 5.6.0", "email failed"), ("451 4.1.1", "email not sent"), ("250 2.1.5", "email sent")]
        {
            let person = Person::new();
            let text = format!("{code} <{}> is here\r\n", person.email.to_uppercase());
            let reply = Fault::Say { stage: Stage::FinalDot, bytes: text };
            stack.smtp()?.set_fault(reply.only_to(&person.email));
            stack.sign_up(&person).await?;
            let id = stack.sql().of_mail(&person.email, "id").await?;
            let is_it = |line: &str| line.contains(message) && line.contains(&id);
            let line = bookly_e2e::poll::until("the log line", LIMIT, async || {
                Ok(logs(stack).lines().find(|line| is_it(line)).map(str::to_owned))
            });
            let line = line.await?.to_lowercase();
            assert!(line.contains("@people.test> is here") && !line.contains(&person.email), "{line}");
            let shown = stack.command("bookly-worker", &["mail", "show", &id]).await?.succeeded()?;
            assert!(shown.contains(&person.email.to_uppercase()), "{shown}");
        }
        Ok(())
    })
    .await
}

/// What an operator sees of an attempt, once it is recorded: by command, by API, and as a page.
async fn shown(stack: &Stack, access_token: &str, id: &str) -> Result<String> {
    let command = bookly_e2e::poll::until("the attempt", LIMIT, async || {
        let shown = stack.command("bookly-worker", &["mail", "show", id]).await?.succeeded()?;
        Ok(shown.contains("[redacted]").then_some(shown))
    })
    .await?;
    let document = stack.command("bookly-worker", &["mail", "show", id, "--json"]).await?.succeeded()?;
    let api = stack.api().get(&format!("/admin/emails/{id}")).bearer_auth(access_token).expect(200).await?;
    Ok(format!("{command}\n{document}\n{api}"))
}

fn logs(stack: &Stack) -> String {
    stack.logs().into_iter().map(|(_, log)| log.text()).collect()
}

async fn rows(stack: &Stack, id: &str) -> Result<String> {
    let emails = stack.sql().texts("SELECT emails::text FROM emails WHERE id::text = $1", id).await?;
    let attempts = "SELECT email_attempts::text FROM email_attempts WHERE email_id::text = $1";
    Ok([emails, stack.sql().texts(attempts, id).await?].concat().concat())
}

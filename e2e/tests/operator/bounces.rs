//! Reports of emails that were accepted: a provider's call, and an email to the bounce address.

use bookly_e2e::reporter::{bounce, exit_of, report_by_email};

use super::*;

/// Gives the command a report for a recipient. Returns its exit code, and what it said.
async fn bounced(stack: &Stack, settings: &Settings, recipient: &str, email: &str) -> Result<(i32, String)> {
    exit_of(&bounce(stack, settings, "", recipient, email).await?)
}

async fn suppressions(stack: &Stack, mailbox: &str) -> Result<Vec<String>> {
    stack.sql().texts("SELECT reason FROM suppressions WHERE mailbox = $1", mailbox).await
}

both! {
    async fn a_hard_bounce_by_a_call_closes_the_email_and_suppresses_its_mailbox(
        stack: &Stack, BOUNCE_POSTMARK_CREDENTIALS = "postmark:a-long-password"
    ) {
        let person = signed_up(stack).await?;
        let id = id_of(stack, &person.email).await?;
        let mail = stack.mail(&person.email, "Verify your email").await?;
        assert_eq!(mail.header("X-PM-Metadata-bookly-email-id").as_deref(), Some(id.as_str()));
        let event = json!({"RecordType": "Bounce", "Type": "HardBounce", "ID": 42, "Email": person.email,
            "Details": "smtp;550 5.1.1 no such user", "Metadata": {"bookly-email-id": id}});
        let call = |password: &str| {
            let call = stack.api().post("/bounces/postmark").json(&event);
            call.basic_auth("postmark", Some(password))
        };
        call("wrong").refused(401, "invalid_signature").await?;
        assert_eq!(json_of(stack, &["mail", "show", &id]).await?["state"], "sent");
        for _ in 0..2 {
            assert_eq!(call("a-long-password").expect(200).await?, json!({"message": "Accepted"}));
        }
        let shown = json_of(stack, &["mail", "show", &id]).await?;
        assert_eq!((&shown["state"], shown["reports"].as_array().map(Vec::len)), (&json!("bounced"), Some(1)), "{shown}");
        assert_eq!(suppressions(stack, &person.email).await?, ["bounce"]);
        let listed = json_of(stack, &["mail", "list", "--state", "bounced"]).await?;
        assert_eq!(listed["emails"][0]["id"], json!(id), "{listed}");
        assert!(impossible(stack, &["mail", "retry", &id]).await?.contains("is bounced"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_by_email_closes_the_email_whose_address_it_was_sent_to() -> Result<()> {
    let options = StackOptions::new(Kind::Full).with("MAIL_BOUNCE_ADDRESS", "bounces@bounce.bookly.test");
    stack::run(options, async |stack: &Stack| {
        let person = signed_up(stack).await?;
        let id = id_of(stack, &person.email).await?;
        let sender = stack.mail(&person.email, "Verify your email").await?.from;
        ensure!(sender.starts_with("bounces+") && sender.ends_with("@bounce.bookly.test"), "{sender}");
        let doctor = command(stack, &["doctor"]).await?.output;
        ensure!(doctor.contains("MAIL FROM bounces+"), "{doctor}");
        let settings = stack.settings();
        let hard = report_by_email(&person.email, "5.1.1");
        let (code, said) = bounced(stack, settings, "bounces@bounce.bookly.test", &hard).await?;
        ensure!(code == 0 && said.contains("not ours"), "{code} {said}");
        let (code, said) = bounced(stack, settings, &sender, "no email").await?;
        ensure!(code == 65, "{code} {said}");
        let mut away = settings.clone();
        away.insert("DATABASE_URL".to_owned(), "postgres://nobody:nothing@127.0.0.1:1/none".to_owned());
        let (code, said) = bounced(stack, &away, &sender, &hard).await?;
        ensure!(code == 75 && !said.contains("nothing"), "{code} {said}");
        let mut wrong = settings.clone();
        wrong.insert("MAIL_RETENTION_DAYS".to_owned(), "many".to_owned());
        let (code, said) = bounced(stack, &wrong, &sender, &hard).await?;
        ensure!(code == 75 && said.contains("MAIL_RETENTION_DAYS"), "{code} {said}");
        // Any other code than 75 would make the mail server give the report up.
        for words in ["--recipent a@example.org", "--recipient", "another", "2>&1 | :"] {
            let finished = bounce(stack, &wrong, words, &sender, &hard).await?;
            ensure!(exit_of(&finished)?.0 == 75, "{words}: {finished:?}");
        }
        let (code, said) = exit_of(&bounce(stack, settings, "--help", &sender, "").await?)?;
        ensure!(code == 0 && said.contains("sysexits.h"), "{code} {said}");
        ensure!(suppressions(stack, &person.email).await?.is_empty());
        // The mail server does not read what the command says.
        for words in [">&- 2>&-", "| :", ">/dev/full"] {
            let soft = report_by_email(&person.email, "5.2.2")
                .replace("report-5.2.2", &uuid::Uuid::new_v4().to_string());
            let finished = bounce(stack, settings, words, &sender, &soft).await?;
            ensure!(exit_of(&finished)?.0 == 0, "{words}: {finished:?}");
        }
        let noted = json_of(stack, &["mail", "show", &id]).await?;
        ensure!(noted["reports"].as_array().map(Vec::len) == Some(3), "{noted}");
        for words in ["is bounced", "recorded before"] {
            let (code, said) = bounced(stack, settings, &sender.to_uppercase(), &hard).await?;
            ensure!(code == 0 && said.contains(words), "{code} {said}");
        }
        ensure!(stack.sql().of_mail(&person.email, "state").await? == "bounced");
        ensure!(suppressions(stack, &person.email).await? == ["bounce"]);
        ensure!(impossible(stack, &["mail", "retry", &id]).await?.contains("is bounced"));
        Ok(())
    })
    .await
}

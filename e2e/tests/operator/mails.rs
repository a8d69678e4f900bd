//! `bookly-worker mail …`: list, show, retry, cancel, stats, test.

use std::collections::BTreeSet;

use bookly_e2e::person::new_address;
use bookly_e2e::smtp_server::{Fault, Stage};
use bookly_e2e::stack::run;

use super::*;

/// More than two batches of a retry.
const MANY: i64 = 1_200;

fn ids(listed: &Value) -> BTreeSet<String> {
    let emails = listed["emails"].as_array().unwrap();
    emails.iter().map(|email| email["id"].as_str().unwrap().to_owned()).collect()
}

both! {
    async fn an_email_is_found_and_shown_with_its_attempts(stack: &Stack) {
        let person = signed_up(stack).await?;
        let id = id_of(stack, &person.email).await?;
        let listed = said(stack, &["mail", "list", "--to", &person.email]).await?;
        let row = listed.lines().find(|line| line.contains(&id)).context(listed.clone())?;
        assert!(row.contains("sent") && row.contains("verify_email") && row.ends_with(&person.email), "{row}");
        assert!(listed.ends_with("1 email"), "{listed}");
        let shown = said(stack, &["mail", "show", &id]).await?;
        for word in ["accepted", "sent", "deadline", person.email.as_str()] {
            assert!(shown.contains(word), "{word} in {shown}");
        }
        let document = json_of(stack, &["mail", "show", &id]).await?;
        assert_eq!(document["state"], "sent", "{document}");
        assert_eq!(document["recipient"], json!(person.email), "{document}");
        let attempt = &document["history"][0];
        assert_eq!(attempt["outcome"], "sent", "{document}");
        assert!(attempt["duration_ms"].is_i64() && attempt["reply"].is_string(), "{document}");
        let started = attempt["started_at"].as_str().context("a time")?;
        chrono::DateTime::parse_from_rfc3339(started)?;
        let code = if stack.kind() == Kind::Full { json!(250) } else { Value::Null };
        assert_eq!(attempt["smtp_code"], code, "{document}");
    }

    async fn lists_are_filtered_by_the_options(stack: &Stack) {
        let (ada, kim) = (signed_up(stack).await?, signed_up(stack).await?);
        stack.ask_for_reset(&kim.email).expect(200).await?;
        stack.mail(&kim.email, "Reset Your Password").await?;
        stack.settled().await?;
        let list = async |arguments: &[&str]| json_of(stack, &[&["mail", "list"], arguments].concat()).await;
        let all = ids(&list(&[]).await?);
        assert_eq!(all.len(), 3);
        assert_eq!(ids(&list(&["--to", &kim.email.to_uppercase()]).await?).len(), 2, "the spelling does not count");
        assert_eq!(ids(&list(&["--kind", "reset_password"]).await?).len(), 1);
        assert_eq!(ids(&list(&["--state", "sent", "--since", "1h"]).await?), all);
        assert!(ids(&list(&["--state", "failed"]).await?).is_empty());
        assert!(ids(&list(&["--since", "2999-01-01T00:00:00Z"]).await?).is_empty());
        let two = list(&["--limit", "2"]).await?;
        assert_eq!((ids(&two).len(), &two["more"]), (2, &json!(true)), "{two}");
        assert!(!ids(&two).contains(&id_of(stack, &ada.email).await?), "the newest first");
        assert_eq!(list(&["--limit", "3"]).await?["more"], false);
    }

    async fn only_a_queued_email_can_be_cancelled(stack: &Stack) {
        let (ada, kim) = (signed_up(stack).await?, signed_up(stack).await?);
        let id = id_of(stack, &ada.email).await?;
        let refused = impossible(stack, &["mail", "cancel", &id]).await?;
        assert!(refused.contains("is sent") && refused.contains("only queued"), "{refused}");
        queue_for_later(stack, &ada.email).await?;
        queue_for_later(stack, &kim.email).await?;
        assert!(said(stack, &["mail", "cancel", &id]).await?.contains("is cancelled"));
        let shown = said(stack, &["mail", "show", &id]).await?;
        assert!(shown.lines().last().context("a line")?.contains("cancelled by an operator"), "{shown}");
        let other = id_of(stack, &kim.email).await?;
        assert_eq!(json_of(stack, &["mail", "cancel", &other]).await?, json!({"cancelled": 1}));
    }

    async fn only_a_failed_email_can_be_retried(stack: &Stack) {
        let person = signed_up(stack).await?;
        let id = id_of(stack, &person.email).await?;
        let refused = impossible(stack, &["mail", "retry", &id]).await?;
        assert!(refused.contains("is sent") && refused.contains("only failed"), "{refused}");
        mark_failed(stack, &person.email).await?;
        assert!(said(stack, &["mail", "retry", &id]).await?.contains("queued again"));
        stack.settled().await?;
        assert_eq!(stack.sql().of_mail(&person.email, "state").await?, "sent");
        let shown = json_of(stack, &["mail", "show", &id]).await?;
        assert_eq!(shown["history"].as_array().map(Vec::len), Some(2), "{shown}");
    }

    async fn matching_failed_emails_are_retried_and_no_others(stack: &Stack) {
        let (ada, kim) = (signed_up(stack).await?, signed_up(stack).await?);
        mark_failed(stack, &ada.email).await?;
        mark_failed(stack, &kim.email).await?;
        let retry = ["mail", "retry", "--state", "failed"];
        let none = said(stack, &[&retry[..], &["--kind", "reset_password"]].concat()).await?;
        assert_eq!(none, "no failed email matches");
        let one = json_of(stack, &[&retry[..], &["--to", &ada.email, "--since", "2h"]].concat()).await?;
        assert_eq!(one, json!({"retried": 1}));
        stack.settled().await?;
        assert_eq!(stack.sql().of_mail(&ada.email, "state").await?, "sent");
        assert_eq!(stack.sql().of_mail(&kim.email, "state").await?, "failed");
    }

    async fn stats_count_queued_and_closed_emails(stack: &Stack) {
        let (ada, kim, lou) = (signed_up(stack).await?, signed_up(stack).await?, signed_up(stack).await?);
        queue_for_later(stack, &ada.email).await?;
        mark_failed(stack, &kim.email).await?;
        let stats = json_of(stack, &["mail", "stats", "--since", "1h"]).await?;
        assert_eq!((&stats["queued"], &stats["failed"]), (&json!(1), &json!(1)), "{stats}");
        let ended = json!([
            {"kind": "verify_email", "state": "failed", "emails": 1},
            {"kind": "verify_email", "state": "sent", "emails": 1},
        ]);
        assert_eq!(stats["ended"], ended, "{stats}");
        assert!(stats["oldest_queued_seconds"].as_f64().context("seconds")? >= 0.0, "{stats}");
        let text = said(stack, &["mail", "stats"]).await?;
        assert!(text.contains("mail list --state failed") && text.contains("verify_email"), "{text}");
        assert!(!text.contains(&lou.email), "{text}");
    }

    async fn a_test_email_reports_the_servers_reply(stack: &Stack) {
        let address = new_address();
        let said = json_of(stack, &["mail", "test", &address]).await?;
        let code = if stack.kind() == Kind::Full { json!(250) } else { Value::Null };
        assert_eq!(said["code"], code, "{said}");
        stack.mail(&address, "Welcome to our app").await?;
        assert_eq!((&said["suppressions"], stack.sql().number("SELECT count(*) FROM emails", "").await?),
            (&json!([]), 0), "not in the queue");
        crate::said(stack, &["suppression", "add", &address]).await?;
        let again = command(stack, &["mail", "test", &address]).await?;
        assert!(again.status.success() && again.log.contains("is suppressed (operator)"), "{again:?}");
    }

    async fn a_missing_email_is_reported_with_the_reason(stack: &Stack) {
        let unknown = uuid::Uuid::new_v4().to_string();
        for command in ["show", "retry", "cancel"] {
            let refused = impossible(stack, &["mail", command, &unknown]).await?;
            assert!(refused.contains("there is no email") && refused.contains("MAIL_RETENTION_DAYS"), "{refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_attempt_is_on_the_timeline_with_the_servers_reply() -> Result<()> {
    run(StackOptions::new(Kind::Full).workers(1), async |stack| {
        let person = Person::new();
        let later = Fault::reply(Stage::RcptTo, 451, "4.7.1 come back later").times(1);
        stack.smtp()?.set_fault(later);
        stack.sign_up(&person).await?;
        stack.settled().await?;
        let id = id_of(stack, &person.email).await?;
        let shown = said(stack, &["mail", "show", &id]).await?;
        let events: Vec<&str> = shown.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
        assert!(events.ends_with(&["accepted", "retried", "sent"]), "{shown}");
        let retried = shown.lines().find(|line| line.contains("retried")).context("the attempt")?;
        assert!(retried.contains("451") && retried.contains("4.7.1 come back later"), "{shown}");
        Ok(())
    })
    .await
}

/// The service is stopped, so that no worker claims the emails; the commands need only the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_failed_emails_are_retried_in_batches() -> Result<()> {
    on_both(async |stack| {
        stack.stop_api().await?;
        let id = if stack.kind() == Kind::Full { "gen_random_uuid()" } else { "randomblob(16)" };
        let then = "2026-01-01T00:00:00+00:00";
        let insert = format!(
            "INSERT INTO emails (id, kind, recipient, mailbox, context, state, due_at, deadline_at, created_at, closed_at)
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})
             SELECT {id}, CASE WHEN i = 7 THEN 'newer' ELSE 'welcome' END, 'kim-' || i || '@people.test',
                    'kim-' || i || '@people.test', '{{}}', 'failed', '{then}', '{then}', '{then}', '{then}' FROM n"
        );
        stack.sql().run(&insert, "").await?;
        let retried = json_of(stack, &["mail", "retry", "--state", "failed"]).await?;
        assert_eq!(retried, json!({"retried": MANY - 1}), "an email of an unknown kind stays failed");
        let queued = "SELECT count(*) FROM emails WHERE state = 'queued' AND closed_at IS NULL AND attempts = 0";
        assert_eq!(stack.sql().number(queued, "").await?, MANY - 1);
        let failed = json_of(stack, &["mail", "list", "--state", "failed"]).await?;
        let newer = ids(&failed).into_iter().next().context("a mail")?;
        let refused = impossible(stack, &["mail", "retry", &newer]).await?;
        assert!(refused.contains("newer"), "{refused}");
        screen::a_reader_that_closes_the_pipe_is_no_error(stack).await
    })
    .await
}

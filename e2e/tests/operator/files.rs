//! `mail preview` and `templates check`: the commands that need no server.

use std::fs;

use bookly_shared::domain::EmailKind;

use super::*;

/// A working folder with a `TEMPLATE_FOLDER` called `mine`.
struct WorkingFolder {
    folder: tempfile::TempDir,
    settings: Settings,
}

impl WorkingFolder {
    fn with(files: &[(&str, &str)]) -> Result<WorkingFolder> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("mine"))?;
        for (name, text) in files {
            let path = folder.path().join("mine").join(name);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            fs::write(path, text)?;
        }
        let settings = Settings::from([("TEMPLATE_FOLDER".to_owned(), "mine".to_owned())]);
        Ok(WorkingFolder { folder, settings })
    }

    async fn run(&self, arguments: &[&str]) -> Result<Finished> {
        run_in(self.folder.path(), &self.settings, arguments).await
    }
}

#[tokio::test]
async fn a_preview_of_every_email_uses_the_overriding_templates() -> Result<()> {
    let working = WorkingFolder::with(&[
        ("mail/welcome/subject.txt", "Ahoy"),
        ("mail/welcome/body.txt", "Ship ahoy!"),
    ])?;
    let said = working.run(&["mail", "preview", "--out", "out/mails"]).await?.succeeded()?;
    for kind in EmailKind::ALL.into_iter().filter(|kind| *kind != EmailKind::Welcome) {
        let html = fs::read_to_string(working.folder.path().join(format!("out/mails/{kind}.html")))?;
        assert!(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>"), "{kind}: {html}");
        assert!(said.contains(&format!("out/mails/{kind}.txt")), "{said}");
    }
    assert!(said.contains("Ahoy") && said.contains("Verify your email"), "the subjects: {said}");
    assert_eq!(fs::read_to_string(working.folder.path().join("out/mails/welcome.txt"))?, "Ship ahoy!\n");
    assert!(!working.folder.path().join("data").exists(), "nothing else is created");
    Ok(())
}

#[tokio::test]
async fn a_preview_shows_the_links_of_the_settings() -> Result<()> {
    let mut working = WorkingFolder::with(&[])?;
    let set = [
        ("DOMAIN", "books.acme.example"),
        ("VERIFY_URL", "https://app.acme.example/verify#{token}"),
        ("PASSWORD_RESET_URL", "https://app.acme.example/reset?t={token}&from=mail"),
        ("EMAIL_CHANGE_URL", "https://app.acme.example/move/{token}"),
        ("PASSWORD_RESET_REQUEST_URL", "https://app.acme.example/forgotten"),
    ];
    working.settings.extend(set.map(|(name, value)| (name.to_owned(), value.to_owned())));
    working.run(&["mail", "preview", "--out", "out"]).await?.succeeded()?;
    for (kind, link) in [
        (EmailKind::VerifyEmail, "https://app.acme.example/verify#eyJ"),
        (EmailKind::ResetPassword, "https://app.acme.example/reset?t=eyJ"),
        (EmailKind::ChangeEmail, "https://app.acme.example/move/eyJ"),
        (EmailKind::PasswordChanged, "https://app.acme.example/forgotten"),
        (EmailKind::EmailChangeRequested, "https://app.acme.example/forgotten"),
        (EmailKind::EmailChanged, "https://books.acme.example/api/v1/auth/email-change-undo/eyJ"),
    ] {
        let text = fs::read_to_string(working.folder.path().join(format!("out/{kind}.txt")))?;
        assert!(text.lines().any(|line| line.starts_with(link)), "{kind}: {text}");
    }
    Ok(())
}

#[tokio::test]
async fn a_preview_of_one_kind_writes_one_email() -> Result<()> {
    let working = WorkingFolder::with(&[])?;
    let output = working.run(&["mail", "preview", "welcome", "--out", "out", "--json"]).await?.succeeded()?;
    let document: Value = serde_json::from_str(&output)?;
    let email = json!({"kind": "welcome", "subject": "Welcome to our app", "html": "out/welcome.html", "text": "out/welcome.txt"});
    assert_eq!(document, json!({"emails": [email]}));
    assert_eq!(fs::read_dir(working.folder.path().join("out"))?.count(), 2);
    Ok(())
}

#[tokio::test]
async fn a_preview_that_cannot_be_written_names_the_file() -> Result<()> {
    let working = WorkingFolder::with(&[("mail/notes", "a file")])?;
    let finished = working.run(&["mail", "preview", "--out", "mine/mail/notes"]).await?;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.log.contains("mine/mail/notes"), "{finished:?}");
    Ok(())
}

#[tokio::test]
async fn good_templates_pass_with_a_summary() -> Result<()> {
    let working = WorkingFolder::with(&[("mail/welcome/subject.txt", "Ahoy")])?;
    let said = working.run(&["templates", "check"]).await?.succeeded()?;
    for words in ["ok", "emails rendered", "pages compiled", "1 of them from mine"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    Ok(())
}

#[tokio::test]
async fn every_broken_template_is_named_with_file_and_line() -> Result<()> {
    let working = WorkingFolder::with(&[
        ("mail/verify_email/body.txt", "Hello\n{{ link\n"),
        ("mail/welcome/body.txt", "\n\n{{ first_nmae }}"),
        ("page/start.html", "{% if %}"),
        ("mail/verify-email/body.html", "<p>"),
    ])?;
    let finished = working.run(&["templates", "check"]).await?;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    for words in [
        "FAIL TEMPLATE_FOLDER/mail/verify_email/body.txt, line 2:",
        "FAIL TEMPLATE_FOLDER/mail/welcome/body.txt, line 3:",
        "FAIL TEMPLATE_FOLDER/page/start.html, line 1:",
        "warn TEMPLATE_FOLDER/mail/verify-email/body.html: overrides nothing; is mail/verify_email/body.html meant?",
    ] {
        assert!(finished.output.contains(words), "{words} in {}", finished.output);
    }
    let finished = working.run(&["templates", "check", "--json"]).await?;
    let document: Value = serde_json::from_str(&finished.output)?;
    assert_eq!((finished.status.code(), &document["ok"]), (Some(1), &json!(false)), "{document}");
    let problems = document["problems"].as_array().context("problems")?;
    assert_eq!(problems.len(), 3, "{document}");
    let undefined =
        problems.iter().find(|problem| problem["file"] == "TEMPLATE_FOLDER/mail/welcome/body.txt");
    assert_eq!(undefined.context("the variable")?["line"], 3, "{document}");
    assert_eq!(document["warnings"].as_array().map(Vec::len), Some(1), "{document}");
    Ok(())
}

#[tokio::test]
async fn a_file_that_replaces_no_template_is_a_warning() -> Result<()> {
    let working = WorkingFolder::with(&[("mail/welcome/subjekt.txt", "Ahoy")])?;
    let said = working.run(&["templates", "check"]).await?.succeeded()?;
    assert!(said.contains("warn TEMPLATE_FOLDER/mail/welcome/subjekt.txt"), "{said}");
    Ok(())
}

//! `mail preview` and `templates check`: what needs no server.

use std::fs;

use super::*;

/// A folder to work in with a `TEMPLATE_FOLDER` called `mine` in it.
struct Desk {
    folder: tempfile::TempDir,
    settings: Settings,
}

impl Desk {
    fn with(files: &[(&str, &str)]) -> Result<Desk> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("mine"))?;
        for (name, text) in files {
            let path = folder.path().join("mine").join(name);
            fs::create_dir_all(path.parent().context("a folder")?)?;
            fs::write(path, text)?;
        }
        let settings = Settings::from([("TEMPLATE_FOLDER".to_owned(), "mine".to_owned())]);
        Ok(Desk { folder, settings })
    }

    async fn run(&self, arguments: &[&str]) -> Result<Finished> {
        run_in(self.folder.path(), &self.settings, arguments).await
    }
}

#[tokio::test]
async fn a_preview_of_every_mail_is_written_with_ones_own_templates() -> Result<()> {
    let desk = Desk::with(&[("mail/welcome/subject.txt", "Ahoy"), ("mail/welcome/body.txt", "Ship ahoy!")])?;
    let said = desk.run(&["mail", "preview", "--out", "out/mails"]).await?.succeeded()?;
    for kind in
        ["verify_email", "reset_password", "password_changed", "change_email", "email_change_requested"]
    {
        let html = fs::read_to_string(desk.folder.path().join(format!("out/mails/{kind}.html")))?;
        assert!(html.starts_with("<!doctype html>") || html.starts_with("<!DOCTYPE html>"), "{kind}: {html}");
        assert!(said.contains(&format!("out/mails/{kind}.txt")), "{said}");
    }
    assert!(said.contains("Ahoy") && said.contains("Verify your email"), "the subjects: {said}");
    assert_eq!(fs::read_to_string(desk.folder.path().join("out/mails/welcome.txt"))?, "Ship ahoy!\n");
    assert!(!desk.folder.path().join("data").exists(), "nothing else is made");
    Ok(())
}

#[tokio::test]
async fn a_preview_of_one_mail_is_one_mail() -> Result<()> {
    let desk = Desk::with(&[])?;
    let output = desk.run(&["mail", "preview", "welcome", "--out", "out", "--json"]).await?.succeeded()?;
    let document: Value = serde_json::from_str(&output)?;
    let mail = json!({"kind": "welcome", "subject": "Welcome to our app", "html": "out/welcome.html", "text": "out/welcome.txt"});
    assert_eq!(document, json!({"mails": [mail]}));
    assert_eq!(fs::read_dir(desk.folder.path().join("out"))?.count(), 2);
    Ok(())
}

#[tokio::test]
async fn a_preview_that_cannot_be_written_says_where() -> Result<()> {
    let desk = Desk::with(&[("mail/notes", "a file")])?;
    let finished = desk.run(&["mail", "preview", "--out", "mine/mail/notes"]).await?;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.log.contains("mine/mail/notes"), "{finished:?}");
    Ok(())
}

#[tokio::test]
async fn good_templates_pass_and_it_is_said_what_was_checked() -> Result<()> {
    let desk = Desk::with(&[("mail/welcome/subject.txt", "Ahoy")])?;
    let said = desk.run(&["templates", "check"]).await?.succeeded()?;
    for words in ["ok", "mails rendered", "pages compiled", "1 of them from mine"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    Ok(())
}

#[tokio::test]
async fn every_broken_template_is_named_with_file_and_line() -> Result<()> {
    let desk = Desk::with(&[
        ("mail/verify_email/body.txt", "Hello\n{{ link\n"),
        ("mail/welcome/body.txt", "\n\n{{ first_nmae }}"),
        ("page/start.html", "{% if %}"),
        ("mail/verify-email/body.html", "<p>"),
    ])?;
    let finished = desk.run(&["templates", "check"]).await?;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    for words in [
        "FAIL TEMPLATE_FOLDER/mail/verify_email/body.txt, line 2:",
        "FAIL TEMPLATE_FOLDER/mail/welcome/body.txt, line 3:",
        "FAIL TEMPLATE_FOLDER/page/start.html, line 1:",
        "warn mail/verify-email/body.html: replaces nothing; is mail/verify_email/body.html meant?",
    ] {
        assert!(finished.output.contains(words), "{words} in {}", finished.output);
    }
    let finished = desk.run(&["templates", "check", "--json"]).await?;
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
async fn a_file_that_replaces_nothing_is_a_warning_and_no_failure() -> Result<()> {
    let desk = Desk::with(&[("mail/welcome/subjekt.txt", "Ahoy")])?;
    let said = desk.run(&["templates", "check"]).await?.succeeded()?;
    assert!(said.contains("warn mail/welcome/subjekt.txt"), "{said}");
    Ok(())
}

//! `doctor` in embedded mode, and before the first start.

use std::collections::BTreeMap;
use std::fs;

use bookly_e2e::stack::run;

use super::*;

#[tokio::test]
async fn before_the_first_start_nothing_is_created() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let finished = run_in(folder.path(), &Settings::new(), &["doctor"]).await?;
    let said = finished.succeeded()?;
    assert!(said.contains("warn database: data/bookly.sqlite is not there yet"), "{said}");
    assert!(said.contains("first start of bookly-api"), "{said}");
    let left = fs::read_dir(folder.path())?.filter_map(|entry| Some(entry.ok()?.file_name()));
    let left: Vec<_> = left.filter(|name| !name.to_string_lossy().starts_with("command-")).collect();
    assert!(left.is_empty(), "{left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_embedded_installation_is_not_changed() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        // Not `signed_up`: it keeps the database open.
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.mail(&person.email, "Verify your email").await?;
        stack.stop_api().await?;
        let data = Path::new(&stack.settings()["DATA_DIR"]).to_owned();
        let content = || -> Result<BTreeMap<_, _>> {
            let files = fs::read_dir(&data)?.filter_map(|entry| Some(entry.ok()?.path()));
            files.filter(|path| path.is_file()).map(|path| Ok((path.clone(), fs::read(path)?))).collect()
        };
        let before = content()?;
        assert!(before.len() >= 2, "{:?}", before.keys());
        let said = said(stack, &["doctor"]).await?;
        assert!(
            said.contains("no running process uses it") && said.contains("applied, none is missing"),
            "{said}"
        );
        assert!(content()? == before, "changed: {:?}", content()?.keys());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_misspelt_setting_is_named_as_at_the_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join(".env"), "VERIFY_ULR=https://app.example.org/#{token}\n")?;
    let said = run_in(folder.path(), &Settings::new(), &["doctor"]).await?.succeeded()?;
    assert!(
        said.contains("warn settings: VERIFY_ULR is not a setting and is not used; is VERIFY_URL meant?"),
        "{said}"
    );
    Ok(())
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_used_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("file"), "")?;
    // No user can write there, not even root.
    let settings = Settings::from([("DATA_DIR".to_owned(), "/proc/bookly".to_owned())]);
    let finished = run_in(folder.path(), &settings, &["doctor"]).await?;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.output.contains("FAIL data_dir: /proc/bookly cannot be written"), "{finished:?}");
    assert!(finished.output.contains("DATA_DIR"), "{finished:?}");
    Ok(())
}

#[tokio::test]
async fn wrong_settings_are_all_reported_and_nothing_is_checked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let wrong = [("LISTEN", "nowhere"), ("MAIL_PORT", "0")];
    let wrong = wrong.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let finished = run_in(folder.path(), &Settings::from(wrong), &["doctor"]).await?;
    assert_eq!((finished.status.code(), finished.output.as_str()), (Some(2), ""), "{finished:?}");
    assert!(finished.log.contains("LISTEN") && finished.log.contains("MAIL_PORT"), "{finished:?}");
    Ok(())
}

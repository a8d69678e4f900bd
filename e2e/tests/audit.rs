//! What the log says about logins and changes, and who can read the files of the service.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use bookly_e2e::poll::LIMIT;
use bookly_e2e::prelude::*;

/// Waits for the event with this name about this account in the log of the API.
async fn event(stack: &Stack, name: &str, account: Option<&str>) -> Result<Value> {
    let is_it = |line: &str| {
        line.contains(&format!("\"event\":\"{name}\""))
            && account.is_none_or(|account| line.contains(account))
    };
    stack.api_process().log().line(LIMIT, is_it).await?;
    let events = stack.api_process().log().events();
    let found = events
        .into_iter()
        .find(|event| event["event"] == name && account.is_none_or(|account| event["account"] == account));
    let found = found.with_context(|| format!("no event {name}"))?;
    ensure!(found["span"]["client"] == "127.0.0.1", "the client's address: {found}");
    let address = found["address"].as_str().context("an address")?;
    ensure!(address.contains("***") && address.ends_with("@people.test"), "masked: {found}");
    Ok(found)
}

/// Every file and folder below a folder that other users have a permission for.
fn open_to_others(folder: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mode = |path: &Path| -> Result<u32> { Ok(fs::metadata(path)?.permissions().mode() & 0o777) };
    for path in std::iter::once(folder.to_owned()).chain(entries(folder)?) {
        if mode(&path)? & 0o077 != 0 {
            found.push(format!("{} {:o}", path.display(), mode(&path)?));
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            paths.extend(entries(&path)?);
        }
        paths.push(path);
    }
    Ok(paths)
}

both! {
    async fn logins_and_changes_are_logged_with_client_account_and_masked_address(stack: &Stack) {
        let person = Person::new();
        let user = stack.sign_up_and_verify(&person).await?;
        let uid = user["uid"].as_str().context("uid")?;
        stack.log_in_as(&person.with_password("pa55-wrong-one")).expect(400).await?;
        let tokens = stack.log_in(&person).await?;
        stack.api().post("/auth/logout").bearer_auth(&tokens.access).expect(200).await?;
        for name in ["signed_up", "account_verified", "login_failed", "login_succeeded", "logged_out"] {
            event(stack, name, Some(uid)).await?;
        }
        let stranger = Person::new();
        for _ in 0..6 {
            stack.log_in_as(&stranger).answer().await?;
        }
        event(stack, "password_attempt_throttled", None).await?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_under_data_dir_is_the_owners_only_also_after_an_upgrade() -> Result<()> {
    bookly_e2e::stack::run(StackOptions::new(Kind::Embedded), async |stack| {
        let person = Person::new();
        stack.sign_up(&person).await?;
        stack.link(&person.email, "Verify your email").await?;
        let data = Path::new(&stack.settings()["DATA_DIR"]);
        assert_eq!(open_to_others(data)?, Vec::<String>::new());
        for path in entries(data)? {
            let mode = if path.is_dir() { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
        fs::set_permissions(data, fs::Permissions::from_mode(0o755))?;
        stack.restart_api().await?;
        assert_eq!(open_to_others(data)?, Vec::<String>::new());
        Ok(())
    })
    .await
}

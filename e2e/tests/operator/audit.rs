//! What the log says about logins and changes, and who can read the files of the service.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use bookly_e2e::log::Log;
use bookly_e2e::person::new_address;
use bookly_e2e::poll::LIMIT;
use bookly_e2e::prelude::*;
use bookly_e2e::process::Finished;

/// Waits for the event with this name about this account in a log, and checks its masked address.
async fn event_in(log: &Log, name: &str, account: Option<&str>) -> Result<Value> {
    let is_it = |line: &str| {
        line.contains(&format!("\"event\":\"{name}\""))
            && account.is_none_or(|account| line.contains(account))
    };
    let line = log.line(LIMIT, is_it).await?;
    let found: Value = serde_json::from_str(&line)?;
    ensure!(account.is_none_or(|account| found["account"] == account), "another account: {found}");
    let address = found["address"].as_str().context("an address")?;
    ensure!(address.contains("***") && address.ends_with("@people.test"), "masked: {found}");
    Ok(found)
}

/// The same for a request: the line also has the client's address.
async fn event(stack: &Stack, name: &str, account: Option<&str>) -> Result<Value> {
    let found = event_in(stack.api_process().log(), name, account).await?;
    ensure!(found["span"]["client"] == "127.0.0.1", "the client's address: {found}");
    Ok(found)
}

/// Logs in to the operator's pages. `None` when it is refused.
async fn admin_cookie(stack: &Stack, person: &Person) -> Result<Option<String>> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let form = [("email", person.email.as_str()), ("password", person.password.as_str())];
    let login = http.post(stack.api().url("//admin/login")).header("Sec-Fetch-Site", "same-origin");
    let answer = login.form(&form).send().await?;
    let cookie = answer.headers().get(header::SET_COOKIE).map(|cookie| cookie.to_str()).transpose()?;
    Ok(cookie.and_then(|cookie| cookie.split(';').next()).map(str::to_owned))
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
        let names = stack.api().request(reqwest::Method::PATCH, "/auth/me").bearer_auth(&tokens.access);
        names.json(&json!({"locale": "de"})).expect(200).await?;
        stack.api().post("/auth/logout").bearer_auth(&tokens.access).expect(200).await?;
        for name in ["signed_up", "account_verified", "login_failed", "login_succeeded", "profile_changed", "logged_out"] {
            event(stack, name, Some(uid)).await?;
        }
        let stranger = Person::new();
        for _ in 0..6 {
            stack.log_in_as(&stranger).answer().await?;
        }
        event(stack, "password_attempt_throttled", None).await?;
        for _ in 0..4 {
            stack.ask_for_reset(&stranger.email).expect(200).await?;
        }
        event(stack, "password_reset_request_throttled", None).await?;
    }

    async fn changes_of_an_address_and_their_end_are_logged(stack: &Stack) {
        let member = stack.member().await?;
        let new_email = new_address();
        let body = json!({"new_email": new_email, "password": member.person.password});
        let request = stack.api().post("/auth/email-change-request").bearer_auth(&member.tokens.access);
        request.json(&body).expect(200).await?;
        stack.api().post(&stack.link(&new_email, "Confirm your new email address").await?).expect(200).await?;
        let undo = stack.link(&member.person.email, "Your email address was changed").await?;
        stack.api().post(&undo).expect(200).await?;
        for name in ["email_change_requested", "email_changed", "email_change_undone"] {
            event(stack, name, Some(&member.uid)).await?;
        }
    }

    async fn the_end_of_an_unverified_account_is_logged(stack: &Stack, EMAIL_VERIFICATION_LIFETIME = "60", UNVERIFIED_ACCOUNT_DAYS = "1") {
        let uid_of = |user: &Value| user["uid"].as_str().map(str::to_owned).context("uid");
        let disowned = Person::new();
        let uid = uid_of(&stack.sign_up(&disowned).await?)?;
        let link = stack.link(&disowned.email, "Verify your email").await?;
        stack.api().post(&link.replace("/verify/", "/not-me/")).expect(200).await?;
        event(stack, "account_disowned", Some(&uid)).await?;

        let replaced = Person::new();
        let uid = uid_of(&stack.sign_up(&replaced).await?)?;
        let age = "UPDATE users SET created_at = '2020-01-01T00:00:00+00:00' WHERE email = $1";
        stack.sql().run(age, &replaced.email).await?;
        stack.sign_up(&replaced).await?;
        event(stack, "account_replaced", Some(&uid)).await?;

        let purged = Person::new();
        let uid = uid_of(&stack.sign_up(&purged).await?)?;
        stack.sql().run(age, &purged.email).await?;
        stack.settled().await?;
        // A process that becomes the leader purges first of all.
        let log = if stack.workers().is_empty() {
            stack.restart_api().await?;
            Arc::clone(stack.api_process().log())
        } else {
            (0..stack.workers().len()).try_for_each(|index| stack.kill_worker(index))?;
            Arc::clone(stack.start_worker().await?.log())
        };
        event_in(&log, "account_purged", Some(&uid)).await?;
    }

    async fn what_administrators_do_is_logged_with_their_account(stack: &Stack) {
        let member = stack.member().await?;
        let role = async |role: &str| {
            stack.command("bookly-api", &["user", "role", &member.person.email, role]).await
        };
        assert_eq!(admin_cookie(stack, &member.person).await?, None);
        event(stack, "admin_login_refused", Some(&member.uid)).await?;
        let log = role("admin").await?.log;
        ensure!(log.contains("\"event\":\"role_changed\"") && log.contains(&member.uid) && log.contains("***"), "{log}");
        let cookie = admin_cookie(stack, &member.person).await?.context("a cookie")?;
        event(stack, "admin_login_succeeded", Some(&member.uid)).await?;

        let welcome = stack.api().post("/auth/send_mail").bearer_auth(&member.tokens.access);
        let addresses = [new_address(), new_address()];
        welcome.json(&json!({"addresses": addresses})).expect(200).await?;
        let queued = event(stack, "welcome_emails_queued", Some(&member.uid)).await?;
        assert_eq!(queued["emails"], 2);
        stack.settled().await?;
        for address in &addresses {
            stack.sql().run("UPDATE emails SET state = 'failed' WHERE recipient = $1", address).await?;
        }
        let list = stack.api().get("/admin/emails?state=failed").bearer_auth(&member.tokens.access);
        let list = list.expect(200).await?;
        let id = |n: usize| list["emails"][n]["id"].as_str().map(str::to_owned).context("an id");
        let (by_api, by_page) = (id(0)?, id(1)?);
        let retry = format!("/admin/emails/{by_api}/retry");
        stack.api().post(&retry).bearer_auth(&member.tokens.access).expect(200).await?;
        let retried = event(stack, "email_retried", Some(&member.uid)).await?;
        assert_eq!(retried["email"], by_api);
        let future = "UPDATE emails SET state = 'queued', closed_at = NULL, due_at = '2999-01-01T00:00:00+00:00' WHERE recipient = $1";
        let of_page = list["emails"][1]["recipient"].as_str().context("a recipient")?;
        stack.sql().run(future, of_page).await?;
        let cancel = stack.api().submit(&format!("//admin/emails/{by_page}/cancel"), &[]);
        cancel.header(header::COOKIE, &cookie).page(200).await?;
        let cancelled = event(stack, "email_cancelled", Some(&member.uid)).await?;
        assert_eq!(cancelled["email"], by_page);
        let leave = stack.api().submit("//admin/logout", &[]).header(header::COOKIE, &cookie);
        leave.page(200).await?;
        event(stack, "admin_logged_out", Some(&member.uid)).await?;
        role("user").await?.succeeded()?;
    }
}

both! {
    async fn what_operators_do_with_emails_by_a_command_is_logged(stack: &Stack) {
        let people = [Person::new(), Person::new()];
        for person in &people {
            stack.sign_up(person).await?;
            stack.mail(&person.email, "Verify your email").await?;
        }
        stack.settled().await?;
        let set = async |values: &str| {
            stack.sql().run(&format!("UPDATE emails SET {values}, due_at = '2999-01-01T00:00:00+00:00'"), "").await
        };
        let mail = async |arguments: &[&str]| -> Result<Finished> {
            let finished = stack.command("bookly-worker", &[&["mail"], arguments].concat()).await?;
            ensure!(finished.status.success(), "{finished:?}");
            Ok(finished)
        };
        let list: Value = serde_json::from_str(&mail(&["list", "--json", "--to", &people[0].email]).await?.output)?;
        let id = list["emails"][0]["id"].as_str().context("an id")?.to_owned();
        set("state = 'failed'").await?;
        let log = mail(&["retry", &id]).await?.log;
        ensure!(log.contains("\"event\":\"email_retried\"") && log.contains(&id), "{log}");
        stack.settled().await?;
        set("state = 'failed'").await?;
        let log = mail(&["retry", "--state", "failed"]).await?.log;
        ensure!(log.contains("\"event\":\"emails_retried\"") && log.contains("\"emails\":2"), "{log}");
        let none = mail(&["retry", "--state", "failed", "--to", &new_address()]).await?.log;
        ensure!(!none.contains("emails_retried"), "{none}");
        stack.settled().await?;
        set("state = 'queued', closed_at = NULL").await?;
        let log = mail(&["cancel", &id]).await?.log;
        ensure!(log.contains("\"event\":\"email_cancelled\"") && log.contains(&id), "{log}");
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

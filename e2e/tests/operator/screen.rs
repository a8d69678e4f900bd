//! Colours, pipes, usage errors and help.

use std::process::Command;

use bookly_e2e::process::binary;
use bookly_e2e::spawn;
use bookly_e2e::stack::run;

use super::*;

/// Every colour begins with this character.
const ESCAPE: char = '\x1b';

/// Runs a shell command on a stack, with the worker as `$0`.
async fn shell(stack: &Stack, line: &str, own: &[(&str, &str)]) -> Result<Finished> {
    let mut command: Command = spawn::mortal("KILL", "bash");
    command.args(["-o", "pipefail", "-c", line]).arg(binary(WORKER)?).env_clear().envs(stack.settings());
    command.envs(own.iter().copied()).current_dir(stack.folder());
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let log = stack.folder().join(format!("shell-{}.log", uuid::Uuid::new_v4().simple()));
    Process::run(command, &log)?.finished(LIMIT).await
}

/// Needs more rows than a pipe can hold.
pub(crate) async fn a_reader_that_closes_the_pipe_is_no_error(stack: &Stack) -> Result<()> {
    let done = shell(stack, "\"$0\" mail list --limit 10000 | head -n 1", &[]).await?;
    assert!(done.status.success() && done.log.is_empty(), "{done:?}");
    assert!(done.output.starts_with("ID"), "{done:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn colours_are_for_terminals_and_not_where_no_color_is_set() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let person = signed_up(stack).await?;
        mark_failed(stack, &person.email).await?;
        for arguments in ["mail list", "mail stats", "doctor", "templates check"] {
            let piped = shell(stack, &format!("\"$0\" {arguments}"), &[]).await?.succeeded()?;
            assert!(!piped.contains(ESCAPE), "{arguments}: {piped}");
            // `script` gives the command a terminal.
            let line = format!("script -qec \"'$0' {arguments}\" /dev/null");
            let at_terminal = shell(stack, &line, &[("TERM", "xterm")]).await?.succeeded()?;
            assert!(at_terminal.contains(ESCAPE), "{arguments}: {at_terminal}");
            let without = shell(stack, &line, &[("TERM", "xterm"), ("NO_COLOR", "1")]).await?.succeeded()?;
            assert!(!without.contains(ESCAPE), "{arguments}: {without}");
        }
        let line = "script -qec \"'$0' mail retry --state failed\" /dev/null";
        let progress = shell(stack, line, &[("TERM", "xterm")]).await?.succeeded()?;
        assert!(progress.contains("queued again: 1"), "progress: {progress}");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_usage_ends_with_2_and_names_the_right_values() -> Result<()> {
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let id = uuid::Uuid::new_v4().to_string();
        let wrong: [(&[&str], &str); 9] = [
            (&["mail", "list", "--state", "lost"], "queued"),
            (&["mail", "list", "--kind", "greeting"], "welcome"),
            (&["mail", "list", "--since", "yesterday"], "30m"),
            (&["mail", "list", "--to", "nobody"], "name@example.org"),
            (&["mail", "list", "--limit", "0"], "1..=10000"),
            (&["mail", "retry"], "Usage"),
            (&["mail", "retry", "--state", "sent"], "failed"),
            (&["mail", "retry", &id, "--state", "failed"], "cannot be used with"),
            (&["mail", "preview", "greeting"], "verify_email"),
        ];
        for (arguments, words) in wrong {
            let finished = command(stack, arguments).await?;
            assert_eq!(finished.status.code(), Some(2), "{arguments:?}: {finished:?}");
            assert!(finished.log.contains(words), "{arguments:?}: {finished:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn every_command_explains_itself() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // Help needs no settings.
    let wrong = Settings::from([("LISTEN".to_owned(), "nowhere".to_owned())]);
    let help = async |arguments: &[&str]| {
        run_in(folder.path(), &wrong, &[arguments, &["--help"]].concat()).await?.succeeded()
    };
    let top = help(&[]).await?;
    for command in ["mail", "templates", "doctor", "bookly-api", "Exit codes"] {
        assert!(top.contains(command), "{command}: {top}");
    }
    let commands = ["list", "show", "retry", "cancel", "stats", "preview", "test"];
    let overview = help(&["mail"]).await?;
    for command in commands {
        assert!(overview.contains(command), "{overview}");
        let own = help(&["mail", command]).await?;
        assert!(own.contains("--json") && own.contains("JSON"), "{command}: {own}");
    }
    for arguments in [&["doctor"][..], &["templates", "check"]] {
        let own = help(arguments).await?.to_lowercase();
        assert!(own.contains("exit code 1") && own.contains("json:"), "{own}");
    }
    Ok(())
}

#[tokio::test]
async fn in_another_folder_than_the_services_nothing_is_created() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let finished = run_in(folder.path(), &Settings::new(), &["mail", "list"]).await?;
    assert_eq!(finished.status.code(), Some(1), "{finished:?}");
    assert!(finished.log.contains("data/bookly.sqlite") && finished.log.contains("DATA_DIR"), "{finished:?}");
    assert!(!folder.path().join("data").exists());
    Ok(())
}

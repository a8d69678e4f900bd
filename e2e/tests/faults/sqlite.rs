//! One process with its worker inside, on SQLite: killed again and again, and on a full disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bookly_e2e::load::Load;
use bookly_e2e::prelude::*;
use bookly_e2e::skip::skip;
use bookly_e2e::stack;
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(180);
const KILLS: usize = 20;
/// Enough for the database, its log and the mails of a test.
const DISK: &str = "size=64m,mode=0777";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_in_a_row_lose_nothing() -> Result<()> {
    stack::run(StackOptions::new(Kind::Embedded).mail_server(), async |stack| {
        let tally = Tally::begin(stack, "SQLite: the process killed 20 times under load").may_come_twice();
        let load = Load::start(&[stack.api().clone()], 4);
        for _ in 0..KILLS {
            load.accepted_more(8, LIMIT).await?;
            stack.restart_api().await?;
        }
        load.accepted_more(8, LIMIT).await?;
        let seen = load.finish().await?;
        expect_accounts(stack, &seen.accepted).await?;
        seen.settle(tally).await?;
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_a_503_and_loses_nothing() -> Result<()> {
    let disk = match SmallDisk::mount()? {
        Mount::Mounted(disk) => disk,
        Mount::NotAllowed(reason) => return skip("a_full_disk_is_a_503_and_loses_nothing", &reason),
    };
    let options = StackOptions::new(Kind::Embedded).with("DATA_DIR", disk.data().display().to_string());
    stack::run(options, async |stack| {
        let tally = Tally::begin(stack, "SQLite: disk full, database and mails on it");
        let load = Load::start(&[stack.api().clone()], 4);
        load.accepted(20, LIMIT).await?;
        disk.fill()?;
        load.until("refusals", LIMIT, |seen| seen.refused.len() >= 40).await?;
        stack.api().get("//health/live").expect(200).await?;
        stack.api().get("//health/ready").refused(503, "unavailable").await?;
        // What was answered with 201 until then is on the disk, not in the process.
        stack.api_process().kill()?;
        disk.clear()?;
        stack.restart_api().await?;
        load.accepted_more(20, LIMIT).await?;
        disk.fill()?;
        load.until("refusals", LIMIT, |seen| seen.refused.len() >= 80).await?;
        stack.api().get("//health/ready").refused(503, "unavailable").await?;
        disk.clear()?;
        stack.api().get("//health/ready").expect(200).await?;
        load.accepted_more(20, LIMIT).await?;
        let seen = load.finish().await?;
        seen.only_unavailable()?;
        expect_accounts(stack, &seen.accepted).await?;
        seen.settle(tally).await?;
        Ok(())
    })
    .await
}

async fn expect_accounts(stack: &Stack, accepted: &[String]) -> Result<()> {
    let stored = stack.sql().texts("SELECT email FROM users", "").await?;
    let stored: std::collections::HashSet<String> = stored.into_iter().collect();
    let lost: Vec<_> = accepted.iter().filter(|address| !stored.contains(*address)).collect();
    ensure!(lost.is_empty(), "answered with 201 and not in the database: {lost:?}");
    Ok(())
}

/// A small file system in memory. Mounting needs CAP_SYS_ADMIN, or `sudo` without a password.
struct SmallDisk {
    folder: TempDir,
}

/// The result of a mount on this machine.
enum Mount {
    Mounted(SmallDisk),
    NotAllowed(String),
}

impl SmallDisk {
    fn mount() -> Result<Mount> {
        let folder = tempfile::Builder::new().prefix("bookly-disk-").tempdir()?;
        let path = folder.path().to_owned();
        Ok(match as_root(&["mount", "-t", "tmpfs", "-o", DISK, "tmpfs"], &path)? {
            Ok(()) => Mount::Mounted(SmallDisk { folder }),
            Err(refusal) => Mount::NotAllowed(format!("a tmpfs cannot be mounted: {refusal}")),
        })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join("filler")
    }

    /// Fills the last block.
    fn fill(&self) -> Result<()> {
        let written = fs::write(self.filler(), vec![0; 64 << 20]);
        let full = written.is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull);
        ensure!(full, "the disk is larger than it was meant to be");
        Ok(())
    }

    fn clear(&self) -> Result<()> {
        Ok(fs::remove_file(self.filler())?)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazy: a process that a failed test left behind may hold a file open.
        let _ = as_root(&["umount", "--lazy"], self.folder.path());
    }
}

/// Runs a command on a path, with `sudo` where it is refused without. The inner error is the system's refusal: no right
/// to do it. Any other failure is a failure of the test.
fn as_root(command: &[&str], path: &Path) -> Result<Result<(), String>> {
    let mut refusal = String::new();
    for prefix in [&[][..], &["sudo", "-n"]] {
        let words: Vec<&str> = prefix.iter().chain(command).copied().collect();
        let done = match Command::new(words[0]).args(&words[1..]).arg(path).env("LC_ALL", "C").output() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !prefix.is_empty() => break,
            done => done.with_context(|| format!("running {words:?}"))?,
        };
        if done.status.success() {
            return Ok(Ok(()));
        }
        refusal = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        ensure!(is_about_rights(&refusal), "{words:?}: {refusal}");
    }
    Ok(Err(refusal))
}

/// The words of mount(8), sudo(8) and of the C library for EPERM and EACCES.
fn is_about_rights(refusal: &str) -> bool {
    let words = [
        "permission denied",
        "not permitted",
        "must be superuser",
        "a password is required",
        "not in the sudoers",
        "no new privileges",
    ];
    words.iter().any(|word| refusal.to_lowercase().contains(word))
}

//! A throwaway Postgres: a port and a folder of its own, gone with the tests. One serves all tests, each of which
//! gets a database of its own.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::poll::{LIMIT, until};
use crate::process::Process;
use crate::{ports, spawn};

/// Names a server that runs already (the one of `scripts/test`), as a URL without a database.
pub const SERVER_VARIABLE: &str = "E2E_POSTGRES";
/// The server trusts everybody on this machine, so the password serves only to be found if it leaks.
pub const PASSWORD: &str = "postgres-password-that-no-log-shows";
/// Tries to start on a port that another program may have taken meanwhile.
const TRIES: usize = 3;
/// Waits for the server's end and clears up; SIGTERM comes when the tests end. A server that a test crashed is
/// started again when the test takes the mark `down` away.
const SUPERVISOR: &str = r#"folder=$1; shift; ended=
trap 'ended=1; kill -QUIT $server; rm -f "$folder/down"' TERM
while "$@" & server=$!; wait $server; wait $server; [ -e "$folder/down" ]; do
  while [ -e "$folder/down" ]; do sleep 0.05; done
  [ -z "$ended" ] || break
done
rm -rf "$folder""#;

/// A running server.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    own: Option<Own>,
}

/// A server that was started here.
#[derive(Debug)]
struct Own {
    process: Process,
    folder: PathBuf,
}

impl Postgres {
    /// The server that all tests of this process share.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn shared() -> anyhow::Result<&'static Postgres> {
        static SHARED: OnceCell<Postgres> = OnceCell::const_new();
        SHARED.get_or_try_init(async || Postgres::given_or_new().await).await
    }

    async fn given_or_new() -> anyhow::Result<Postgres> {
        match std::env::var(SERVER_VARIABLE) {
            Ok(url) => Ok(Postgres { url: url.trim_end_matches('/').to_owned(), own: None }),
            Err(_) => Postgres::start().await,
        }
    }

    /// Starts a server of one's own.
    ///
    /// # Errors
    /// When Postgres is not installed or does not start.
    pub async fn start() -> anyhow::Result<Postgres> {
        let binaries = binaries()?;
        for _ in 0..TRIES {
            let folder = new_folder(&binaries)?;
            let port = ports::free()?;
            let process = Process::run(server(&binaries, &folder, port), &folder.join("server.log"))?;
            let ready = |line: &str| line.contains("ready to accept connections");
            match process.log().line(LIMIT, ready).await {
                Ok(_) => {
                    let url = format!("postgres://postgres:{PASSWORD}@127.0.0.1:{port}");
                    return Ok(Postgres { url, own: Some(Own { process, folder }) });
                }
                Err(error) if !process.log().text().contains("in use") => return Err(error),
                Err(_) => {}
            }
        }
        bail!("Postgres found no free port")
    }

    /// The server's URL, without a database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes an empty database and returns its URL.
    ///
    /// # Errors
    /// When the server is away.
    pub async fn new_database(&self) -> anyhow::Result<String> {
        let name = format!("e2e_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&format!("{}/postgres", self.url)).await?;
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        connection.close().await?;
        Ok(format!("{}/{name}", self.url))
    }

    /// Kills the server with all its processes, as a machine that loses power does. It stays down until
    /// [`Postgres::recover`].
    ///
    /// # Errors
    /// When it was not started here, or has ended.
    pub fn crash(&self) -> anyhow::Result<()> {
        let own = self.own()?;
        fs::write(own.folder.join("down"), "")?;
        own.signal("KILL")
    }

    /// Lets a crashed server start again, and waits until it has recovered.
    ///
    /// # Errors
    /// When it was not started here, or does not start.
    pub async fn recover(&self) -> anyhow::Result<()> {
        fs::remove_file(self.own()?.folder.join("down"))?;
        let url = format!("{}/postgres", self.url);
        until("Postgres to recover", LIMIT, async || Ok(PgConnection::connect(&url).await.ok())).await?;
        Ok(())
    }

    /// Stops all its processes in their tracks: connections stay open and nobody answers.
    ///
    /// # Errors
    /// When it was not started here, or has ended.
    pub fn hang(&self) -> anyhow::Result<()> {
        self.own()?.signal("STOP")
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it was not started here, or has ended.
    pub fn go_on(&self) -> anyhow::Result<()> {
        self.own()?.signal("CONT")
    }

    fn own(&self) -> anyhow::Result<&Own> {
        self.own.as_ref().context("this server is not the test's own")
    }
}

impl Own {
    /// Signals the server and the processes of its connections, which it would otherwise look after.
    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        let server = file.lines().next().context("the server's process id")?.trim().to_owned();
        // Stopped, it starts no more of them.
        signal_all("STOP", &[server.as_str()])?;
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"))?;
        let children: Vec<&str> = children.split_whitespace().collect();
        // One that ended meanwhile is no failure.
        let _ = signal_all(name, &children);
        signal_all(name, &[server.as_str()])
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // One that a test left hanging hears nothing.
        let _ = self.signal("CONT");
        // Asked, not killed: the supervisor has to stop the server and to clear up.
        let _ = self.process.signal("TERM");
        let _ = self.process.wait();
    }
}

fn signal_all(name: &str, processes: &[&str]) -> anyhow::Result<()> {
    let sent = Command::new("kill").args(["-s", name]).args(processes).status().context("running kill")?;
    ensure!(sent.success(), "{processes:?} take no {name}");
    Ok(())
}

/// Debian keeps them out of the PATH, in a folder per version.
fn binaries() -> anyhow::Result<PathBuf> {
    let versions =
        fs::read_dir("/usr/lib/postgresql").context("Postgres is not installed (see scripts/test)")?;
    let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").is_file()).max().context("there is no initdb")
}

fn new_folder(binaries: &Path) -> anyhow::Result<PathBuf> {
    let folder = tempfile::Builder::new().prefix("bookly-postgres-").tempdir()?.keep();
    if let Some((user, group)) = other_user()? {
        chown(&folder, Some(user), Some(group))?;
    }
    let mut initdb = as_other_user("KILL")?;
    initdb.arg(binaries.join("initdb")).args([
        "--auth=trust",
        "--username=postgres",
        "--no-sync",
        "--pgdata",
    ]);
    let done = initdb.arg(folder.join("data")).current_dir(&folder).output().context("running initdb")?;
    ensure!(done.status.success(), "initdb: {}", String::from_utf8_lossy(&done.stderr));
    Ok(folder)
}

fn server(binaries: &Path, folder: &Path, port: u16) -> Command {
    let mut command = as_other_user("TERM").unwrap_or_else(|_| spawn::mortal("TERM", "sh"));
    command.args(["sh", "-c", SUPERVISOR, "supervisor"]).arg(folder);
    command.arg(binaries.join("postgres")).arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    // fsync stays on: what a commit promises is what these tests are about.
    let port = port.to_string();
    command.args(["-h", "127.0.0.1", "-p", &port, "-c", "max_connections=400"]).current_dir(folder);
    command
}

/// Postgres refuses to run as root: then it runs as the packaged user, or as nobody.
fn other_user() -> anyhow::Result<Option<(u32, u32)>> {
    let users = fs::read_to_string("/etc/passwd")?;
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !root {
        return Ok(None);
    }
    let line =
        ["postgres:", "nobody:"].iter().find_map(|name| users.lines().find(|line| line.starts_with(name)));
    let fields: Vec<&str> = line.context("there is no user to run Postgres as")?.split(':').collect();
    let [_, _, user, group, ..] = fields[..] else { bail!("/etc/passwd cannot be read") };
    Ok(Some((user.parse()?, group.parse()?)))
}

fn as_other_user(death_signal: &str) -> anyhow::Result<Command> {
    let mut command = Command::new("setpriv");
    if let Some((user, group)) = other_user()? {
        command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
    }
    command.args(["--pdeathsig", death_signal, "--"]);
    Ok(command)
}

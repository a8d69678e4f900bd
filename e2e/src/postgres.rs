//! A throwaway Postgres with its own port and folder, deleted after the tests. All tests share one server, and each has
//! its own database.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use sqlx::{Connection, Executor, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::certificate::Certificate;
use crate::poll::{LIMIT, until};
use crate::process::Process;
use crate::{ports, spawn};

/// The variable with the URL of a running server (the one of `scripts/test`), without a database.
pub const SERVER_VARIABLE: &str = "E2E_POSTGRES";
/// The server does not check passwords. This one is only searched for in logs.
pub const PASSWORD: &str = "postgres-password-that-no-log-shows";
/// How often another port is tried, if a program took the first one.
const TRIES: usize = 3;
/// Waits for the end of the server and deletes its folder; SIGTERM comes when the tests end. A server that a test crashed
/// starts again when the test removes the file `down`.
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

    /// Starts a server for one test.
    pub async fn start() -> anyhow::Result<Postgres> {
        Self::start_with(None).await
    }

    /// Starts a server for one test, with TLS if there is a certificate.
    pub async fn start_with(certificate: Option<&Certificate>) -> anyhow::Result<Postgres> {
        let binaries = binaries()?;
        for _ in 0..TRIES {
            let folder = new_folder(&binaries)?;
            let port = ports::free()?;
            let mut command = server(&binaries, &folder, port);
            if let Some(certificate) = certificate {
                command.args(tls(certificate, &folder)?);
            }
            let process = Process::run(command, &folder.join("server.log"))?;
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
    pub async fn new_database(&self) -> anyhow::Result<String> {
        let name = format!("e2e_{}", Uuid::new_v4().simple());
        let mut connection = PgConnection::connect(&format!("{}/postgres", self.url)).await?;
        connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        connection.close().await?;
        Ok(format!("{}/{name}", self.url))
    }

    /// Kills the server with all its processes, like a power failure. It stays down until
    /// [`Postgres::recover`].
    pub fn crash(&self) -> anyhow::Result<()> {
        let own = self.own()?;
        fs::write(own.folder.join("down"), "")?;
        own.signal("KILL")
    }

    /// Lets a crashed server start again, and waits until it has recovered.
    pub async fn recover(&self) -> anyhow::Result<()> {
        fs::remove_file(self.own()?.folder.join("down"))?;
        let url = format!("{}/postgres", self.url);
        until("Postgres to recover", LIMIT, async || Ok(PgConnection::connect(&url).await.ok())).await?;
        Ok(())
    }

    /// Stops all its processes (SIGSTOP): connections stay open and get no answer.
    pub fn hang(&self) -> anyhow::Result<()> {
        self.own()?.signal("STOP")
    }

    /// Continues it (SIGCONT).
    pub fn go_on(&self) -> anyhow::Result<()> {
        self.own()?.signal("CONT")
    }

    fn own(&self) -> anyhow::Result<&Own> {
        self.own.as_ref().context("this server is not the test's own")
    }
}

impl Own {
    /// Signals the server and the processes of its connections.
    fn signal(&self, name: &str) -> anyhow::Result<()> {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid"))?;
        let server = file.lines().next().context("the server's process id")?.trim().to_owned();
        // A stopped server starts no new ones.
        signal_all("STOP", &[server.as_str()])?;
        let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children"))?;
        let children: Vec<&str> = children.split_whitespace().collect();
        // A process that has ended meanwhile is no error.
        let _ = signal_all(name, &children);
        signal_all(name, &[server.as_str()])
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // A stopped server does not receive SIGTERM.
        let _ = self.signal("CONT");
        // SIGTERM, not SIGKILL: the supervisor has to stop the server and delete its folder.
        let _ = self.process.signal("TERM");
        let _ = self.process.wait();
    }
}

fn signal_all(name: &str, processes: &[&str]) -> anyhow::Result<()> {
    let sent = Command::new("kill").args(["-s", name]).args(processes).status().context("running kill")?;
    ensure!(sent.success(), "{processes:?} take no {name}");
    Ok(())
}

/// Debian has a folder for each version, and none is in the PATH.
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
        // Without a language in its environment, as in a bare container, initdb would choose SQL_ASCII.
        "--encoding=UTF8",
        "--locale=C.UTF-8",
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
    // fsync stays on, because these tests are about the promise of a commit.
    let port = port.to_string();
    command.args(["-h", "127.0.0.1", "-p", &port, "-c", "max_connections=400"]).current_dir(folder);
    command
}

/// Postgres reads no key that others can read.
fn tls(certificate: &Certificate, folder: &Path) -> anyhow::Result<[String; 6]> {
    let (certificate, key) = certificate.write(folder)?;
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
    if let Some((user, group)) = other_user()? {
        chown(&key, Some(user), Some(group))?;
    }
    let option = |name: &str, file: PathBuf| format!("{name}={}", file.display());
    let (certificate, key) = (option("ssl_cert_file", certificate), option("ssl_key_file", key));
    Ok(["-c".to_owned(), "ssl=on".to_owned(), "-c".to_owned(), certificate, "-c".to_owned(), key])
}

/// Postgres refuses to run as root, so root starts it as the packaged user, or as nobody.
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

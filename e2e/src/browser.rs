//! A headless Chromium, controlled by WebDriver.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::poll::LIMIT;
use crate::process::Process;
use crate::{ports, spawn};

/// No sandbox: containers do not allow it. No shared memory under /dev/shm: it has 64 MB in a container. No background
/// networking: a machine without a network would wait for it.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,1000",
];

/// Runs ChromeDriver, and ends it with all processes below it; SIGTERM comes when the browser is dropped, and when the
/// tests are killed. ChromeDriver alone leaves its Chromium running when it is killed. The crash handler is no
/// child of Chromium: it ends with it, and until then it may write to the folder.
const SUPERVISOR: &str = r#"folder=$1; shift
below() {
  for child in $(cat /proc/"$1"/task/*/children 2>/dev/null); do below "$child"; done
  echo "$1"
}
trap 'kill -KILL $(below $driver); for _ in 1 2 3 4 5 6 7 8 9; do rm -rf "$folder" && break; sleep 0.1; done' TERM
"$@" & driver=$!
wait $driver"#;

/// Starts of ChromeDriver, each on another port: another program may take a port meanwhile.
const TRIES: usize = 3;

/// A browser with its own profile. Dropping it ends it.
pub struct Browser {
    client: Client,
    _driver: Driver,
    folder: TempDir,
}

/// ChromeDriver under its supervisor.
struct Driver(Process);

impl Browser {
    /// Starts Chromium, with or without JavaScript.
    pub async fn start(javascript: bool) -> anyhow::Result<Browser> {
        Self::start_with(javascript, &[]).await
    }

    /// Starts a Chromium for which `http://name` is a server on this machine. Chromium trusts `localhost` more than other
    /// plain http names.
    ///
    /// # Errors
    /// As for [`Browser::start`].
    pub async fn start_under_a_name(javascript: bool, name: &str, root: &str) -> anyhow::Result<Browser> {
        let server = root.strip_prefix("http://").context("a root")?;
        let rule = format!("--host-resolver-rules=MAP {name}:80 {server}");
        Self::start_with(javascript, &[rule, "--disable-features=HttpsUpgrades".to_owned()]).await
    }

    async fn start_with(javascript: bool, more: &[String]) -> anyhow::Result<Browser> {
        let folder = tempfile::Builder::new().prefix("bookly-browser-").tempdir()?;
        let (driver, port) = start_driver(folder.path()).await?;
        let capabilities = capabilities(&folder.path().join("profile"), javascript, more);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await?;
        Ok(Browser { client, _driver: driver, folder })
    }

    /// The folder of its profile and of everything else that it writes.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn open(&self, url: &str) -> anyhow::Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// The text of the page.
    pub async fn text(&self) -> anyhow::Result<String> {
        Ok(self.client.find(Locator::Css("body")).await?.text().await?)
    }

    /// The URL of the page.
    pub async fn url(&self) -> anyhow::Result<String> {
        Ok(self.client.current_url().await?.to_string())
    }

    /// Types text into a field of a form.
    pub async fn fill(&self, field: &str, text: &str) -> anyhow::Result<()> {
        let selector = format!("input[name='{field}']");
        let found = self.client.find(Locator::Css(&selector)).await;
        Ok(found.with_context(|| format!("no field {field}"))?.send_keys(text).await?)
    }

    /// Empties a field of a form.
    pub async fn clear(&self, field: &str) -> anyhow::Result<()> {
        let selector = format!("input[name='{field}']");
        Ok(self.client.find(Locator::Css(&selector)).await?.clear().await?)
    }

    /// Presses the only button of the page and waits for a page with the text `expected`.
    pub async fn press(&self, expected: &str) -> anyhow::Result<()> {
        let buttons = self.client.find_all(Locator::Css("button, input[type=submit]")).await?;
        ensure!(buttons.len() == 1, "{} buttons on: {}", buttons.len(), self.text().await?);
        buttons[0].click().await?;
        self.says(expected).await
    }

    /// Presses the button with this text and waits for a page with the text `expected`.
    pub async fn press_button(&self, button: &str, expected: &str) -> anyhow::Result<()> {
        let found = self.client.find(Locator::XPath(&format!("//button[contains(., '{button}')]"))).await;
        found.with_context(|| format!("no button {button:?}"))?.click().await?;
        self.says(expected).await
    }

    /// Follows the link with this text and waits for a page with the text `expected`.
    pub async fn follow(&self, link: &str, expected: &str) -> anyhow::Result<()> {
        let found = self.client.find(Locator::XPath(&format!("//a[contains(., '{link}')]"))).await;
        found.with_context(|| format!("no link {link:?}"))?.click().await?;
        self.says(expected).await
    }

    /// Waits until the page contains this text, in any case.
    pub async fn says(&self, expected: &str) -> anyhow::Result<()> {
        let wanted = expected.to_lowercase();
        let said = crate::poll::until(expected, LIMIT, async || {
            // Between two pages there is no body.
            let text = self.text().await.unwrap_or_default().to_lowercase();
            Ok(text.contains(&wanted).then_some(()))
        });
        let said = said.await;
        match said {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("the page says: {}", self.text().await?))),
        }
    }

    /// The value of an attribute of every element that matches a CSS selector.
    pub async fn attributes(&self, selector: &str, name: &str) -> anyhow::Result<Vec<Option<String>>> {
        let mut values = Vec::new();
        for element in self.client.find_all(Locator::Css(selector)).await? {
            values.push(element.attr(name).await?);
        }
        Ok(values)
    }

    /// Sets the width of the window, in CSS pixels.
    pub async fn resize(&self, width: u32) -> anyhow::Result<()> {
        Ok(self.client.set_window_size(width, 900).await?)
    }

    /// The width of the page's content, in CSS pixels. Needs JavaScript.
    pub async fn content_width(&self) -> anyhow::Result<u64> {
        let script = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]";
        let widths = self.client.execute(script, Vec::new()).await?;
        let (content, window) = (widths[0].as_u64().context("width")?, widths[1].as_u64().context("width")?);
        ensure!(content <= window, "the page is {content} px wide in a window of {window} px");
        Ok(content)
    }

    /// Saves a screenshot under `target/screenshots`.
    pub async fn screenshot(&self, name: &str) -> anyhow::Result<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        std::fs::write(&path, self.client.screenshot().await?)?;
        Ok(path)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SIGTERM, not SIGKILL: the supervisor has to end Chromium.
        let _ = self.0.signal("TERM");
        let _ = self.0.wait();
    }
}

/// Starts ChromeDriver on a port that is chosen here: with `--port=0` it does not say which port it took where `::1`
/// cannot be bound (a container without IPv6).
async fn start_driver(folder: &Path) -> anyhow::Result<(Driver, u16)> {
    for attempt in 0..TRIES {
        let port = ports::free()?;
        let driver =
            Driver(Process::run(driver(folder, port), &folder.join(format!("driver-{attempt}.log")))?);
        match driver.0.output().line(LIMIT, |line| line.contains("started successfully on port")).await {
            Ok(_) => return Ok((driver, port)),
            Err(error) if !driver.0.output().text().contains("in use") => return Err(error),
            Err(_) => {}
        }
    }
    bail!("ChromeDriver found no free port")
}

fn driver(folder: &Path, port: u16) -> Command {
    let mut command = spawn::mortal("TERM", "sh");
    command.args(["-c", SUPERVISOR, "supervisor"]).arg(folder);
    command.arg("chromedriver").arg(format!("--port={port}"));
    // Chromium keeps its crash reports and caches in HOME and TMPDIR, and would wait for a session bus.
    command.env("HOME", folder).env("TMPDIR", folder).env_remove("DBUS_SESSION_BUS_ADDRESS");
    command
}

fn capabilities(profile: &Path, javascript: bool, more: &[String]) -> Map<String, Value> {
    let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    arguments.extend_from_slice(more);
    let mut options = json!({"args": arguments});
    if !javascript {
        options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
    }
    let mut capabilities = Map::new();
    capabilities.insert("browserName".to_owned(), json!("chrome"));
    capabilities.insert("goog:chromeOptions".to_owned(), options);
    capabilities
}

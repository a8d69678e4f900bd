//! The mail server that the systems are measured with: a process of its own, so that its CPU time is measured apart.

pub(crate) mod server;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use bookly_e2e::poll::{LIMIT, until};
use bookly_e2e::spawn;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use crate::machine::Clock;

/// A running sink. Dropping it ends it.
pub(crate) struct Sink {
    port: u16,
    control: Mutex<Control>,
    child: Child,
}

/// When each MAIL FROM came.
pub(crate) type Arrivals = mpsc::UnboundedReceiver<Clock>;

struct Control {
    questions: ChildStdin,
    answers: mpsc::UnboundedReceiver<u64>,
}

impl Sink {
    /// A sink that takes this long for each mail, between its final dot and the answer.
    pub(crate) async fn start(delay: Duration) -> anyhow::Result<Sink> {
        Ok(Self::run(&["--delay-ms", &delay.as_millis().to_string()]).await?.0)
    }

    /// A sink that also tells when each MAIL FROM came, of emails to recipients with this text in their address.
    pub(crate) async fn watched(recipients: &str, delay: Duration) -> anyhow::Result<(Sink, Arrivals)> {
        Self::run(&["--delay-ms", &delay.as_millis().to_string(), "--watched", recipients]).await
    }

    /// A server that accepts connections and never replies.
    pub(crate) async fn hanging() -> anyhow::Result<Sink> {
        Ok(Self::run(&["--hang"]).await?.0)
    }

    async fn run(arguments: &[&str]) -> anyhow::Result<(Sink, Arrivals)> {
        let mut command = spawn::mortal("KILL", std::env::current_exe()?);
        command.arg("sink").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = spawn::spawn(command)?;
        let (answer, answers) = mpsc::unbounded_channel();
        let (arrival, arrivals) = mpsc::unbounded_channel();
        let output = child.stdout.take().context("the sink's output")?;
        std::thread::spawn(move || sort(output, &answer, &arrival));
        let questions = child.stdin.take().context("the sink's input")?;
        let mut sink = Sink { port: 0, control: Mutex::new(Control { questions, answers }), child };
        sink.port = u16::try_from(sink.ask("port").await?)?;
        Ok((sink, arrivals))
    }

    /// Its port on 127.0.0.1.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How many mails it has taken.
    pub(crate) async fn count(&self) -> anyhow::Result<u64> {
        self.ask("count").await
    }

    /// The mean size of the mails that it has taken, in bytes.
    pub(crate) async fn mean_bytes(&self) -> anyhow::Result<u64> {
        Ok(self.ask("bytes").await? / self.count().await?.max(1))
    }

    /// When it took its `n`-th mail, from 1.
    pub(crate) async fn taken_at(&self, n: u64) -> anyhow::Result<Clock> {
        match self.ask(&format!("taken {n}")).await? {
            0 => bail!("the sink has not taken {n} mails"),
            nanoseconds => Ok(Clock(nanoseconds)),
        }
    }

    /// Waits until it has this many mails, and returns how many it has then.
    pub(crate) async fn has(&self, mails: u64, within: Duration) -> anyhow::Result<u64> {
        let enough = async || Ok(Some(self.count().await?).filter(|count| *count >= mails));
        let waited = until(&format!("{mails} mails"), within, enough).await;
        match waited {
            Ok(count) => Ok(count),
            Err(error) => bail!("{error}: the sink has {}", self.count().await?),
        }
    }

    async fn ask(&self, question: &str) -> anyhow::Result<u64> {
        let mut control = self.control.lock().await;
        writeln!(control.questions, "{question}").context("asking the sink")?;
        timeout(LIMIT, control.answers.recv()).await?.context("the sink has ended")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Fails only when it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Separates answers from arrivals until the sink ends.
fn sort(output: ChildStdout, answers: &mpsc::UnboundedSender<u64>, arrivals: &mpsc::UnboundedSender<Clock>) {
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let Some((kind, number)) = line.split_once(' ') else { continue };
        let Ok(number) = number.parse() else { continue };
        // The reader has ended, so the value is not needed.
        let _ = match kind {
            "from" => arrivals.send(Clock(number)).is_ok(),
            _ => answers.send(number).is_ok(),
        };
    }
}

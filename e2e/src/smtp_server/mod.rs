//! An SMTP server for tests and measurements: real sockets, real TLS, and faults that are switched on and off.

mod certs;
mod fault;
mod mail;
mod session;
mod state;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{certs::Certificates, session::Session, state::State};
pub use self::{
    fault::{Fault, FaultRule, Stage},
    mail::ReceivedMail,
};

/// More sessions than this wait to be accepted.
const MAX_SESSIONS: usize = 2_000;
/// Between two looks at a port.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Whether and how the server speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Clear text only.
    #[default]
    None,
    /// STARTTLS is offered; login is offered only after it.
    StartTls,
    /// TLS from the first byte.
    Implicit,
}

/// How the server behaves when nothing is wrong.
#[derive(Debug, Clone)]
pub struct SmtpServerOptions {
    /// Whether and how it speaks TLS.
    pub tls: TlsMode,
    /// User and password without which no mail is taken.
    pub auth: Option<(String, String)>,
    /// The AUTH mechanisms that it offers.
    pub auth_mechanisms: Vec<&'static str>,
    /// The port; `None` takes a free one. Given, it allows to come back on the port of one that was stopped.
    pub port: Option<u16>,
    /// Whether PIPELINING is offered. Commands that come together are understood either way.
    pub pipelining: bool,
    /// Whether SMTPUTF8 is offered.
    pub smtputf8: bool,
    /// How many mails are kept; the oldest are forgotten (and still counted).
    pub keep: usize,
    /// Longest message that is taken, in bytes.
    pub max_message: usize,
}

impl Default for SmtpServerOptions {
    fn default() -> Self {
        Self {
            tls: TlsMode::None,
            auth: None,
            auth_mechanisms: vec!["PLAIN", "LOGIN"],
            port: None,
            pipelining: true,
            smtputf8: true,
            keep: 100_000,
            max_message: 32 * 1024 * 1024,
        }
    }
}

/// A running server on 127.0.0.1. Dropping it closes its port and its sessions.
pub struct SmtpServer {
    shared: Arc<Shared>,
    port: u16,
    listening: watch::Sender<bool>,
    stopped: CancellationToken,
    tasks: TaskTracker,
}

/// What the sessions need.
pub(in crate::smtp_server) struct Shared {
    options: SmtpServerOptions,
    certificates: Certificates,
    state: State,
}

impl SmtpServer {
    /// Starts a server; it listens when this returns.
    ///
    /// # Errors
    /// When the port is taken, or certificates cannot be made.
    pub async fn start(options: SmtpServerOptions) -> anyhow::Result<Self> {
        let port = options.port.unwrap_or(0);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.context("binding the SMTP port")?;
        let port = listener.local_addr()?.port();
        let shared =
            Arc::new(Shared { options, certificates: Certificates::generate()?, state: State::default() });
        let (stopped, tasks) = (CancellationToken::new(), TaskTracker::new());
        let listening = watch::Sender::new(true);
        let listener = Listener { port, open: Some(listener), wanted: listening.subscribe() };
        let accepting = accept(listener, Arc::clone(&shared), stopped.clone(), tasks.clone());
        let stop = stopped.clone();
        tasks.spawn(async move { stop.run_until_cancelled(accepting).await });
        Ok(Self { shared, port, listening, stopped, tasks })
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The root certificate that its certificate (for `localhost` and 127.0.0.1) is issued by.
    pub fn ca_pem(&self) -> &str {
        self.shared.certificates.ca_pem()
    }

    /// The mails that are kept, in the order of their final dots.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state.read(|seen| seen.mails.iter().cloned().collect())
    }

    /// The mails after the first `n` (those still kept), and how many there are in all.
    pub fn mails_after(&self, n: usize) -> (Vec<ReceivedMail>, usize) {
        self.shared.state.read(|seen| {
            let forgotten = seen.mails_total - seen.mails.len();
            (seen.mails.iter().skip(n.saturating_sub(forgotten)).cloned().collect(), seen.mails_total)
        })
    }

    /// How many mails came in whole, also those no longer kept.
    pub fn mails_total(&self) -> usize {
        self.shared.state.read(|seen| seen.mails_total)
    }

    /// Waits until at least `n` mails came in, and answers those that are kept.
    ///
    /// # Errors
    /// When that does not happen `within` the time.
    pub async fn wait_for(&self, n: usize, within: Duration) -> anyhow::Result<Vec<ReceivedMail>> {
        self.wait_for_total(n, within).await?;
        Ok(self.mails())
    }

    /// Waits until at least `n` mails came in, without copying them.
    ///
    /// # Errors
    /// When that does not happen `within` the time.
    pub async fn wait_for_total(&self, n: usize, within: Duration) -> anyhow::Result<()> {
        let what = format!("{n} mails");
        self.shared.state.until(&what, within, |seen| (seen.mails_total >= n).then_some(())).await
    }

    /// Waits for the first mail to a recipient.
    ///
    /// # Errors
    /// When none comes `within` the time.
    pub async fn wait_for_mail_to(&self, recipient: &str, within: Duration) -> anyhow::Result<ReceivedMail> {
        self.wait_for_nth_mail_to(recipient, 1, within).await
    }

    /// Waits for the `nth` mail to a recipient, counted from 1.
    ///
    /// # Errors
    /// When it does not come `within` the time.
    pub async fn wait_for_nth_mail_to(
        &self,
        recipient: &str,
        nth: usize,
        within: Duration,
    ) -> anyhow::Result<ReceivedMail> {
        let what = format!("mail {nth} to {recipient}");
        let found = |seen: &state::Seen| {
            seen.mails.iter().filter(|mail| mail.is_to(recipient)).nth(nth.saturating_sub(1)).cloned()
        };
        self.shared.state.until(&what, within, found).await
    }

    /// Waits for the first mail to a recipient that has this subject.
    ///
    /// # Errors
    /// When none comes `within` the time.
    pub async fn wait_for_mail_with_subject(
        &self,
        recipient: &str,
        subject: &str,
        within: Duration,
    ) -> anyhow::Result<ReceivedMail> {
        let what = format!("a mail {subject:?} to {recipient}");
        let wanted =
            |mail: &&ReceivedMail| mail.is_to(recipient) && mail.subject().as_deref() == Some(subject);
        let found = |seen: &state::Seen| seen.mails.iter().find(wanted).cloned();
        self.shared.state.until(&what, within, found).await
    }

    /// Waits until sessions reached a stage `n` times in all: that a mail hangs there, for instance.
    ///
    /// # Errors
    /// When that does not happen `within` the time.
    pub async fn wait_for_stage(&self, stage: Stage, n: usize, within: Duration) -> anyhow::Result<()> {
        let what = format!("{stage:?} reached {n} times");
        self.shared.state.until(&what, within, |seen| (seen.reached(stage) >= n).then_some(())).await
    }

    /// Waits until exactly `n` sessions are open.
    ///
    /// # Errors
    /// When that does not happen `within` the time.
    pub async fn wait_for_open_connections(&self, n: usize, within: Duration) -> anyhow::Result<()> {
        let what = format!("{n} open connections");
        self.shared.state.until(&what, within, |seen| (seen.open == n).then_some(())).await
    }

    /// How often sessions reached a stage.
    pub fn count(&self, stage: Stage) -> usize {
        self.shared.state.read(|seen| seen.reached(stage))
    }

    /// Switches a fault on, until it is used up or the faults are cleared.
    pub fn set_fault(&self, fault: impl Into<FaultRule>) {
        self.shared.state.faults.add(fault.into());
    }

    /// Switches all faults off; what hangs goes on.
    pub fn clear_faults(&self) {
        self.shared.state.faults.clear();
    }

    /// Sessions that are open now.
    pub fn connections_open(&self) -> usize {
        self.shared.state.read(|seen| seen.open)
    }

    /// Connections since the start.
    pub fn connections_total(&self) -> usize {
        self.shared.state.read(|seen| seen.total)
    }

    /// The highest number of sessions that were open at once.
    pub fn connections_peak(&self) -> usize {
        self.shared.state.read(|seen| seen.peak)
    }

    /// How often AUTH was tried, with or without success.
    pub fn auth_attempts(&self) -> usize {
        self.count(Stage::Auth)
    }

    /// Closes every session without a word, as a restart of the server would, and goes on listening.
    pub fn drop_connections(&self) {
        self.shared.state.drop_sessions();
    }

    /// Closes the port and every session: connections are refused from then on.
    pub async fn close_port(&self) {
        self.listening.send_replace(false);
        let refused = async || TcpStream::connect(("127.0.0.1", self.port)).await.is_err();
        while !refused().await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.drop_connections();
    }

    /// Listens on the same port again.
    pub fn open_port(&self) {
        self.listening.send_replace(true);
    }

    /// Closes the port and every session; when it returns the port is free.
    pub async fn stop(self) {
        self.stopped.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.stopped.cancel();
    }
}

/// A port that can be closed for a while.
struct Listener {
    port: u16,
    open: Option<TcpListener>,
    wanted: watch::Receiver<bool>,
}

impl Listener {
    async fn accept(&mut self) -> std::io::Result<TcpStream> {
        if !*self.wanted.borrow_and_update() {
            self.open = None;
            // Its sender lives as long as the server.
            let _ = self.wanted.wait_for(|wanted| *wanted).await;
        }
        let listener = match self.open.take() {
            Some(listener) => listener,
            None => TcpListener::bind(("127.0.0.1", self.port)).await?,
        };
        let listener = self.open.insert(listener);
        tokio::select! {
            accepted = listener.accept() => Ok(accepted?.0),
            _ = self.wanted.changed() => Err(std::io::ErrorKind::Interrupted.into()),
        }
    }
}

async fn accept(mut listener: Listener, shared: Arc<Shared>, stopped: CancellationToken, tasks: TaskTracker) {
    let slots = Arc::new(tokio::sync::Semaphore::new(MAX_SESSIONS));
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        let Ok(tcp) = listener.accept().await else {
            // The port may be taken for a moment when it is opened again.
            tokio::time::sleep(LOOK_EVERY).await;
            continue;
        };
        let dropped = shared.state.opened();
        let (shared, stopped) = (Arc::clone(&shared), stopped.clone());
        tasks.spawn(async move {
            let session = dropped.run_until_cancelled(Session::serve(tcp, Arc::clone(&shared)));
            // A session ends when its client goes away in the middle: that is no error of the server's.
            drop(stopped.run_until_cancelled(session).await);
            shared.state.closed();
            drop(slot);
        });
    }
}

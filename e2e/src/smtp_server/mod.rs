//! An SMTP server for tests and measurements, with real sockets, real TLS, and faults that tests switch on and off.

mod certs;
mod fault;
mod listener;
mod mail;
mod options;
mod session;
mod state;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::certs::Certificates;
use self::listener::{Listener, accept};
use self::options::Shared;
use self::state::State;
pub use self::{
    fault::{Fault, FaultRule, LinkForm, Stage},
    mail::ReceivedMail,
    options::{SmtpServerOptions, TlsMode},
};

/// Between two checks whether the port is closed.
const CHECK_EVERY: Duration = Duration::from_millis(5);

/// A running server on 127.0.0.1. Dropping it closes its port and its sessions.
pub struct SmtpServer {
    shared: Arc<Shared>,
    port: u16,
    listening: watch::Sender<bool>,
    stopped: CancellationToken,
    tasks: TaskTracker,
}

impl SmtpServer {
    /// Starts a server; it listens when this returns.
    ///
    /// # Errors
    /// When the port is in use, or certificates cannot be created.
    pub async fn start(options: SmtpServerOptions) -> anyhow::Result<Self> {
        let port = options.port.unwrap_or(0);
        let listener = TcpListener::bind(("127.0.0.1", port)).await.context("binding the SMTP port")?;
        let port = listener.local_addr()?.port();
        let certificates = Certificates::generate(options.certificate.as_ref())?;
        let shared = Arc::new(Shared { certificates, options, state: State::default() });
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

    /// The root certificate (PEM) that issued its certificate, which is for `localhost` and 127.0.0.1.
    pub fn ca_pem(&self) -> &str {
        self.shared.certificates.ca_pem()
    }

    /// The stored emails, in the order of their final dots.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state.read(|seen| seen.mails.iter().cloned().collect())
    }

    /// The stored emails after the first `n`, and how many came in all.
    pub fn mails_after(&self, n: usize) -> (Vec<ReceivedMail>, usize) {
        self.shared.state.read(|seen| {
            let removed = seen.mails_total - seen.mails.len();
            (seen.mails.iter().skip(n.saturating_sub(removed)).cloned().collect(), seen.mails_total)
        })
    }

    /// How many complete emails came, including those no longer stored.
    pub fn mails_total(&self) -> usize {
        self.shared.state.read(|seen| seen.mails_total)
    }

    /// Waits until at least `n` emails came, and returns those that are stored.
    ///
    /// # Errors
    /// When that does not happen `within` the time.
    pub async fn wait_for(&self, n: usize, within: Duration) -> anyhow::Result<Vec<ReceivedMail>> {
        self.wait_for_total(n, within).await?;
        Ok(self.mails())
    }

    /// Waits until at least `n` emails came, without copying them.
    ///
    /// # Errors
    /// When that does not happen `within` the time.
    pub async fn wait_for_total(&self, n: usize, within: Duration) -> anyhow::Result<()> {
        let what = format!("{n} mails");
        self.shared.state.until(&what, within, |seen| (seen.mails_total >= n).then_some(())).await
    }

    /// Waits for the first email to a recipient.
    ///
    /// # Errors
    /// When none comes `within` the time.
    pub async fn wait_for_mail_to(&self, recipient: &str, within: Duration) -> anyhow::Result<ReceivedMail> {
        self.wait_for_nth_mail_to(recipient, 1, within).await
    }

    /// Waits for the `nth` email to a recipient, counted from 1.
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

    /// Waits for the first email to a recipient with this subject.
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

    /// Waits until sessions reached a stage `n` times in all, for example until an email hangs there.
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

    /// Switches a fault on until it is used up or the faults are cleared.
    pub fn set_fault(&self, fault: impl Into<FaultRule>) {
        self.shared.state.faults.add(fault.into());
    }

    /// Switches all faults off; sessions that hang continue.
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

    /// How often clients sent AUTH, with or without success.
    pub fn auth_attempts(&self) -> usize {
        self.count(Stage::Auth)
    }

    /// Closes every session without a reply, like a restart of the server, and continues to listen.
    pub fn drop_connections(&self) {
        self.shared.state.drop_sessions();
    }

    /// Closes the port and every session: new connections are refused.
    pub async fn close_port(&self) {
        self.listening.send_replace(false);
        let refused = async || TcpStream::connect(("127.0.0.1", self.port)).await.is_err();
        while !refused().await {
            tokio::time::sleep(CHECK_EVERY).await;
        }
        // A session that is not ended yet could still answer, for instance one that hangs when the faults are cleared.
        while self.shared.state.read(|seen| seen.open) > 0 {
            self.drop_connections();
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    /// Listens on the same port again.
    pub fn open_port(&self) {
        self.listening.send_replace(true);
    }

    /// Closes the port and every session. The port is free when this returns.
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

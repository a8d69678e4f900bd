//! The pool: which sends may use a connection, and which sessions may be used again.

use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bookly_shared::config::SmtpSettings;
use bookly_shared::domain::SmtpReply;
use lettre::Address;
use lettre::address::Envelope;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::connector::Connector;
use super::error::SendError;
use super::failure::Stage;
use super::options::{SmtpConfigError, SmtpOptions};
use super::session::{Session, Transaction};

/// How many emails use one connection. Some servers have a limit, and a new connection finds new addresses.
const EMAILS_PER_CONNECTION: u32 = 100;

/// A few connections to one mail server. Clones share them.
#[derive(Clone)]
pub struct SmtpPool {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    /// One permit a send: a new connection is opened only when none is idle, so that this also limits open ones.
    permits: Semaphore,
    idle_timeout: Duration,
    sender: Option<Address>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The one that is idle for longest comes first.
    sessions: Vec<PooledSession>,
    /// A task waits to close sessions that are idle for too long.
    is_watched: bool,
    is_closed: bool,
}

/// An open session, owned by one send or by the pool, never by both.
struct PooledSession {
    session: Session,
    emails: u32,
    idle_since: Instant,
}

impl std::fmt::Debug for SmtpPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpPool").finish_non_exhaustive()
    }
}

impl SmtpPool {
    /// A pool without connections: the first send opens one.
    ///
    /// # Errors
    /// When no connection could ever succeed with these settings.
    pub fn new(settings: SmtpSettings, options: SmtpOptions) -> Result<Self, SmtpConfigError> {
        if options.max_connections == 0 {
            return Err(SmtpConfigError::NoConnections);
        }
        let inner = Inner {
            connector: Connector::new(settings, &options)?,
            permits: Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)),
            idle_timeout: options.timeouts.idle,
            sender: options.sender,
            idle: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sends one message. Waits for a free connection if none is idle.
    ///
    /// `lease_check` is awaited right before DATA: if it returns false, nothing of the message is transmitted. All line
    /// ends become CRLF. The call may be cancelled at any point: the connection is then closed.
    ///
    /// # Errors
    /// [`SendError::kind`] says what follows.
    pub async fn send<F>(
        &self,
        envelope: &Envelope,
        message: &[u8],
        lease_check: F,
    ) -> Result<SmtpReply, SendError>
    where
        F: Future<Output = bool> + Send,
    {
        let sent = self.send_once(envelope, message, lease_check).await;
        self.inner.connector.redacted(sent).map(|reply| self.inner.connector.redacted_reply(reply))
    }

    async fn send_once<F>(
        &self,
        envelope: &Envelope,
        message: &[u8],
        lease_check: F,
    ) -> Result<SmtpReply, SendError>
    where
        F: Future<Output = bool> + Send,
    {
        let _permit = self.inner.permit().await?;
        let transaction = Transaction::new(envelope, message);
        let mut pooled = self.inner.begin(&transaction).await?;
        let result = finish(&mut pooled.session, &transaction, lease_check).await;
        if pooled.session.extensions.pipelining
            && result.as_ref().is_err_and(SendError::means_no_reply_to_recipient)
        {
            self.inner.connector.stop_pipelining();
        }
        if is_in_step_after(&mut pooled.session, &result).await {
            Inner::put_back(&self.inner, pooled);
        }
        result
    }

    /// Opens a new connection, logs in, goes as far as MAIL FROM and leaves: shows whether the server can be used, and
    /// sends nothing.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub async fn probe(&self) -> Result<(), SendError> {
        let _permit = self.inner.permit().await?;
        // The new connection takes the place of an idle one.
        drop(self.inner.take_idle());
        let connector = &self.inner.connector;
        let mut session = connector.redacted(connector.open().await)?;
        match &self.inner.sender {
            Some(sender) => connector.redacted(session.check_sender(sender).await)?,
            None => session.command(Stage::Hello, "NOOP").await?,
        }
        session.quit().await;
        Ok(())
    }

    /// Closes idle connections with QUIT, and busy ones after their email. Sends that have no connection yet fail, and
    /// so do later ones.
    pub async fn close(&self) {
        self.inner.permits.close();
        let sessions = {
            let mut idle = self.inner.idle.lock();
            idle.is_closed = true;
            std::mem::take(&mut idle.sessions)
        };
        futures_util::future::join_all(sessions.into_iter().map(|idle| idle.session.quit())).await;
    }
}

impl Inner {
    async fn permit(&self) -> Result<SemaphorePermit<'_>, SendError> {
        let closed = |_| SendError::broken(Stage::Connect, "emails are no longer sent: shutting down");
        self.permits.acquire().await.map_err(closed)
    }

    /// A session in which MAIL FROM was accepted. An idle one that turns out to be dead is replaced once: the server
    /// has not seen this email, so that this is not an attempt.
    async fn begin(&self, transaction: &Transaction<'_>) -> Result<PooledSession, SendError> {
        if let Some(mut idle) = self.take_idle() {
            match idle.session.mail_from(transaction).await {
                Ok(()) => return Ok(idle),
                Err(error) if error.means_dead_connection() => {}
                Err(error) => return Err(error),
            }
        }
        let mut session = self.connector.open().await?;
        session.mail_from(transaction).await?;
        Ok(PooledSession { session, emails: 0, idle_since: Instant::now() })
    }

    fn take_idle(&self) -> Option<PooledSession> {
        let mut idle = self.idle.lock();
        // The last one that was used: the others reach the idle limit and are closed when there is less to do.
        idle.sessions.pop().filter(|session| !self.is_expired(session, Instant::now()))
    }

    /// Does not wait: a caller that is cancelled here would lose an acceptance that is already known.
    fn put_back(inner: &Arc<Self>, mut pooled: PooledSession) {
        pooled.emails += 1;
        pooled.idle_since = Instant::now();
        let mut idle = inner.idle.lock();
        if idle.is_closed || pooled.emails >= EMAILS_PER_CONNECTION {
            tokio::spawn(pooled.session.quit());
            return;
        }
        idle.sessions.push(pooled);
        if !std::mem::replace(&mut idle.is_watched, true) {
            tokio::spawn(close_expired(Arc::downgrade(inner), inner.idle_timeout));
        }
    }

    /// The sessions that are idle for too long, and when to look again. `None`: no session is left to watch.
    fn take_expired(&self) -> (Vec<PooledSession>, Option<Instant>) {
        let now = Instant::now();
        let mut idle = self.idle.lock();
        let (expired, others) =
            std::mem::take(&mut idle.sessions).into_iter().partition(|session| self.is_expired(session, now));
        idle.sessions = others;
        let next = idle.sessions.iter().map(|session| session.idle_since + self.idle_timeout).min();
        idle.is_watched = next.is_some();
        (expired, next)
    }

    fn is_expired(&self, session: &PooledSession, now: Instant) -> bool {
        now.duration_since(session.idle_since) >= self.idle_timeout
    }
}

/// RCPT TO, the lease check, DATA, and the message.
async fn finish(
    session: &mut Session,
    transaction: &Transaction<'_>,
    lease_check: impl Future<Output = bool> + Send,
) -> Result<SmtpReply, SendError> {
    session.recipients(transaction).await?;
    if !lease_check.await {
        return Err(SendError::lease_lost());
    }
    session.data(transaction).await
}

/// Whether the next email may use the session: after success, or after a clean RSET if nothing was transmitted.
async fn is_in_step_after(session: &mut Session, result: &Result<SmtpReply, SendError>) -> bool {
    match result {
        Ok(_) => true,
        Err(error) if error.leaves_connection_in_step() => session.reset().await,
        Err(_) => false,
    }
}

/// Closes sessions as they reach the idle limit. Ends with the last of them, or with the pool.
async fn close_expired(pool: Weak<Inner>, idle_timeout: Duration) {
    let mut next = Instant::now() + idle_timeout;
    loop {
        sleep_until(next).await;
        let Some(inner) = pool.upgrade() else { return };
        let (expired, later) = inner.take_expired();
        drop(inner);
        for pooled in expired {
            pooled.session.quit().await;
        }
        match later {
            Some(instant) => next = instant,
            None => return,
        }
    }
}

//! The pool: who may use a connection, and which connections may be used again.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use bookly_shared::domain::SmtpReply;
use lettre::{
    address::Envelope,
    transport::smtp::commands::{Noop, Quit},
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout},
};

use super::{
    SmtpConfigError, SmtpSettings, StageTimeouts,
    connection::{Connector, Session},
    error::{SendError, Stage},
    send::{Dialogue, Letter},
};

/// How many mails go over one connection: some servers count, and a new one finds new addresses.
const MAILS_PER_CONNECTION: u32 = 100;

/// How long a courtesy (RSET, QUIT) may take: nothing depends on its answer.
const COURTESY_LIMIT: Duration = Duration::from_secs(2);

/// A few connections to one mail server. Clones share them.
#[derive(Clone)]
pub struct SmtpPool {
    inner: Arc<Inner>,
}

struct Inner {
    connector: Connector,
    /// One permit a send: a new connection is opened only when none is idle, so that open ones stay within it.
    slots: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    /// The longest idle one first.
    connections: Vec<Connection>,
    /// A task is waiting to close what idles too long.
    watched: bool,
    closed: bool,
}

/// An open session, owned by one send or by the pool, never by both.
struct Connection {
    session: Session,
    mails: u32,
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
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpConfigError> {
        if settings.max_connections == 0 {
            return Err(SmtpConfigError::NoConnections);
        }
        let slots = Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS));
        let inner = Inner { connector: Connector::new(settings)?, slots, idle: Mutex::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sends one message, waiting for a free connection if need be.
    ///
    /// `lease_check` is awaited right before DATA: if it answers false, nothing of the message is transmitted. Line
    /// ends are made CRLF on the way. May be cancelled at any point: the connection is then closed.
    ///
    /// # Errors
    /// [`SendError::kind`] says what is to be done.
    pub async fn send<F>(
        &self,
        envelope: &Envelope,
        message: &[u8],
        lease_check: F,
    ) -> Result<SmtpReply, SendError>
    where
        F: Future<Output = bool> + Send,
    {
        let _slot = self.inner.slot().await?;
        let letter = Letter::new(envelope, message);
        let mut connection = self.inner.begin(&letter).await?;
        let result = connection.finish(&letter, lease_check, self.inner.connector.timeouts).await;
        if connection.session.offers.pipelining
            && result.as_ref().is_err_and(SendError::means_no_answer_to_recipient)
        {
            self.inner.connector.doubt_pipelining();
        }
        if connection.is_in_step_after(&result).await {
            Inner::put_back(&self.inner, connection);
        }
        result
    }

    /// Connects afresh, logs in, and leaves: whether the server can be used, without sending anything.
    ///
    /// # Errors
    /// What stands in the way; its verdict is always [`ServerUnavailable`](super::FailureKind::ServerUnavailable).
    pub async fn probe(&self) -> Result<(), SendError> {
        let _slot = self.inner.slot().await?;
        // Its place is needed for the fresh one.
        drop(self.inner.take_idle());
        let mut session = self.inner.connector.open().await?;
        let limits = self.inner.connector.timeouts;
        Dialogue { session: &mut session, limits }.done(Stage::Hello, Noop).await?;
        quit(session).await;
        Ok(())
    }

    /// Takes leave of the server: idle connections are closed with QUIT, busy ones after their mail. Sends that
    /// have no connection yet, and later ones, fail.
    pub async fn close(&self) {
        self.inner.slots.close();
        let idle = {
            let mut idle = self.inner.lock();
            idle.closed = true;
            std::mem::take(&mut idle.connections)
        };
        futures_util::future::join_all(idle.into_iter().map(|idle| quit(idle.session))).await;
    }
}

impl Inner {
    async fn slot(&self) -> Result<SemaphorePermit<'_>, SendError> {
        let closed = |_| SendError::broken(Stage::Connect, "mail is no longer sent: shutting down");
        self.slots.acquire().await.map_err(closed)
    }

    /// A connection on which MAIL FROM was accepted. An idle one that turns out to be dead is replaced, once:
    /// the server has not seen this mail, so that is not an attempt.
    async fn begin(&self, letter: &Letter<'_>) -> Result<Connection, SendError> {
        let limits = self.connector.timeouts;
        if let Some(mut idle) = self.take_idle() {
            match idle.mail_from(letter, limits).await {
                Ok(()) => return Ok(idle),
                Err(error) if error.means_dead_connection() => {}
                Err(error) => return Err(error),
            }
        }
        let mut fresh = Connection::new(self.connector.open().await?);
        fresh.mail_from(letter, limits).await.map(|()| fresh)
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.lock();
        // The youngest: the others grow old and are closed when there is less to do.
        idle.connections.pop().filter(|connection| !self.is_old(connection, Instant::now()))
    }

    /// Does not wait for anything: whoever is cancelled here would lose an acceptance that is already known.
    fn put_back(inner: &Arc<Self>, mut connection: Connection) {
        connection.mails += 1;
        connection.idle_since = Instant::now();
        let mut idle = inner.lock();
        if idle.closed || connection.mails >= MAILS_PER_CONNECTION {
            tokio::spawn(quit(connection.session));
            return;
        }
        idle.connections.push(connection);
        if !std::mem::replace(&mut idle.watched, true) {
            tokio::spawn(close_when_old(Arc::downgrade(inner), inner.connector.timeouts.idle));
        }
    }

    /// The old connections, and when to look again (`None`: nothing is left to watch).
    fn take_old(&self) -> (Vec<Connection>, Option<Instant>) {
        let now = Instant::now();
        let mut idle = self.lock();
        let (old, young) =
            std::mem::take(&mut idle.connections).into_iter().partition(|c| self.is_old(c, now));
        idle.connections = young;
        let next = idle.connections.iter().map(|c| c.idle_since + self.connector.timeouts.idle).min();
        idle.watched = next.is_some();
        (old, next)
    }

    fn is_old(&self, connection: &Connection, now: Instant) -> bool {
        now.duration_since(connection.idle_since) >= self.connector.timeouts.idle
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        // Nothing can panic while it is held; the list is sound in any case.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn new(session: Session) -> Self {
        Self { session, mails: 0, idle_since: Instant::now() }
    }

    async fn mail_from(&mut self, letter: &Letter<'_>, limits: StageTimeouts) -> Result<(), SendError> {
        Dialogue { session: &mut self.session, limits }.mail_from(letter).await
    }

    async fn finish<F>(
        &mut self,
        letter: &Letter<'_>,
        lease_check: F,
        limits: StageTimeouts,
    ) -> Result<SmtpReply, SendError>
    where
        F: Future<Output = bool> + Send,
    {
        let mut dialogue = Dialogue { session: &mut self.session, limits };
        dialogue.recipients(letter).await?;
        if !lease_check.await {
            return Err(SendError::lease_lost());
        }
        dialogue.data(letter).await
    }

    /// Whether the next mail may use it: after success, or a clean RSET where nothing was transmitted.
    async fn is_in_step_after(&mut self, result: &Result<SmtpReply, SendError>) -> bool {
        match result {
            Ok(_) => true,
            Err(error) if error.leaves_connection_in_step() => {
                let limits = StageTimeouts { command: COURTESY_LIMIT, ..StageTimeouts::default() };
                Dialogue { session: &mut self.session, limits }.reset().await
            }
            Err(_) => false,
        }
    }
}

/// Closes connections as they reach the idle limit; ends with the last of them, or with the pool.
async fn close_when_old(pool: Weak<Inner>, idle: Duration) {
    let mut next = Instant::now() + idle;
    loop {
        sleep_until(next).await;
        let Some(inner) = pool.upgrade() else { return };
        let (old, later) = inner.take_old();
        drop(inner);
        for connection in old {
            quit(connection.session).await;
        }
        match later {
            Some(instant) => next = instant,
            None => return,
        }
    }
}

/// QUIT, for the server's statistics: dropping the connection would do.
pub(super) async fn quit(mut session: Session) {
    let leave = async {
        session.line.ask(Quit.to_string().as_bytes(), 1).await?;
        session.line.answer().await
    };
    drop(timeout(COURTESY_LIMIT, leave).await);
}

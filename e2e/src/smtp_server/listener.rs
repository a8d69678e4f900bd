//! The server's port and its sessions.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::options::Shared;
use super::session::Session;

/// How many sessions run at once; more connections wait.
const MAX_SESSIONS: usize = 2_000;
/// Between two tries to open the port.
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// A port that can be closed and opened again.
pub(super) struct Listener {
    pub(super) port: u16,
    pub(super) open: Option<TcpListener>,
    /// Whether the port should be open.
    pub(super) wanted: watch::Receiver<bool>,
}

impl Listener {
    async fn accept(&mut self) -> std::io::Result<TcpStream> {
        if !*self.wanted.borrow_and_update() {
            self.open = None;
            // Fails only when the server is dropped, which ends this task too.
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

/// Runs a session for each connection.
pub(super) async fn accept(
    mut listener: Listener,
    shared: Arc<Shared>,
    stopped: CancellationToken,
    tasks: TaskTracker,
) {
    let permits = Arc::new(Semaphore::new(MAX_SESSIONS));
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let Ok(tcp) = listener.accept().await else {
            // Another process may use the port for a moment when it is opened again.
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        };
        let dropped = shared.state.opened();
        let (shared, stopped) = (Arc::clone(&shared), stopped.clone());
        tasks.spawn(async move {
            let session = dropped.run_until_cancelled(Session::serve(tcp, Arc::clone(&shared)));
            // A client that leaves in the middle ends its session: that is not an error of the server.
            drop(stopped.run_until_cancelled(session).await);
            shared.state.closed();
            drop(permit);
        });
    }
}

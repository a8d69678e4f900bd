//! Connections to Redis: the stream, with the same check of certificates as everywhere, and a connection that is opened
//! again after a failure.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use parking_lot::Mutex;
use redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use redis::{
    AsyncConnectionConfig, Cmd, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline,
    RedisError, RedisFuture, RedisResult, Value,
};
use rustls::pki_types::ServerName;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::error::QueueError;
use super::login::RedisLogin;
use crate::tls::Trust;

/// The library's 500 ms ended workers under load.
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection attempt may take, with the login.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where Redis is, how to log in, and which certificates are trusted with `rediss://`.
#[derive(Clone)]
pub struct RedisServer {
    info: ConnectionInfo,
    login: RedisLogin,
    tls: TlsConnector,
}

impl RedisServer {
    /// From `REDIS_URL`. Does not connect.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn new(url: &SecretString, trust: &Trust) -> Result<RedisServer, QueueError> {
        let info = url.expose_secret().into_connection_info().map_err(|_| QueueError::Url)?;
        let tls = Arc::new(trust.client_config().map_err(QueueError::Tls)?).into();
        Ok(RedisServer { login: RedisLogin::of(info.redis_settings()), info, tls })
    }

    /// The server's place without a password: `host:port`.
    pub fn place(&self) -> String {
        self.info.addr().to_string()
    }

    /// The error without the login, which a server may repeat.
    pub(super) fn hide_login(&self, error: RedisError) -> RedisError {
        self.login.hide(error)
    }

    /// Opens a connection for commands, within two seconds.
    async fn connect(&self) -> RedisResult<MultiplexedConnection> {
        self.within_limit(async {
            let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_LIMIT));
            let (stream, login) = (self.stream().await?, self.info.redis_settings());
            let (connection, driver) = MultiplexedConnection::new_with_config(login, stream, config).await?;
            tokio::spawn(driver);
            Ok(connection)
        })
        .await
    }

    /// Opens a connection for subscriptions, within two seconds.
    pub(super) async fn subscriber(&self) -> RedisResult<PubSub> {
        self.within_limit(async { PubSub::new(self.info.redis_settings(), self.stream().await?).await }).await
    }

    async fn stream(&self) -> RedisResult<Box<dyn Stream>> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) => Ok(Box::new(tcp(host, *port).await?)),
            ConnectionAddr::TcpTls { host, port, .. } => {
                let name = ServerName::try_from(host.clone()).map_err(|_| {
                    (ErrorKind::InvalidClientConfig, "the host cannot stand in a certificate")
                })?;
                Ok(Box::new(self.tls.connect(name, tcp(host, *port).await?).await?))
            }
            ConnectionAddr::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            _ => Err((ErrorKind::InvalidClientConfig, "this kind of address is not supported").into()),
        }
    }

    async fn within_limit<T>(&self, connecting: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        let silent = |_| {
            let words = format!("no answer within {} s", CONNECT_LIMIT.as_secs());
            std::io::Error::new(std::io::ErrorKind::TimedOut, words)
        };
        let connected = timeout(CONNECT_LIMIT, connecting).await.map_err(silent)?;
        connected.map_err(|error| self.hide_login(error))
    }
}

async fn tcp(host: &str, port: u16) -> RedisResult<TcpStream> {
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer").field("place", &self.place()).finish_non_exhaustive()
    }
}

/// An attempt to connect, which all commands that need it await.
type Connecting = Shared<BoxFuture<'static, RedisResult<MultiplexedConnection>>>;

/// Connects at the first use, and again after a failure. A command that finds its connection closed is sent once more
/// on a new one: for servers that close idle clients (`timeout`; Azure after 10 minutes). Cheap to clone.
///
/// A command may then run twice, when the connection broke between the command and its reply.
#[derive(Clone, Debug)]
pub struct RedisConnection(Arc<Inner>);

struct Inner {
    server: RedisServer,
    current: Mutex<Option<Connecting>>,
}

impl RedisConnection {
    pub(super) fn new(server: RedisServer) -> RedisConnection {
        RedisConnection(Arc::new(Inner { server, current: Mutex::default() }))
    }

    /// The server.
    pub fn server(&self) -> &RedisServer {
        &self.0.server
    }

    async fn connected(&self) -> RedisResult<(Connecting, MultiplexedConnection)> {
        let connecting = self.0.current();
        match connecting.clone().await {
            Ok(connection) => Ok((connecting, connection)),
            Err(error) => {
                self.0.forget(&connecting);
                Err(error)
            }
        }
    }

    /// Whether the connection is closed, so that a command that failed with this error can run on a new one.
    fn is_closed(&self, used: &Connecting, error: &RedisError) -> bool {
        if error.is_unrecoverable_error() {
            self.0.forget(used);
        }
        error.is_connection_dropped()
    }
}

impl Inner {
    /// The connection, or the attempt under way. It goes on when the caller gives up.
    fn current(&self) -> Connecting {
        let mut current = self.current.lock();
        let connect = || {
            let server = self.server.clone();
            let connecting = async move { server.connect().await }.boxed().shared();
            tokio::spawn(connecting.clone());
            connecting
        };
        current.get_or_insert_with(connect).clone()
    }

    fn forget(&self, lost: &Connecting) {
        let mut current = self.current.lock();
        current.take_if(|current| current.ptr_eq(lost));
    }
}

impl ConnectionLike for RedisConnection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let (used, mut connection) = self.connected().await?;
            let sent = match connection.send_packed_command(command).await {
                Err(error) if self.is_closed(&used, &error) => {
                    self.connected().await?.1.send_packed_command(command).await
                }
                result => result,
            };
            sent.map_err(|error| self.server().hide_login(error))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let (used, mut connection) = self.connected().await?;
            let sent = match connection.send_packed_commands(commands, offset, count).await {
                Err(error) if self.is_closed(&used, &error) => {
                    self.connected().await?.1.send_packed_commands(commands, offset, count).await
                }
                result => result,
            };
            sent.map_err(|error| self.server().hide_login(error))
        })
    }

    fn get_db(&self) -> i64 {
        self.0.server.info.redis_settings().db()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)
    }
}

//! Opens a session: TCP without delay, TLS, EHLO, AUTH, each within its time limit.

use std::{
    future::Future,
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::metrics::{
    Counted,
    table::{SMTP_OPEN, SMTP_OPENED, SMTP_STAGE_SECONDS},
};
use lettre::transport::smtp::{
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, AsyncTokioStream},
    extension::ClientId,
};
use secrecy::ExposeSecret;
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::client::TlsStream;
use tracing::{debug, warn};

use super::{
    Security, SmtpConfigError, SmtpCredentials, SmtpSettings, StageTimeouts,
    answer::Answer,
    error::{SendError, Stage},
    lent::Lent,
    line::Line,
    starttls,
    stream::Stream,
    tls::Tls,
};

/// An open session.
pub(super) struct Session<S = Stream> {
    pub(super) line: Line<S>,
    pub(super) offers: Offers,
    _open: Counted,
}

/// What the server can do, of what is made use of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offers {
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 6531.
    pub(super) smtputf8: bool,
    /// RFC 6152.
    pub(super) eight_bit_mime: bool,
}

/// A session at whose beginning lettre speaks.
pub(super) struct Greeted<S> {
    smtp: AsyncSmtpConnection,
    stream: Lent<S>,
    offers: Offers,
}

/// Opens sessions with one mail server.
pub(super) struct Connector {
    host: String,
    port: u16,
    protection: Protection,
    credentials: Option<SmtpCredentials>,
    hello: ClientId,
    pub(super) timeouts: StageTimeouts,
    /// The server offers PIPELINING and does not do it.
    loses_groups: AtomicBool,
}

/// [`Security`], with what it needs.
enum Protection {
    Plain,
    StartTls(Tls),
    ImplicitTls(Tls),
}

impl Connector {
    pub(super) fn new(settings: SmtpSettings) -> Result<Self, SmtpConfigError> {
        let protection = match settings.security {
            Security::Plain => Protection::Plain,
            Security::StartTls => Protection::StartTls(Tls::new(&settings)?),
            Security::ImplicitTls => Protection::ImplicitTls(Tls::new(&settings)?),
        };
        Ok(Self {
            host: settings.host,
            port: settings.port,
            protection,
            credentials: settings.credentials,
            hello: ClientId::default(),
            timeouts: settings.timeouts,
            loses_groups: AtomicBool::new(false),
        })
    }

    /// A session that is ready for MAIL FROM.
    pub(super) async fn open(&self) -> Result<Session, SendError> {
        let tcp = self.dial().await?;
        let open = SMTP_OPEN.count();
        let stream = self.secure(tcp).await?;
        self.begin(stream, open).await
    }

    /// From the connection to the session: greeting, EHLO, AUTH.
    pub(super) async fn begin(&self, stream: Stream, open: Counted) -> Result<Session, SendError> {
        let mut greeted = greet(stream, &self.hello, &self.timeouts).await?;
        self.authenticate(&mut greeted).await?;
        debug!(host = self.host, port = self.port, "connection to the mail server opened");
        SMTP_OPENED.add(1, []);
        greeted.offers.pipelining &= !self.loses_groups.load(Ordering::Relaxed);
        greeted.begin(open)
    }

    /// Some firewalls in front of servers drop what was sent ahead: no recipient is ever answered. From now on they are
    /// named one by one.
    pub(super) fn doubt_pipelining(&self) {
        if !self.loses_groups.swap(true, Ordering::Relaxed) {
            warn!(
                host = self.host,
                "the mail server offers PIPELINING and loses recipients; it is not used any more"
            );
        }
    }

    /// Tries the addresses of the host in turn; the error is the last one's.
    pub(super) async fn dial(&self) -> Result<TcpStream, SendError> {
        let limit = self.timeouts.connect;
        let mut failed = SendError::broken(Stage::Connect, "the mail server's name has no address");
        for address in within(Stage::Connect, limit, self.addresses()).await? {
            match within(Stage::Connect, limit, dial_one(address)).await {
                Ok(tcp) => return Ok(tcp),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, SendError> {
        let found = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        Ok(found.map_err(|error| SendError::broken(Stage::Connect, error))?.collect())
    }

    pub(super) async fn secure(&self, mut tcp: TcpStream) -> Result<Stream, SendError> {
        match &self.protection {
            Protection::Plain => Ok(Stream::Plain(tcp)),
            Protection::ImplicitTls(tls) => Ok(Stream::implicit_tls(self.handshake(tls, tcp).await?)),
            Protection::StartTls(tls) => {
                starttls::negotiate(&mut tcp, &self.hello, &self.timeouts).await?;
                Ok(Stream::after_starttls(self.handshake(tls, tcp).await?))
            }
        }
    }

    async fn handshake(&self, tls: &Tls, tcp: TcpStream) -> Result<TlsStream<TcpStream>, SendError> {
        within(Stage::Tls, self.timeouts.command, async {
            let connected = tls.connector.connect(tls.name.clone(), tcp).await;
            connected.map_err(|error| SendError::from_handshake(&error))
        })
        .await
    }

    async fn authenticate(&self, session: &mut Greeted<Stream>) -> Result<(), SendError> {
        let Some(SmtpCredentials { username, password }) = &self.credentials else { return Ok(()) };
        if session.smtp.server_info().get_auth_mechanism(DEFAULT_MECHANISMS).is_none() {
            let what = "a login is configured, but the server offers neither AUTH PLAIN nor AUTH LOGIN";
            return Err(SendError::unsupported(Stage::Auth, what));
        }
        let password = password.expose_secret();
        let credentials = Credentials::new(username.clone(), password.to_owned());
        let answer = within(Stage::Auth, self.timeouts.command, async {
            let asked = session.smtp.auth(DEFAULT_MECHANISMS, &credentials).await;
            asked.map_err(|error| SendError::from_lettre(Stage::Auth, &error))
        })
        .await
        .map_err(|error| {
            let plain = BASE64_STANDARD.encode(format!("\0{username}\0{password}"));
            error.without(&plain).without(&BASE64_STANDARD.encode(password)).without(password)
        })?;
        // 235 is the only good end of AUTH (RFC 4954 §4); lettre would take a 334 for one.
        if !answer.has_code(235) {
            return Err(SendError::from_reply(Stage::Auth, Answer::from(&answer).reply()));
        }
        session.stream.only_answer().map(drop).ok_or_else(|| ahead(Stage::Auth))
    }
}

impl<S: AsyncTokioStream> Greeted<S> {
    /// The session without lettre, ready for mails.
    pub(super) fn begin(self, open: Counted) -> Result<Session<S>, SendError> {
        let stream = self.stream.take_back(self.smtp);
        let stream = stream.ok_or_else(|| SendError::broken(Stage::Hello, "the stream is still lent"))?;
        Ok(Session { line: Line::new(stream), offers: self.offers, _open: open })
    }
}

/// Greeting and EHLO. What was said ahead of EHLO is no answer to it: every later answer would be the one before.
pub(super) async fn greet<S: AsyncTokioStream + 'static>(
    stream: S,
    hello: &ClientId,
    limits: &StageTimeouts,
) -> Result<Greeted<S>, SendError> {
    let stream = Lent::new(stream);
    let lent = Box::new(stream.lend());
    let smtp = within(Stage::Hello, limits.greeting + limits.command, async {
        let opened = AsyncSmtpConnection::connect_with_transport(lent, hello).await;
        opened.map_err(|error| SendError::from_lettre(Stage::Hello, &error))
    })
    .await?;
    let answer = stream.only_answer().filter(Answer::completes).ok_or_else(|| ahead(Stage::Hello))?;
    let offers = Offers {
        pipelining: answer.offers("PIPELINING"),
        smtputf8: answer.offers("SMTPUTF8"),
        eight_bit_mime: answer.offers("8BITMIME"),
    };
    Ok(Greeted { smtp, stream, offers })
}

fn ahead(stage: Stage) -> SendError {
    SendError::broken(stage, "the answer was there before the question")
}

async fn dial_one(address: SocketAddr) -> Result<TcpStream, SendError> {
    let connect = async {
        let tcp = TcpStream::connect(address).await?;
        // A message is a write behind the write of DATA, and its last packet a short one: with Nagle's algorithm it
        // waits up to 40 ms for an ACK.
        tcp.set_nodelay(true)?;
        Ok(tcp)
    };
    connect.await.map_err(|error: std::io::Error| {
        SendError::broken(Stage::Connect, format_args!("{address}: {error}"))
    })
}

/// `work`, or an error at `stage` when it takes longer than `limit`. Its time is measured either way.
pub(super) async fn within<T>(
    stage: Stage,
    limit: Duration,
    work: impl Future<Output = Result<T, SendError>>,
) -> Result<T, SendError> {
    let began = Instant::now();
    let done = timeout(limit, work).await;
    SMTP_STAGE_SECONDS.record(began.elapsed().as_secs_f64(), [stage.label().into()]);
    done.unwrap_or_else(|_| Err(SendError::timed_out(stage, limit)))
}

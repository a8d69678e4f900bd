//! Opens a session: TCP without delay, greeting, EHLO, STARTTLS, login, each within its time limit.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::{Engine, prelude::BASE64_STANDARD};
use bookly_shared::domain::{MailServer, SmtpReply};
use bookly_shared::metrics::{
    Counted,
    table::{SMTP_OPEN, SMTP_OPENED},
};
use bookly_shared::redactor::Redactor;
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_util::either::Either;
use tracing::debug;

use super::connector::{Connector, Login, PasswordLogin, Protection};
use super::dialogue::Dialogue;
use super::error::SendError;
use super::failure::Stage;
use super::options::StageTimeouts;
use super::session::{Extensions, Session, Stream, logged_in, positive};
use super::tls::Tls;
use super::token_login::TokenLogin;

impl Connector {
    /// The reply without the login in its text.
    pub(super) fn redacted_reply(&self, reply: SmtpReply) -> SmtpReply {
        self.redactor().redact_reply(reply)
    }

    /// The result without the login in its error.
    pub(super) fn redacted<T>(&self, result: Result<T, SendError>) -> Result<T, SendError> {
        result.map_err(|error| error.redacted(&self.redactor()))
    }

    /// Finds the login in replies: some servers repeat what they were sent.
    fn redactor(&self) -> Arc<Redactor> {
        match &self.login {
            Login::None => Arc::default(),
            Login::Password(login) => Arc::clone(&login.redactor),
            Login::Token(login) => login.tokens.redactor(),
        }
    }

    /// A session that is ready for MAIL FROM.
    ///
    /// On the heap: every email would carry the future of a TLS handshake from its claim on, and few open a connection.
    pub(super) async fn open(&self) -> Result<Session, SendError> {
        Box::pin(self.open_session()).await
    }

    async fn open_session(&self) -> Result<Session, SendError> {
        let mut session = match &self.login {
            Login::None => self.connected().await?,
            Login::Password(login) => {
                let mut session = self.connected().await?;
                session.log_in_with_password(login).await?;
                session
            }
            Login::Token(login) => self.logged_in_with_token(login).await?,
        };
        session.extensions.pipelining &= !self.pipelining_fails.load(Ordering::Relaxed);
        debug!(host = self.host, port = self.port, "connection to the mail server opened");
        SMTP_OPENED.add(1, [self.server.label().into()]);
        Ok(session)
    }

    async fn connected(&self) -> Result<Session, SendError> {
        let tcp = connect(self.server, &self.host, self.port, &self.timeouts).await?;
        self.greet(tcp, SMTP_OPEN.count([self.server.label().into()])).await
    }

    /// The token comes first: without one the mail server need not be asked. One that it refuses is replaced once.
    async fn logged_in_with_token(&self, login: &TokenLogin) -> Result<Session, SendError> {
        let token = login.tokens.current().await.map_err(SendError::no_token)?;
        let log_in = async |token| {
            let mut session = self.connected().await?;
            session.log_in_with_token(login.mechanism, &login.response(&self.host, self.port, token)).await?;
            Ok::<_, SendError>(session)
        };
        match log_in(&token).await {
            Err(error) if error.means_refused_token() => {
                let another = login.tokens.in_place_of(&token).await.map_err(SendError::no_token)?;
                match another {
                    Some(another) => log_in(&another).await,
                    None => Err(error),
                }
            }
            opened => opened,
        }
    }

    /// Up to the EHLO reply that counts: with STARTTLS the encrypted one.
    async fn greet(&self, tcp: TcpStream, open: Counted) -> Result<Session, SendError> {
        let (server, timeouts) = (self.server, &self.timeouts);
        match &self.protection {
            Protection::Plain => {
                Session::greet(Either::Left(tcp), &self.helo_name, timeouts, server, open).await
            }
            Protection::ImplicitTls(tls) => {
                let stream = encrypt(server, tls, tcp, timeouts).await?;
                Session::greet(stream, &self.helo_name, timeouts, server, open).await
            }
            Protection::StartTls(tls) => {
                let clear = Session::greet(tcp, &self.helo_name, timeouts, server, open).await?;
                let (tcp, open) = clear.start_tls().await?;
                let stream = encrypt(server, tls, tcp, timeouts).await?;
                let mut session = Session::new(Dialogue::without_greeting(stream), timeouts, server, open);
                session.hello(&self.helo_name).await?;
                Ok(session)
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Greeting and EHLO.
    pub(super) async fn greet(
        stream: S,
        helo_name: &str,
        timeouts: &StageTimeouts,
        server: MailServer,
        open: Counted,
    ) -> Result<Self, SendError> {
        let mut session = Self::new(Dialogue::with_greeting(stream), timeouts, server, open);
        let greeting = Stage::Hello.within(server, timeouts.greeting, session.reply(Stage::Hello)).await?;
        positive(Stage::Hello, greeting)?;
        session.hello(helo_name).await?;
        Ok(session)
    }

    /// EHLO, or HELO where the server refuses EHLO for good (RFC 5321 §3.2).
    async fn hello(&mut self, helo_name: &str) -> Result<(), SendError> {
        let limit = self.timeouts.command;
        let ehlo = format!("EHLO {helo_name}");
        let lines = Stage::Hello.within(self.server, limit, self.ask_for_lines(Stage::Hello, &ehlo)).await?;
        if lines.code >= 500 {
            self.command(Stage::Hello, &format!("HELO {helo_name}")).await?;
        } else {
            positive(Stage::Hello, lines.reply())?;
            self.extensions = Extensions::from_ehlo(&lines);
        }
        self.dialogue.end_of_greeting();
        Ok(())
    }

    async fn log_in_with_password(&mut self, login: &PasswordLogin) -> Result<(), SendError> {
        let (user, password) = (login.username.as_str(), login.password.expose_secret());
        let plain = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
        let limit = self.timeouts.command;
        let mut reply = None;
        if self.extensions.auth_plain {
            // The second step is for servers that ignore the initial response.
            let steps = [format!("AUTH PLAIN {plain}"), plain];
            reply = Some(Stage::Auth.within(self.server, limit, self.authenticate(&steps)).await?);
        }
        // Some servers offer PLAIN and refuse the command.
        if self.extensions.auth_login && reply.as_ref().is_none_or(|reply| matches!(reply.code, 500..=504)) {
            // The prompts are not read: their texts differ from server to server, their order does not.
            let steps =
                ["AUTH LOGIN".to_owned(), BASE64_STANDARD.encode(user), BASE64_STANDARD.encode(password)];
            reply = Some(Stage::Auth.within(self.server, limit, self.authenticate(&steps)).await?);
        }
        let what = "a login is configured, but the server offers neither AUTH PLAIN nor AUTH LOGIN";
        logged_in(reply.ok_or_else(|| SendError::unsupported(Stage::Auth, what))?)
    }

    /// Sends the steps of a login while the server asks for more (334). Returns the last reply.
    async fn authenticate(&mut self, steps: &[String]) -> Result<SmtpReply, SendError> {
        let mut reply = SmtpReply::new(334, "");
        for step in steps {
            reply = self.ask(Stage::Auth, step).await?;
            if reply.code != 334 {
                break;
            }
        }
        Ok(reply)
    }

    /// STARTTLS. The stream is ready for the handshake, and nothing of the clear text is left.
    pub(super) async fn start_tls(mut self) -> Result<(S, Counted), SendError> {
        if !self.extensions.starttls {
            let what = "the server does not offer STARTTLS, which is required";
            return Err(SendError::unsupported(Stage::Tls, what));
        }
        self.command(Stage::Tls, "STARTTLS").await?;
        let stream = self.dialogue.into_stream().map_err(|error| SendError::broken(Stage::Tls, error))?;
        Ok((stream, self.open))
    }
}

/// Tries the addresses of the host in turn. The error is that of the first one, which the system prefers (RFC 6724):
/// without IPv6 the last one is `::1` for `localhost`, and says nothing about the server.
async fn connect(
    server: MailServer,
    host: &str,
    port: u16,
    timeouts: &StageTimeouts,
) -> Result<TcpStream, SendError> {
    let limit = timeouts.connect;
    let mut failed = None;
    for address in Stage::Connect.within(server, limit, addresses(host, port)).await? {
        match Stage::Connect.within(server, limit, connect_to(address)).await {
            Ok(tcp) => return Ok(tcp),
            Err(error) => _ = failed.get_or_insert(error),
        }
    }
    Err(failed.unwrap_or_else(|| SendError::broken(Stage::Connect, "the mail server's name has no address")))
}

async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, SendError> {
    let found = tokio::net::lookup_host((host, port)).await;
    Ok(found.map_err(|error| SendError::broken(Stage::Connect, error))?.collect())
}

async fn connect_to(address: SocketAddr) -> Result<TcpStream, SendError> {
    let connect = async {
        let tcp = TcpStream::connect(address).await?;
        // A message is written after DATA, and its last packet is short: Nagle's algorithm delays it by up to 40 ms.
        tcp.set_nodelay(true)?;
        Ok(tcp)
    };
    connect.await.map_err(|error: std::io::Error| {
        SendError::broken(Stage::Connect, format_args!("{address}: {error}"))
    })
}

/// The handshake, with the check of the server's certificate.
async fn encrypt(
    server: MailServer,
    tls: &Tls,
    tcp: TcpStream,
    timeouts: &StageTimeouts,
) -> Result<Stream, SendError> {
    let handshake = async {
        let connected = tls.connector.connect(tls.name.clone(), tcp).await;
        connected.map_err(|error| SendError::from_handshake(&error))
    };
    Ok(Either::Right(Box::new(Stage::Tls.within(server, timeouts.command, handshake).await?)))
}

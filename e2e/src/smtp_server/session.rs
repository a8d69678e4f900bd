//! One SMTP session, with the faults that are switched on.

mod faults;
mod message;
mod token;
mod token_mechanism;

use std::{io, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use self::token_mechanism::TokenMechanism;
use super::fault::{Fault, Stage};
use super::options::{Shared, TlsMode};

/// Longest command line, in bytes.
const MAX_LINE: u64 = 16 * 1024;

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// A session from its greeting to its end.
pub(super) struct Session {
    io: BufReader<Box<dyn Transport>>,
    /// Replies that are sent when no further command has arrived.
    out: Vec<u8>,
    /// Bytes that a fault sends in place of the next reply.
    instead: Option<String>,
    shared: Arc<Shared>,
    /// The port that the client connected to.
    port: u16,
    tls: bool,
    user: Option<String>,
    from: Option<String>,
    to: Vec<String>,
}

/// What follows a command.
#[derive(PartialEq, Eq)]
enum Next {
    Command,
    StartTls,
    Close,
}

/// What is left to do at a stage after its faults.
enum Turn {
    Continue,
    Replied,
    Close,
}

/// Runs the faults of a stage. Returns from the function if a fault replaced the command.
macro_rules! at {
    ($session:expr, $stage:expr) => {
        match $session.reach($stage).await? {
            Turn::Continue => {}
            Turn::Replied => return Ok(Next::Command),
            Turn::Close => return Ok(Next::Close),
        }
    };
}
use at;

impl Session {
    pub(super) async fn serve(tcp: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
        tcp.set_nodelay(true)?;
        let port = tcp.local_addr()?.port();
        let mut stream: Box<dyn Transport> = Box::new(tcp);
        let mut tls = shared.options.tls == TlsMode::Implicit;
        if tls {
            stream = handshake(stream, &shared).await?;
        }
        let mut greet = true;
        loop {
            let session = Self::new(stream, Arc::clone(&shared), port, tls);
            match session.run(greet).await? {
                Some(clear) => stream = handshake(clear, &shared).await?,
                None => return Ok(()),
            }
            (tls, greet) = (true, false);
        }
    }

    fn new(stream: Box<dyn Transport>, shared: Arc<Shared>, port: u16, tls: bool) -> Self {
        let (out, instead, user, from, to) = Default::default();
        let io = BufReader::with_capacity(32 * 1024, stream);
        Self { io, out, instead, shared, port, tls, user, from, to }
    }

    /// Runs to the end (`None`), or to STARTTLS, and then returns the stream.
    async fn run(mut self, greet: bool) -> io::Result<Option<Box<dyn Transport>>> {
        let mut next = if greet { self.greet().await? } else { Next::Command };
        while next == Next::Command {
            next = match self.line().await? {
                Some(line) => self.command(&line).await?,
                None => Next::Close,
            };
        }
        self.flush().await?;
        Ok((next == Next::StartTls).then(|| self.io.into_inner()))
    }

    async fn greet(&mut self) -> io::Result<Next> {
        at!(self, Stage::Greeting);
        self.reply("220 smtp.test ESMTP");
        Ok(Next::Command)
    }

    async fn command(&mut self, line: &str) -> io::Result<Next> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => self.hello().await,
            "STARTTLS" => self.starttls().await,
            "AUTH" => self.auth(rest).await,
            "MAIL" => self.mail(rest).await,
            "RCPT" => self.rcpt(rest).await,
            "DATA" => self.data().await,
            "RSET" => self.simple(Stage::Rset, "250 2.0.0 reset", Next::Command).await,
            "NOOP" => self.simple(Stage::Noop, "250 2.0.0 here", Next::Command).await,
            "QUIT" => self.simple(Stage::Quit, "221 2.0.0 bye", Next::Close).await,
            _ => {
                self.reply("502 5.5.2 no such command");
                Ok(Next::Command)
            }
        }
    }

    async fn hello(&mut self) -> io::Result<Next> {
        at!(self, Stage::Hello);
        self.reset_transaction();
        let options = &self.shared.options;
        let mut lines = vec!["smtp.test".to_owned(), "8BITMIME".to_owned()];
        lines.push(format!("SIZE {}", options.max_message));
        let keywords = [("PIPELINING", options.pipelining), ("SMTPUTF8", options.smtputf8)];
        lines.extend(
            keywords.iter().filter(|(_, offered)| *offered).map(|(keyword, _)| (*keyword).to_owned()),
        );
        let before_starttls = options.tls == TlsMode::StartTls && !self.tls;
        if before_starttls && !self.shared.state.faults.is_on(&Fault::NoStartTls) {
            lines.push("STARTTLS".to_owned());
        }
        if options.needs_login() && !before_starttls {
            lines.push(format!("AUTH {}", options.auth_mechanisms.join(" ")));
        }
        let last = lines.len() - 1;
        let answer: Vec<String> = (lines.iter().enumerate())
            .map(|(i, line)| format!("250{}{line}", if i == last { ' ' } else { '-' }))
            .collect();
        self.reply(&answer.join("\r\n"));
        Ok(Next::Command)
    }

    async fn starttls(&mut self) -> io::Result<Next> {
        at!(self, Stage::StartTls);
        if self.shared.options.tls != TlsMode::StartTls || self.tls {
            self.reply("503 5.5.1 no TLS here");
            return Ok(Next::Command);
        }
        self.reply("220 2.0.0 go ahead");
        Ok(Next::StartTls)
    }

    async fn auth(&mut self, rest: &str) -> io::Result<Next> {
        at!(self, Stage::Auth);
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        if let Some(mechanism) = TokenMechanism::of(mechanism) {
            return self.auth_with_token(mechanism, initial).await;
        }
        let given = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" if initial.is_empty() => plain(&self.challenge("").await?),
            "PLAIN" => plain(&decoded(initial)),
            "LOGIN" => Some((self.challenge("Username:").await?, self.challenge("Password:").await?)),
            _ => None,
        };
        if given.is_some() && given == self.shared.options.auth {
            self.user = given.map(|(user, _)| user);
            self.reply("235 2.7.0 welcome");
        } else {
            self.reply("535 5.7.8 wrong user or password");
        }
        Ok(Next::Command)
    }

    async fn challenge(&mut self, prompt: &str) -> io::Result<String> {
        self.reply(&format!("334 {}", BASE64_STANDARD.encode(prompt)));
        Ok(decoded(&self.line().await?.unwrap_or_default()))
    }

    async fn mail(&mut self, rest: &str) -> io::Result<Next> {
        at!(self, Stage::MailFrom);
        match address(rest) {
            // As strict as Postfix: after an unfinished transaction RSET is required.
            _ if self.from.is_some() => self.reply("503 5.5.1 nested MAIL"),
            _ if self.shared.options.needs_login() && self.user.is_none() => {
                self.reply("530 5.7.0 log in first");
            }
            Some(from) => {
                self.from = Some(from);
                self.reply("250 2.1.0 ok");
            }
            None => self.reply("501 5.1.7 no address"),
        }
        Ok(Next::Command)
    }

    async fn rcpt(&mut self, rest: &str) -> io::Result<Next> {
        let Some(to) = address(rest).filter(|_| self.from.is_some()) else {
            self.reply("503 5.5.1 not now");
            return Ok(Next::Command);
        };
        self.to.push(to);
        let turn = self.reach(Stage::RcptTo).await?;
        if !matches!(turn, Turn::Continue) {
            self.to.pop();
        }
        match turn {
            Turn::Continue => self.reply("250 2.1.5 ok"),
            Turn::Replied => {}
            Turn::Close => return Ok(Next::Close),
        }
        Ok(Next::Command)
    }

    async fn simple(&mut self, stage: Stage, reply: &str, next: Next) -> io::Result<Next> {
        at!(self, stage);
        self.reset_transaction();
        self.reply(reply);
        Ok(next)
    }

    fn reset_transaction(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// The next command, without its line end. `None`: the client left.
    async fn line(&mut self) -> io::Result<Option<String>> {
        if self.io.buffer().is_empty() {
            self.flush().await?;
        }
        let mut line = Vec::new();
        (&mut self.io).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        let whole = line.strip_suffix(b"\n");
        Ok(whole.map(|line| String::from_utf8_lossy(line).trim_end_matches('\r').to_owned()))
    }

    fn reply(&mut self, reply: &str) {
        match self.instead.take() {
            Some(bytes) => self.out.extend_from_slice(bytes.as_bytes()),
            None => self.out.extend_from_slice(format!("{reply}\r\n").as_bytes()),
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.io.write_all(&self.out).await?;
        self.out.clear();
        self.io.flush().await
    }
}

async fn handshake(stream: Box<dyn Transport>, shared: &Shared) -> io::Result<Box<dyn Transport>> {
    let acceptor = shared.certificates.acceptor(&shared.state.faults);
    Ok(Box::new(acceptor.accept(stream).await?))
}

/// The text between the angle brackets.
fn address(argument: &str) -> Option<String> {
    let (_, rest) = argument.split_once('<')?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}

fn decoded(text: &str) -> String {
    let bytes = BASE64_STANDARD.decode(text.trim()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// User and password of an AUTH PLAIN response (RFC 4616 §2).
fn plain(response: &str) -> Option<(String, String)> {
    let mut parts = response.splitn(3, '\0').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}

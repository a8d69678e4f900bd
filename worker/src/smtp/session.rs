//! An open session: what the server offers, commands within their time limits, and one email after the other: MAIL FROM,
//! RCPT TO, DATA, the message.

use std::time::Duration;

use bookly_shared::domain::{MailServer, SmtpReply};
use bookly_shared::metrics::{Counted, table::SMTP_STAGE_SECONDS};
use lettre::Address;
use lettre::address::Envelope;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;

use super::dialogue::{Dialogue, ReplyLines};
use super::error::SendError;
use super::failure::Stage;
use super::options::StageTimeouts;

/// How many bytes of commands are written at once. Far below what a socket buffers: a client and a server that both
/// wait to write would wait for ever (RFC 2920 §3.1).
const MAX_PIPELINED_BYTES: usize = 4 * 1024;

const NO_SMTPUTF8: &str = "the address is not ASCII and the mail server does not offer SMTPUTF8 (RFC 6531)";

/// How long RSET and QUIT may take: nothing depends on their replies.
const RESET_AND_QUIT_LIMIT: Duration = Duration::from_secs(2);

/// The end of a message, with the line end before it.
const FINAL_DOT: &[u8] = b"\r\n.\r\n";

/// A connection to the mail server, in clear text or encrypted.
pub(super) type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// An open session.
pub(super) struct Session<S = Stream> {
    pub(super) dialogue: Dialogue<S>,
    pub(super) extensions: Extensions,
    pub(super) timeouts: StageTimeouts,
    /// The server's role, for the metrics.
    pub(super) server: MailServer,
    /// Counts the connection in the metrics.
    pub(super) open: Counted,
}

/// What the server offers, as far as this client uses it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extensions {
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 6531.
    pub(super) smtputf8: bool,
    /// RFC 6152.
    pub(super) eight_bit_mime: bool,
    /// RFC 3207.
    pub(super) starttls: bool,
    /// AUTH PLAIN, RFC 4616.
    pub(super) auth_plain: bool,
    /// AUTH LOGIN, draft-murchison-sasl-login: obsolete, and the only one of some providers.
    pub(super) auth_login: bool,
    /// AUTH XOAUTH2, of Google and Microsoft.
    pub(super) auth_xoauth2: bool,
    /// AUTH OAUTHBEARER, RFC 7628.
    pub(super) auth_oauthbearer: bool,
}

impl Extensions {
    /// The keywords of an EHLO reply, each on a line of its own after the first (RFC 5321 §4.1.1.1).
    pub(super) fn from_ehlo(reply: &ReplyLines) -> Extensions {
        let mut extensions = Extensions::default();
        for line in reply.text.lines().skip(1) {
            // Old servers write AUTH=LOGIN.
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_whitespace();
            match words.next() {
                Some("PIPELINING") => extensions.pipelining = true,
                Some("SMTPUTF8") => extensions.smtputf8 = true,
                Some("8BITMIME") => extensions.eight_bit_mime = true,
                Some("STARTTLS") => extensions.starttls = true,
                Some("AUTH") => words.for_each(|mechanism| match mechanism {
                    "PLAIN" => extensions.auth_plain = true,
                    "LOGIN" => extensions.auth_login = true,
                    "XOAUTH2" => extensions.auth_xoauth2 = true,
                    "OAUTHBEARER" => extensions.auth_oauthbearer = true,
                    _ => {}
                }),
                _ => {}
            }
        }
        extensions
    }
}

impl<S> Session<S> {
    pub(super) fn new(
        dialogue: Dialogue<S>,
        timeouts: &StageTimeouts,
        server: MailServer,
        open: Counted,
    ) -> Self {
        Self { dialogue, extensions: Extensions::default(), timeouts: *timeouts, server, open }
    }
}

/// A message and its envelope.
pub(super) struct Transaction<'a> {
    envelope: &'a Envelope,
    message: &'a [u8],
}

impl<'a> Transaction<'a> {
    pub(super) fn new(envelope: &'a Envelope, message: &'a [u8]) -> Self {
        Self { envelope, message }
    }

    /// The stage at which an address is not ASCII and so needs SMTPUTF8.
    fn needs_smtputf8(&self) -> Option<Stage> {
        if self.envelope.from().is_some_and(|from| !is_ascii(from)) {
            return Some(Stage::MailFrom);
        }
        self.envelope.to().iter().any(|to| !is_ascii(to)).then_some(Stage::RcptTo)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// One command whose reply must be positive.
    pub(super) async fn command(&mut self, stage: Stage, command: &str) -> Result<(), SendError> {
        let reply = stage.within(self.server, self.timeouts.command, self.ask(stage, command)).await?;
        positive(stage, reply).map(drop)
    }

    /// One command and its reply, whatever it is.
    pub(super) async fn ask(&mut self, stage: Stage, command: &str) -> Result<SmtpReply, SendError> {
        self.ask_for_lines(stage, command).await.map(|lines| lines.reply())
    }

    /// The same with its lines.
    pub(super) async fn ask_for_lines(
        &mut self,
        stage: Stage,
        command: &str,
    ) -> Result<ReplyLines, SendError> {
        let line = format!("{command}\r\n");
        self.dialogue.send(line.as_bytes(), 1).await.map_err(|error| SendError::broken(stage, error))?;
        self.dialogue.read_lines().await.map_err(|error| SendError::broken(stage, error))
    }

    /// QUIT, for the server's statistics: closing the connection would be enough.
    pub(super) async fn quit(mut self) {
        drop(timeout(RESET_AND_QUIT_LIMIT, self.ask(Stage::Hello, "QUIT")).await);
    }

    /// The reply to the oldest command that has none.
    pub(super) async fn reply(&mut self, stage: Stage) -> Result<SmtpReply, SendError> {
        self.dialogue.read_reply().await.map_err(|error| SendError::broken(stage, error))
    }

    /// MAIL FROM: a session that died in the pool fails here first. If the server offers PIPELINING, the recipients are
    /// sent with it, and [`recipients`](Self::recipients) only reads the replies.
    pub(super) async fn mail_from(&mut self, transaction: &Transaction<'_>) -> Result<(), SendError> {
        let mut commands = self.mail_command(transaction)?;
        let (alone, to) = (commands.len(), transaction.envelope.to());
        if self.extensions.pipelining {
            commands.extend(to.iter().map(|recipient| format!("{}\r\n", rcpt_command(recipient))));
        }
        let together = commands.len() > alone && commands.len() <= MAX_PIPELINED_BYTES;
        let (commands, replies) = if together { (&*commands, 1 + to.len()) } else { (&commands[..alone], 1) };
        let reply = Stage::MailFrom.within(self.server, self.timeouts.command, async {
            let sent = self.dialogue.send(commands.as_bytes(), replies).await;
            sent.map_err(|error| SendError::broken(Stage::MailFrom, error))?;
            self.reply(Stage::MailFrom).await
        });
        positive(Stage::MailFrom, reply.await?).map(drop)
    }

    /// RCPT TO for every recipient: one refusal refuses the email.
    pub(super) async fn recipients(&mut self, transaction: &Transaction<'_>) -> Result<(), SendError> {
        let already_sent = self.dialogue.pending_replies() > 0;
        for recipient in transaction.envelope.to() {
            if already_sent {
                let limit = self.timeouts.command;
                let reply = Stage::RcptTo.within(self.server, limit, self.reply(Stage::RcptTo)).await?;
                positive(Stage::RcptTo, reply)?;
            } else {
                self.command(Stage::RcptTo, &rcpt_command(recipient)).await?;
            }
        }
        Ok(())
    }

    /// DATA, the message, the final dot, and the reply to it.
    pub(super) async fn data(&mut self, transaction: &Transaction<'_>) -> Result<SmtpReply, SendError> {
        let limit = self.timeouts.data;
        let reply = Stage::Data.within(self.server, limit, self.ask(Stage::Data, "DATA")).await?;
        if reply.code != 354 {
            return Err(SendError::from_reply(Stage::Data, reply));
        }
        self.message(transaction).await?;
        let limit = self.timeouts.final_dot;
        let reply = Stage::FinalDot.within(self.server, limit, self.reply(Stage::FinalDot)).await?;
        positive(Stage::FinalDot, reply)
    }

    /// MAIL FROM and RSET: whether the server takes emails from this sender. Sends nothing.
    pub(super) async fn check_sender(&mut self, sender: &Address) -> Result<(), SendError> {
        let parameters = if is_ascii(sender) { "" } else { " SMTPUTF8" };
        if !parameters.is_empty() && !self.extensions.smtputf8 {
            return Err(SendError::unsupported(Stage::MailFrom, NO_SMTPUTF8));
        }
        self.command(Stage::MailFrom, &format!("MAIL FROM:<{sender}>{parameters}")).await?;
        self.command(Stage::MailFrom, "RSET").await
    }

    /// RSET, after the replies that are still to come. Returns whether the session can be used for another email.
    pub(super) async fn reset(&mut self) -> bool {
        let reset = async {
            while self.dialogue.pending_replies() > 0 {
                self.reply(Stage::MailFrom).await?;
            }
            positive(Stage::MailFrom, self.ask(Stage::MailFrom, "RSET").await?)
        };
        timeout(RESET_AND_QUIT_LIMIT, reset).await.is_ok_and(|reset| reset.is_ok())
    }

    /// The message and its final dot in one write. As soon as the stream took a byte of the final dot, the server may
    /// have all of it: from then on silence does not mean that the email was refused.
    async fn message(&mut self, transaction: &Transaction<'_>) -> Result<(), SendError> {
        let wire = wire_form(transaction.message);
        let (began, limit, mut written) = (Instant::now(), self.timeouts.body, 0);
        let sent = timeout(limit, self.dialogue.send_counted(&wire, 1, &mut written)).await;
        SMTP_STAGE_SECONDS.record(began.elapsed().as_secs_f64(), [self.server.label().into(), "body".into()]);
        let stage = if written + FINAL_DOT.len() > wire.len() { Stage::FinalDot } else { Stage::Data };
        match sent {
            Ok(sent) => sent.map_err(|error| SendError::broken(stage, error)),
            Err(_) => Err(SendError::timed_out(stage, limit)),
        }
    }

    fn mail_command(&self, transaction: &Transaction<'_>) -> Result<String, SendError> {
        let from = transaction.envelope.from().map_or("", AsRef::as_ref);
        let mut command = format!("MAIL FROM:<{from}>");
        if let Some(stage) = transaction.needs_smtputf8() {
            if !self.extensions.smtputf8 {
                return Err(SendError::unsupported(stage, NO_SMTPUTF8));
            }
            command.push_str(" SMTPUTF8");
        }
        if !transaction.message.is_ascii() {
            if !self.extensions.eight_bit_mime {
                let what = "the message is not ASCII and the mail server does not offer 8BITMIME (RFC 6152)";
                return Err(SendError::unsupported(Stage::Data, what));
            }
            command.push_str(" BODY=8BITMIME");
        }
        command.push_str("\r\n");
        Ok(command)
    }
}

/// A positive reply (2xx), or the error that any other reply is.
pub(super) fn positive(stage: Stage, reply: SmtpReply) -> Result<SmtpReply, SendError> {
    if reply.is_positive() { Ok(reply) } else { Err(SendError::from_reply(stage, reply)) }
}

/// 235 is the only good end of AUTH (RFC 4954 §4).
pub(super) fn logged_in(reply: SmtpReply) -> Result<(), SendError> {
    if reply.code == 235 { Ok(()) } else { Err(SendError::from_reply(Stage::Auth, reply)) }
}

impl Stage {
    /// Runs `work`, which fails at this stage when it takes longer than `limit`. Its time is recorded either way.
    pub(super) async fn within<T>(
        self,
        server: MailServer,
        limit: Duration,
        work: impl Future<Output = Result<T, SendError>>,
    ) -> Result<T, SendError> {
        let began = Instant::now();
        let done = timeout(limit, work).await;
        SMTP_STAGE_SECONDS
            .record(began.elapsed().as_secs_f64(), [server.label().into(), self.label().into()]);
        done.unwrap_or_else(|_| Err(SendError::timed_out(self, limit)))
    }
}

fn is_ascii(address: &Address) -> bool {
    AsRef::<str>::as_ref(address).is_ascii()
}

fn rcpt_command(recipient: &Address) -> String {
    format!("RCPT TO:<{recipient}>")
}

/// The message as it is written after DATA, final dot included: every line end as CRLF (RFC 5321 §2.3.8), and a dot at
/// the start of a line doubled (§4.5.2).
///
/// A bare LF before a dot would end the message at lenient servers.
pub(super) fn wire_form(message: &[u8]) -> Vec<u8> {
    let message = message.strip_suffix(b"\r\n").unwrap_or(message);
    let mut wire = Vec::with_capacity(message.len() + message.len() / 32 + FINAL_DOT.len());
    if message.starts_with(b".") {
        wire.push(b'.');
    }
    let mut copied = 0;
    for at in memchr::memchr2_iter(b'\r', b'\n', message) {
        let behind = &message[at..];
        if behind.starts_with(b"\r\n") {
            continue;
        }
        if !(behind[0] == b'\n' && message[..at].ends_with(b"\r")) {
            wire.extend_from_slice(&message[copied..at]);
            wire.extend_from_slice(b"\r\n");
            copied = at + 1;
        }
        if behind[1..].starts_with(b".") {
            wire.extend_from_slice(&message[copied..=at]);
            wire.push(b'.');
            copied = at + 1;
        }
    }
    wire.extend_from_slice(&message[copied..]);
    wire.extend_from_slice(FINAL_DOT);
    wire
}

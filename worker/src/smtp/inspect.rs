//! A session for `doctor`: connect, encrypt, log in, MAIL FROM, RSET, QUIT. Sends nothing.

use std::time::{Duration, Instant, SystemTime};

use bookly_shared::config::SmtpSettings;
use lettre::Address;
use rustls::{ClientConnection, ProtocolVersion, pki_types::CertificateDer};
use tokio_util::either::Either;
use webpki::EndEntityCert;

use super::connector::Connector;
use super::error::SendError;
use super::options::{SmtpConfigError, SmtpOptions};
use super::session::Stream;
use super::tls::valid_until;

/// What the visit found.
#[derive(Debug, Clone)]
pub struct SmtpReport {
    /// How the connection is encrypted; `None` in clear text.
    pub tls: Option<TlsReport>,
    /// The user that is logged in; `None` without a login.
    pub user: Option<String>,
    /// The token server replaced the refresh token.
    pub rotated_refresh_token: bool,
    /// The sender that the server accepted; `None` when none was tried.
    pub sender: Option<Address>,
    /// From the first packet to the last reply.
    pub took: Duration,
}

/// An encrypted connection.
#[derive(Debug, Clone)]
pub struct TlsReport {
    /// `TLS 1.3`.
    pub version: &'static str,
    /// The host names of the server's certificate.
    pub names: Vec<String>,
    /// When it stops being valid; `None` when it was not checked.
    pub valid_until: Option<SystemTime>,
}

/// Why the visit failed.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// No connection could ever succeed with these settings.
    #[error(transparent)]
    Config(#[from] SmtpConfigError),
    /// No session could be opened: [`SendError::problem`] says what to look at.
    #[error(transparent)]
    Session(#[from] SendError),
}

/// Connects, encrypts, logs in, tries the sender and leaves.
///
/// # Errors
/// See [`InspectError`].
pub async fn inspect(settings: &SmtpSettings, options: &SmtpOptions) -> Result<SmtpReport, InspectError> {
    let connector = Connector::new(settings.clone(), options)?;
    let began = Instant::now();
    let mut session = connector.redacted(connector.open().await)?;
    if let Some(sender) = &options.sender {
        connector.redacted(session.check_sender(sender).await)?;
    }
    let took = began.elapsed();
    let tls = tls_report(session.dialogue.stream(), settings, options);
    session.quit().await;
    let user = settings.credentials.as_ref().map(|login| login.username.clone());
    let rotated_refresh_token = connector.rotated_refresh_token();
    Ok(SmtpReport { tls, user, rotated_refresh_token, sender: options.sender.clone(), took })
}

fn tls_report(stream: &Stream, settings: &SmtpSettings, options: &SmtpOptions) -> Option<TlsReport> {
    let session = tls_session(stream)?;
    let shown = session.peer_certificates().unwrap_or_default();
    Some(TlsReport {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        },
        names: shown.first().map(names).unwrap_or_default(),
        valid_until: settings
            .validate_certs
            .then(|| valid_until(&settings.host, &options.trust, shown))
            .flatten(),
    })
}

fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}

/// What the handshake settled; `None` in clear text.
fn tls_session(stream: &Stream) -> Option<&ClientConnection> {
    match stream {
        Either::Left(_) => None,
        Either::Right(tls) => Some(tls.get_ref().1),
    }
}

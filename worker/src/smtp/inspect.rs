//! A visit to the mail server that sends nothing: connect, encrypt, log in, QUIT.

use std::time::{Duration, Instant, SystemTime};

use bookly_shared::metrics::table::SMTP_OPEN;
use rustls::{ProtocolVersion, pki_types::CertificateDer};
use webpki::EndEntityCert;

use super::{
    SmtpConfigError, SmtpSettings,
    connection::{Connector, Session},
    error::SendError,
    pool::quit,
    stream::Stream,
    tls,
};

/// What was met.
#[derive(Debug, Clone)]
pub struct SmtpReport {
    /// How the connection is encrypted; `None` in clear text.
    pub tls: Option<TlsReport>,
    /// Who was logged in; `None` without a login.
    pub user: Option<String>,
    /// From the first packet to the end of the login.
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
    /// Something stands in the way: [`SendError::problem`] says what.
    #[error(transparent)]
    Visit(#[from] SendError),
}

/// Connects, encrypts, logs in and leaves.
///
/// # Errors
/// See [`InspectError`].
pub async fn inspect(settings: &SmtpSettings) -> Result<SmtpReport, InspectError> {
    let connector = Connector::new(settings.clone())?;
    Ok(visit(&connector, settings).await?)
}

async fn visit(connector: &Connector, settings: &SmtpSettings) -> Result<SmtpReport, SendError> {
    let began = Instant::now();
    let tcp = connector.dial().await?;
    let open = SMTP_OPEN.count();
    let stream = connector.secure(tcp).await?;
    let tls = tls_report(&stream, settings);
    let session: Session = connector.begin(stream, open).await?;
    let took = began.elapsed();
    quit(session).await;
    let user = settings.credentials.as_ref().map(|login| login.username.clone());
    Ok(SmtpReport { tls, user, took })
}

fn tls_report(stream: &Stream, settings: &SmtpSettings) -> Option<TlsReport> {
    let tls = stream.tls()?;
    let shown = tls.peer_certificates().unwrap_or_default();
    Some(TlsReport {
        version: match tls.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            _ => "TLS",
        },
        names: shown.first().map(names).unwrap_or_default(),
        valid_until: if settings.validate_certs { tls::valid_until(settings, shown) } else { None },
    })
}

fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let parsed = EndEntityCert::try_from(certificate);
    parsed.map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect()).unwrap_or_default()
}

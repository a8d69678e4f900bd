//! The TLS side of a connection: how the server proves who it is.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bookly_shared::tls;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_rustls::TlsConnector;

use super::{SmtpConfigError, SmtpSettings};

/// A time after the end of every certificate, in seconds since 1970: the year 10,000, which none can name (RFC 5280
/// §4.1.2.5).
const LONG_AFTER: u64 = 253_402_300_800;

/// What is needed to make a TCP connection a TLS one.
pub(super) struct Tls {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(settings: &SmtpSettings) -> Result<Self, SmtpConfigError> {
        let name = ServerName::try_from(settings.host.clone())
            .map_err(|_| SmtpConfigError::Host(settings.host.clone()))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let config = if settings.validate_certs {
            let roots = tls::roots(settings.extra_roots_pem.as_deref());
            builder.with_root_certificates(roots.map_err(|error| SmtpConfigError::Roots(error.to_string()))?)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        };
        Ok(Self { connector: Arc::new(config.with_no_client_auth()).into(), name })
    }
}

/// When the certificates that a server showed stop being valid. No library of ours reads that date, but the one that
/// checks certificates names it when it is asked about a time long after.
pub(super) fn valid_until(settings: &SmtpSettings, shown: &[CertificateDer<'_>]) -> Option<SystemTime> {
    let (own, others) = shown.split_first()?;
    let roots = Arc::new(tls::roots(settings.extra_roots_pem.as_deref()).ok()?);
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build().ok()?;
    let name = ServerName::try_from(settings.host.clone()).ok()?;
    let then = UnixTime::since_unix_epoch(Duration::from_secs(LONG_AFTER));
    match verifier.verify_server_cert(own, others, &name, &[], then) {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(UNIX_EPOCH + Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}

/// `VALIDATE_CERTS=false`: any certificate will do, but the server must hold its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

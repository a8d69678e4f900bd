//! Settings of TLS: which certificates of the server are accepted.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bookly_shared::tls::Trust;
use rustls::{
    CertificateError, DigitallySignedStruct, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio_rustls::TlsConnector;

use bookly_shared::config::SmtpSettings;

use super::options::{SmtpConfigError, SmtpOptions};

/// A time after the end of every certificate, in seconds since 1970: the year 10,000 (RFC 5280 §4.1.2.5 allows 9999).
const LONG_AFTER: u64 = 253_402_300_800;

/// The client's side of TLS, for one server.
pub(super) struct Tls {
    pub(super) connector: TlsConnector,
    pub(super) name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(settings: &SmtpSettings, options: &SmtpOptions) -> Result<Self, SmtpConfigError> {
        let name = ServerName::try_from(settings.host.clone())
            .map_err(|_| SmtpConfigError::Host(settings.host.clone()))?;
        let mut config = options.trust.client_config()?;
        if !settings.validate_certs {
            let provider = Arc::clone(config.crypto_provider());
            config.dangerous().set_certificate_verifier(Arc::new(AnyCertificate(provider)));
        }
        Ok(Self { connector: Arc::new(config).into(), name })
    }
}

/// When the server's certificates stop being valid. rustls has no function for this date, but names it in its error when
/// it verifies the certificates for a later time.
pub(super) fn valid_until(host: &str, trust: &Trust, shown: &[CertificateDer<'_>]) -> Option<SystemTime> {
    let (own, others) = shown.split_first()?;
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(trust.roots()), provider).build().ok()?;
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let then = UnixTime::since_unix_epoch(Duration::from_secs(LONG_AFTER));
    match verifier.verify_server_cert(own, others, &name, &[], then) {
        Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Some(UNIX_EPOCH + Duration::from_secs(not_after.as_secs()))
        }
        _ => None,
    }
}

/// `VALIDATE_CERTS=false`: any certificate is accepted, but the server must have its key.
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

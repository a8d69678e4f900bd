//! Checks a server's certificate: webpki does, and where `SSL_CERT_FILE` has certificates, those as OpenSSL does.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::{CertificateProblem, Trust};

impl Trust {
    /// The settings of a TLS client. One provider of algorithms, ring, whatever else is linked.
    ///
    /// # Errors
    /// When rustls refuses its own configuration.
    pub fn client_config(&self) -> Result<ClientConfig, Error> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        if self.has_own_certificates() {
            let verifier = TrustVerifier::new(self.clone(), provider)?;
            return Ok(builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth());
        }
        Ok(builder.with_root_certificates(self.roots()).with_no_client_auth())
    }
}

/// webpki refuses a certificate of an authority (`CA:TRUE`) as that of a server. `openssl req -x509` makes such ones, and
/// OpenSSL, curl and Python take them from a server when they are in their file of certificates. A self-signed one with
/// `CA:FALSE` has no issuer for webpki.
#[derive(Debug)]
pub(super) struct TrustVerifier {
    webpki: Arc<WebPkiServerVerifier>,
    trust: Trust,
}

impl TrustVerifier {
    pub(super) fn new(trust: Trust, provider: Arc<CryptoProvider>) -> Result<TrustVerifier, Error> {
        let roots = Arc::new(trust.roots());
        let webpki = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        Ok(TrustVerifier { webpki: webpki.map_err(|error| Error::General(error.to_string()))?, trust })
    }
}

impl ServerCertVerifier for TrustVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified =
            self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // webpki checks the time and the purpose before this, and the name after it.
            Err(error) if is_about_its_issuer(&error) && self.trust.holds(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Whether all that is wrong is who has issued the certificate, or that it could issue others.
fn is_about_its_issuer(error: &Error) -> bool {
    let unknown = matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature)
    );
    unknown || CertificateProblem::of(error) == Some(CertificateProblem::IsAuthority)
}

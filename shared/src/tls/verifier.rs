//! Checks a server's certificate: as webpki does, and a self-signed one that is in the file as OpenSSL does.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::{CertificateProblem, Trust};

/// webpki refuses a certificate of an authority (`CA:TRUE`) as that of a server. `openssl req -x509` makes such ones, and
/// OpenSSL, curl and Python take them from a server when they are in their file of certificates.
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
            // webpki checks the time before this, and the name after it.
            Err(error)
                if CertificateProblem::of(&error) == Some(CertificateProblem::IsAuthority)
                    && self.trust.holds(end_entity) =>
            {
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

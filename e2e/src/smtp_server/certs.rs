//! Certificates of the server: an authority, and three that it issued: a valid one, an expired one, one for another host.

use std::sync::Arc;

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        sign::{CertifiedKey, SingleCertAndKey},
    },
};

use super::fault::{Fault, Faults};
use crate::certificate::{Authority, Certificate, HERE};

/// The certificates that the server can use.
pub(super) struct Certificates {
    ca_pem: String,
    good: TlsAcceptor,
    expired: TlsAcceptor,
    wrong_host: TlsAcceptor,
}

impl Certificates {
    /// `own` stands in for the valid one.
    pub(super) fn generate(own: Option<&Certificate>) -> anyhow::Result<Self> {
        let authority = Authority::new()?;
        let good = own.cloned().map_or_else(|| authority.issue(&HERE), Ok)?;
        Ok(Self {
            ca_pem: authority.pem(),
            good: acceptor(&good)?,
            expired: acceptor(&authority.issue_expired(&HERE)?)?,
            wrong_host: acceptor(&authority.issue(&["elsewhere.example"])?)?,
        })
    }

    pub(super) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The certificate to use now.
    pub(super) fn acceptor(&self, faults: &Faults) -> &TlsAcceptor {
        if faults.is_on(&Fault::ExpiredCertificate) {
            &self.expired
        } else if faults.is_on(&Fault::WrongHostCertificate) {
            &self.wrong_host
        } else {
            &self.good
        }
    }
}

fn acceptor(certificate: &Certificate) -> anyhow::Result<TlsAcceptor> {
    let chain = CertificateDer::from_pem_slice(certificate.pem.as_bytes())?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem.as_bytes())?;
    let key = ring::sign::any_supported_type(&key)?;
    // Not checked: a test shows a certificate of another key.
    let shown = SingleCertAndKey::from(CertifiedKey::new(vec![chain], key));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    Ok(Arc::new(config).into())
}

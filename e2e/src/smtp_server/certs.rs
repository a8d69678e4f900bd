//! Certificates of the server: a root, and three that it issued: a valid one, an expired one, one for another host.

use std::sync::Arc;

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::fault::{Fault, Faults};

/// The certificates that the server can use.
pub(super) struct Certificates {
    ca_pem: String,
    good: TlsAcceptor,
    expired: TlsAcceptor,
    wrong_host: TlsAcceptor,
}

type Root = CertifiedIssuer<'static, KeyPair>;

impl Certificates {
    pub(super) fn generate() -> anyhow::Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = Root::self_signed(params, KeyPair::generate()?)?;
        let here = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut expired = CertificateParams::new(here.clone())?;
        expired.not_after = date_time_ymd(2001, 1, 1);
        Ok(Self {
            ca_pem: root.pem(),
            good: acceptor(&root, &CertificateParams::new(here)?)?,
            expired: acceptor(&root, &expired)?,
            wrong_host: acceptor(&root, &CertificateParams::new(["elsewhere.example".to_owned()])?)?,
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

fn acceptor(root: &Root, params: &CertificateParams) -> anyhow::Result<TlsAcceptor> {
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, root)?;
    let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .context("the server's certificate")?;
    Ok(Arc::new(config).into())
}

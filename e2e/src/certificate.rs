//! Certificates for the servers of the tests.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};

/// A server's certificate with its key, both in PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub pem: String,
    pub key_pem: String,
}

/// An authority that no program trusts unless its settings name it.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// The names of a server on this machine.
pub const HERE: [&str; 2] = ["localhost", "127.0.0.1"];

impl Authority {
    pub fn new() -> anyhow::Result<Authority> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Authority(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// The authority's certificate.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for these names.
    pub fn issue(&self, names: &[&str]) -> anyhow::Result<Certificate> {
        self.sign(&params(names)?)
    }

    /// The same, but expired.
    pub fn issue_expired(&self, names: &[&str]) -> anyhow::Result<Certificate> {
        self.sign(&expired(params(names)?))
    }

    fn sign(&self, params: &CertificateParams) -> anyhow::Result<Certificate> {
        let key = KeyPair::generate()?;
        Ok(Certificate { pem: params.signed_by(&key, &self.0)?.pem(), key_pem: key.serialize_pem() })
    }
}

impl Certificate {
    /// As `openssl req -x509 -addext subjectAltName=…` makes it: self-signed, and that of an authority.
    pub fn self_signed(names: &[&str]) -> anyhow::Result<Certificate> {
        Self::sign_itself(params(names)?)
    }

    /// The same, but expired.
    pub fn self_signed_expired(names: &[&str]) -> anyhow::Result<Certificate> {
        Self::sign_itself(expired(params(names)?))
    }

    fn sign_itself(mut params: CertificateParams) -> anyhow::Result<Certificate> {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        Ok(Certificate { pem: params.self_signed(&key)?.pem(), key_pem: key.serialize_pem() })
    }

    /// Writes both to files for a server that reads them: certificate, key.
    pub fn write(&self, folder: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        fs::write(&certificate, &self.pem).context("a certificate")?;
        fs::write(&key, &self.key_pem).context("a key")?;
        Ok((certificate, key))
    }
}

fn params(names: &[&str]) -> anyhow::Result<CertificateParams> {
    Ok(CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?)
}

fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_after = date_time_ymd(2001, 1, 1);
    params
}

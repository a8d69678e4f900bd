//! The servers that this service trusts as a TLS client: those of public authorities, and those of `SSL_CERT_FILE`.

mod basic_constraints;
mod own;
mod problem;
mod verifier;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use own::OwnCertificate;
pub use problem::{CertificateProblem, with_reason};

/// The longest file. The bundles of systems have half a megabyte; a longer one is the wrong file, or has no end.
const LONGEST_FILE: u64 = 16 * 1024 * 1024;

/// Mozilla's authorities, and certificates of one's own. Cheap to clone.
#[derive(Clone, Default)]
pub struct Trust {
    own: Arc<[OwnCertificate]>,
}

/// A file has no certificate that can be used.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The operating system's error.
    #[error("a file that can be read is needed ({0})")]
    Unreadable(#[from] std::io::Error),
    /// It is longer than any bundle of certificates.
    #[error("a file of at most {LONGEST_FILE} bytes is needed")]
    TooLong,
    /// Its text is cut off, or is not base64.
    #[error("a file of certificates in PEM is needed ({0})")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// It has no certificate, or none that rustls can use.
    #[error(
        "a file with at least one X.509 version 3 certificate in PEM (-----BEGIN CERTIFICATE-----) is needed"
    )]
    None,
}

impl Trust {
    /// Reads the certificates of a file, as `SSL_CERT_FILE` names it.
    ///
    /// # Errors
    /// When it cannot be read, or has no certificate that can be used.
    pub fn read(path: &Path) -> Result<Trust, TrustError> {
        let mut pem = Vec::new();
        File::open(path)?.take(LONGEST_FILE + 1).read_to_end(&mut pem)?;
        if pem.len() as u64 > LONGEST_FILE { Err(TrustError::TooLong) } else { Trust::from_pem(&pem) }
    }

    /// Takes the certificates of a PEM text.
    ///
    /// # Errors
    /// When it has no certificate that can be used.
    pub fn from_pem(pem: &[u8]) -> Result<Trust, TrustError> {
        // Editors on Windows write a byte order mark, which would hide the first certificate.
        let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
        let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
        // The bundles of systems have some certificates that rustls does not support.
        let own: Vec<_> = certificates.into_iter().filter_map(OwnCertificate::new).collect();
        if own.is_empty() { Err(TrustError::None) } else { Ok(Trust { own: own.into() }) }
    }

    /// All authorities. Other certificates of the file are not among them: webpki would let the key of each issue
    /// certificates for any name, whatever its `basicConstraints` say.
    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let authorities = self.own.iter().filter(|own| own.is_authority());
        roots.add_parsable_certificates(authorities.map(|own| own.der().clone()));
        roots
    }

    /// The own certificates as PEM, for a library that has public authorities itself, and takes each of these for one;
    /// `None` without any. With a `host`, of those that are no authority only the ones for this name.
    pub fn own_pem(&self, host: Option<&str>) -> Option<String> {
        let is_for_host =
            |own: &&OwnCertificate| host.is_none_or(|host| own.is_authority() || own.names(host));
        let pem: String = self.own.iter().filter(is_for_host).map(OwnCertificate::pem).collect();
        (!pem.is_empty()).then_some(pem)
    }

    fn has_own_certificates(&self) -> bool {
        !self.own.is_empty()
    }

    fn holds(&self, certificate: &CertificateDer<'_>) -> bool {
        self.own.iter().any(|own| own.der() == certificate)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").field("own", &self.own.len()).finish()
    }
}

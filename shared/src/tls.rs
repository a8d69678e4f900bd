//! The certificate authorities that this service trusts as a TLS client.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// A file contains no certificate that can be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RootsError(String);

/// Mozilla's authorities, those of `SSL_CERT_FILE` (a company's own), and the given ones.
///
/// # Errors
/// When a file contains no certificate that can be used. A file that cannot be read is only a warning.
pub fn roots(extra_pem: Option<&str>) -> Result<RootCertStore, RootsError> {
    let mut store = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = std::env::var_os("SSL_CERT_FILE") {
        match std::fs::read(&path) {
            Ok(pem) => add_pem(&mut store, &pem)?,
            Err(error) => {
                tracing::warn!(?path, %error, "SSL_CERT_FILE cannot be read, its certificates are not trusted")
            }
        }
    }
    if let Some(pem) = extra_pem {
        add_pem(&mut store, pem.as_bytes())?;
    }
    Ok(store)
}

fn add_pem(store: &mut RootCertStore, pem: &[u8]) -> Result<(), RootsError> {
    // Editors on Windows write a byte order mark, which would hide the first certificate.
    let pem = pem.strip_prefix(b"\xef\xbb\xbf").unwrap_or(pem);
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| RootsError(error.to_string()))?;
    // System bundles contain some certificates that rustls does not support; they are skipped.
    let (added, _ignored) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(RootsError("it contains no usable certificate".to_owned()));
    }
    Ok(())
}

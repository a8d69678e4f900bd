//! Which certificate authorities are trusted, wherever this service is a TLS client.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Certificates that were named cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RootsError(String);

/// The Mozilla roots, those of `SSL_CERT_FILE` (a company's own authority), and the given ones.
///
/// # Errors
/// When the certificates that were named are none. A file that cannot be read is no error: it is warned of.
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
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| RootsError(error.to_string()))?;
    // System bundles hold a few certificates that rustls does not understand: they are passed over.
    let (added, _ignored) = store.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(RootsError("no usable certificate in them".to_owned()));
    }
    Ok(())
}

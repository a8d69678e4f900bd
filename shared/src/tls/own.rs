//! A certificate of `SSL_CERT_FILE`, and what it is trusted for.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::RootCertStore;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;

use super::basic_constraints::has_ca_true;

/// That of an authority, or of a server.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnCertificate {
    der: CertificateDer<'static>,
    is_authority: bool,
}

impl OwnCertificate {
    /// `None` for one that rustls cannot use as that of an authority, nor as that of a server.
    pub(super) fn new(der: CertificateDer<'static>) -> Option<OwnCertificate> {
        let is_authority = has_ca_true(&der) && RootCertStore::empty().add(der.clone()).is_ok();
        let can_be_used = is_authority || ParsedCertificate::try_from(&der).is_ok();
        can_be_used.then_some(OwnCertificate { der, is_authority })
    }

    pub(super) fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whether what its key has signed is trusted too.
    pub(super) fn is_authority(&self) -> bool {
        self.is_authority
    }

    /// Whether it is for a server of this name.
    pub(super) fn names(&self, host: &str) -> bool {
        let (Ok(own), Ok(host)) = (ParsedCertificate::try_from(&self.der), ServerName::try_from(host)) else {
            return false;
        };
        verify_server_name(&own, &host).is_ok()
    }

    pub(super) fn pem(&self) -> String {
        let text = BASE64_STANDARD.encode(&self.der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }
}

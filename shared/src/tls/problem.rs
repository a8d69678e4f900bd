//! What is wrong with a server's certificate.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use rustls::CertificateError as Bad;

/// Why a server's certificate was refused, as far as it decides what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateProblem {
    /// It is expired, or not valid yet.
    Expired,
    /// It is for another name, or has no `subjectAltName`.
    Name,
    /// No authority that is trusted here issued it.
    Authority,
    /// It is that of an authority (`CA:TRUE`), as `openssl req -x509` makes it, and is not in the file of trusted
    /// certificates.
    IsAuthority,
}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the server's certificate is expired or not valid yet",
            Self::Name => "the server's certificate does not contain this name as subjectAltName",
            Self::Authority => "no trusted authority issued the server's certificate",
            Self::IsAuthority => "the server's certificate is self-signed, or that of an authority",
        })
    }
}

impl CertificateProblem {
    /// The problem that an error, or one of its causes, is about; `None` when it is not about a certificate.
    pub fn of(error: &(dyn Error + 'static)) -> Option<CertificateProblem> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(rustls::Error::InvalidCertificate(bad)) = error.downcast_ref() {
                return Some(CertificateProblem::of_certificate(bad));
            }
            cause = within(error).or_else(|| error.source());
        }
        None
    }

    fn of_certificate(bad: &Bad) -> CertificateProblem {
        match bad {
            Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                CertificateProblem::Expired
            }
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => CertificateProblem::Name,
            Bad::Other(other) if is_authority(other.0.as_ref()) => CertificateProblem::IsAuthority,
            _ => CertificateProblem::Authority,
        }
    }
}

type Shared = dyn Error + Send + Sync + 'static;

/// The error in an I/O error, and the one in an `Arc`: their `source` is the cause of that error.
fn within<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    if let Some(shared) = error.downcast_ref::<Arc<Shared>>() {
        return Some(shared.as_ref());
    }
    error.downcast_ref::<std::io::Error>()?.get_ref().map(|error| error as &(dyn Error + 'static))
}

/// The error, with the reason in words where a certificate was refused.
pub fn with_reason(error: &(dyn Error + 'static)) -> String {
    match CertificateProblem::of(error) {
        Some(problem) => format!("{error} ({problem})"),
        None => error.to_string(),
    }
}

fn is_authority(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

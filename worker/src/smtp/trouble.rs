//! What keeps a mail server from being used, for whoever has to do something about it.

/// What stands between us and a mail server, as far as it says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The name leads nowhere, or nobody listens there.
    Away,
    /// Somebody listens and says nothing.
    Silent,
    /// It speaks no TLS where TLS is wanted from the first byte, or something that is no SMTP.
    NotTls,
    /// It offers no STARTTLS.
    NoStartTls,
    /// Its certificate has run out, or does not hold yet.
    CertificateExpired,
    /// Its certificate is for another name.
    CertificateName,
    /// Its certificate is of an authority that is not trusted here.
    CertificateAuthority,
    /// It offers no login that is understood.
    NoLogin,
    /// It does not take the user or the password.
    LoginRefused,
    /// It speaks, and refuses or fails otherwise.
    Refused,
}

/// What is wrong with a server's certificate, if that is what ended the handshake.
pub(super) fn of_certificate(error: &rustls::Error) -> Option<Trouble> {
    use rustls::CertificateError as Bad;
    let rustls::Error::InvalidCertificate(bad) = error else { return None };
    Some(match bad {
        Bad::Expired | Bad::ExpiredContext { .. } | Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            Trouble::CertificateExpired
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => Trouble::CertificateName,
        _ => Trouble::CertificateAuthority,
    })
}

//! What to do when the mail server, or the token server for its login, cannot be used.

use bookly_shared::config::{Security, SmtpAuth, SmtpSettings};
use bookly_shared::tls::CertificateProblem;

use crate::smtp::{SmtpProblem, TokenProblem};

/// The remedy; where another person may have to act, also what happens until then.
pub(super) fn remedy_and_meanwhile(problem: SmtpProblem, server: &SmtpSettings, meanwhile: &str) -> String {
    use TokenProblem::{Failing, Silent, Unreachable};
    let remedy = remedy(problem, server);
    match problem {
        SmtpProblem::Unreachable | SmtpProblem::NoToken(Unreachable | Silent | Failing) => {
            format!("{remedy}; {meanwhile}")
        }
        _ => remedy.to_owned(),
    }
}

fn remedy(problem: SmtpProblem, server: &SmtpSettings) -> &'static str {
    match problem {
        SmtpProblem::Unreachable => {
            "start the mail server, or correct MAIL_SERVER and MAIL_PORT; many networks block port 25, and few 587"
        }
        SmtpProblem::Silent if server.security == Security::ImplicitTls => {
            "correct MAIL_PORT: TLS from the first byte is usually on 465; or check the firewalls"
        }
        SmtpProblem::Silent if server.port == 465 => {
            "port 465 expects TLS from the first byte: set MAIL_SSL_TLS=true and MAIL_STARTTLS=false"
        }
        SmtpProblem::Silent => {
            "check the firewalls, and whether the server is overloaded; workers wait a minute for its answer"
        }
        SmtpProblem::NotTls => {
            "this port does not speak TLS from the first byte: set MAIL_SSL_TLS=false and MAIL_STARTTLS=true, or MAIL_PORT=465"
        }
        SmtpProblem::NoStartTls => {
            "set MAIL_SSL_TLS=true, MAIL_STARTTLS=false and MAIL_PORT=465 if the server has that; for a server on a private \
             network, which needs no encryption, MAIL_STARTTLS=false"
        }
        SmtpProblem::Certificate(CertificateProblem::Expired) => {
            "renew the certificate of the mail server, and check the clock of this machine"
        }
        SmtpProblem::Certificate(CertificateProblem::Name) => {
            "set MAIL_SERVER to a name that the certificate contains as subjectAltName; a commonName alone does not count"
        }
        SmtpProblem::Certificate(CertificateProblem::Authority) => {
            "set SSL_CERT_FILE to the certificate (PEM) of the authority, or use one of a public authority"
        }
        SmtpProblem::Certificate(CertificateProblem::IsAuthority) => {
            "the server shows a self-signed certificate: set SSL_CERT_FILE to a file that holds this very certificate (PEM)"
        }
        SmtpProblem::NoToken(problem) => token_remedy(problem),
        SmtpProblem::NoLogin if with_token(server) => {
            "set MAIL_AUTH to the mechanism that the server offers; it may offer one only with TLS"
        }
        SmtpProblem::LoginRefused if with_token(server) => {
            "the token server gave a token that the mail server refuses: set MAIL_USERNAME to the mailbox that the token is \
             for, and MAIL_OAUTH_SCOPE to one that allows SMTP; allow SMTP AUTH for the mailbox at the provider"
        }
        SmtpProblem::NoLogin => {
            "set USE_CREDENTIALS=false if the server needs no login; else it may offer one only with TLS"
        }
        SmtpProblem::LoginRefused => {
            "correct MAIL_USERNAME and MAIL_PASSWORD; many providers need a separate password for applications"
        }
        SmtpProblem::SenderRefused => {
            "set MAIL_FROM, and MAIL_BOUNCE_ADDRESS if it is set, to addresses that this login may send from; a quota of the \
             provider ends by itself"
        }
        SmtpProblem::NoSmtpUtf8 => "set MAIL_FROM to an address without letters outside ASCII",
        SmtpProblem::Refused => "the reply says why; the log of the server may say more",
    }
}

fn token_remedy(problem: TokenProblem) -> &'static str {
    match problem {
        TokenProblem::Unreachable => {
            "correct MAIL_OAUTH_TOKEN_URL, or let this machine reach the token server"
        }
        TokenProblem::Silent => "check the firewalls, and whether the token server is overloaded",
        TokenProblem::Certificate(_) => {
            "correct MAIL_OAUTH_TOKEN_URL, or set SSL_CERT_FILE to the certificate (PEM) of the token server's authority"
        }
        TokenProblem::Grant => {
            "fetch a new MAIL_OAUTH_REFRESH_TOKEN: it has ended or was withdrawn; with a service account, let it act for \
             MAIL_USERNAME (domain-wide delegation), and check the clock of this machine"
        }
        TokenProblem::Client => {
            "correct MAIL_OAUTH_CLIENT_ID and MAIL_OAUTH_CLIENT_SECRET, which may have expired; allow this grant to the client, or \
             the scope to the service account"
        }
        TokenProblem::Scope => "set MAIL_OAUTH_SCOPE to the scope that the provider documents for SMTP",
        TokenProblem::Refused => "the answer says why; correct the settings MAIL_OAUTH_…",
        TokenProblem::Failing => "wait, or ask the provider: the token server fails",
        TokenProblem::NoTokenServer => {
            "correct MAIL_OAUTH_TOKEN_URL: what answers there is not a token server"
        }
    }
}

/// Whether sessions log in with an access token.
pub(super) fn with_token(server: &SmtpSettings) -> bool {
    server.credentials.as_ref().is_some_and(|login| matches!(login.auth, SmtpAuth::OAuth(_)))
}

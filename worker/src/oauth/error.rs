//! Why there is no access token.

use bookly_shared::domain::smtp_reply::one_short_line;
use bookly_shared::http_client::HttpClientError;
use bookly_shared::redactor::Redactor;
use bookly_shared::tls::{CertificateProblem, with_reason};

/// No access token could be fetched. The text is one line that names the token server, without a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TokenError {
    /// What an operator has to look at.
    pub problem: TokenProblem,
    text: String,
}

/// What an operator has to look at when no access token can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenProblem {
    /// The token server's name has no address, no program listens there, or it does not speak HTTP.
    Unreachable,
    /// No whole answer came in time.
    Silent,
    /// The token server's certificate was refused.
    Certificate(CertificateProblem),
    /// `invalid_grant`: the refresh token has ended, or the service account may not act for the mailbox.
    Grant,
    /// `invalid_client`, `unauthorized_client`: the client or its secret is wrong, or has no right.
    Client,
    /// `invalid_scope`: the scope is missing or wrong.
    Scope,
    /// It refuses for another reason.
    Refused,
    /// It fails (5xx), or asks to come later (429).
    Failing,
    /// What it answers has no access token: the URL leads elsewhere.
    NoTokenServer,
}

impl TokenError {
    pub(super) fn new(problem: TokenProblem, text: &str) -> TokenError {
        TokenError { problem, text: one_short_line(text) }
    }

    /// `server` names the token server.
    pub(super) fn unanswered(server: &str, error: &HttpClientError) -> TokenError {
        let (problem, text) = match error {
            HttpClientError::TimedOut(_) => (TokenProblem::Silent, error.to_string()),
            HttpClientError::TooLong => (TokenProblem::NoTokenServer, error.to_string()),
            HttpClientError::Failed(cause) => match CertificateProblem::of(cause.as_ref()) {
                Some(problem) => (TokenProblem::Certificate(problem), with_reason(error)),
                None => (TokenProblem::Unreachable, error.to_string()),
            },
        };
        TokenError::new(problem, &format!("{server}: {text}"))
    }

    /// The error without these secrets in its text.
    pub(crate) fn redacted(self, redactor: &Redactor) -> TokenError {
        TokenError { text: redactor.redact(&self.text), ..self }
    }
}

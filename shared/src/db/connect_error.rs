//! Why the database cannot be opened, and what to do about it.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use super::error::DbError;
use crate::tls::{CertificateProblem, with_reason};

/// The error, with the reason and the remedy where the certificate was refused.
fn with_remedy(error: &sqlx::Error) -> String {
    let remedy = CertificateProblem::of(error).map(|problem| format!("; {}", certificate_remedy(problem)));
    format!("{}{}", with_reason(error), remedy.unwrap_or_default())
}

/// What to do about a certificate of Postgres that was refused. sqlx takes no check of certificates from its user, and
/// its own refuses a self-signed one that is that of an authority, also where it is trusted.
pub fn certificate_remedy(problem: CertificateProblem) -> &'static str {
    match problem {
        CertificateProblem::Expired => {
            "renew the certificate of Postgres, and check the clock of this machine"
        }
        CertificateProblem::Name => {
            "DATABASE_URL must name a host that the certificate contains as subjectAltName"
        }
        CertificateProblem::Authority => {
            "set SSL_CERT_FILE (or sslrootcert= in DATABASE_URL) to the certificate (PEM) of the authority"
        }
        CertificateProblem::IsAuthority => {
            "a self-signed certificate for Postgres must not be that of an authority: make it with openssl req -x509 -addext basicConstraints=critical,CA:FALSE, or let an authority of your own sign it, and set SSL_CERT_FILE"
        }
    }
}

/// The database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL cannot be read. It is not shown, because it holds a password.
    #[error("DATABASE_URL cannot be read as a Postgres URL (postgres://user:password@host:port/name)")]
    Url,
    /// The server does not answer, or refuses the connection.
    #[error("the database cannot be reached{at}: {}", with_remedy(.source))]
    Connect {
        /// The host, and the setting that names it, or empty.
        at: String,
        /// The reason.
        source: Arc<sqlx::Error>,
    },
    /// `DATA_DIR` cannot be created or written.
    #[error("{path} cannot be used as DATA_DIR: {source}", path = path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// Another process uses the same `DATA_DIR`.
    #[error("{} is in use by another process; give this one a DATA_DIR of its own", .0.display())]
    InUse(PathBuf),
    /// The database holds the tables of another application.
    #[error(
        "this database holds a table `{0}` of another application and was not changed; give Bookly an empty database of its own"
    )]
    Foreign(String),
    /// The database's encoding cannot hold all texts.
    #[error(
        "the database stores text in {0}, which cannot hold every name; create one with: createdb --encoding UTF8 --template template0"
    )]
    Encoding(String),
    /// A pooler in transaction mode does not keep prepared statements.
    #[error(
        "the pooler in front of the database loses prepared statements between transactions; use PgBouncer 1.21 or later with max_prepared_statements above 0, or pool_mode = session"
    )]
    LostStatements,
    /// Migrations are pending, and `MIGRATE_ON_START` is off.
    #[error("migrations are pending ({}); `bookly-api migrate` applies them", .0.join(", "))]
    Pending(Vec<String>),
    /// The role may not record what is sent. These statements grant what it lacks.
    #[error("the role of DATABASE_URL may not record what is sent, so emails would be sent twice; run: {}", .0.join("; "))]
    Grants(Vec<String>),
    /// A migration failed.
    #[error("the database cannot be migrated: {0}")]
    Migrate(#[source] Box<sqlx::migrate::MigrateError>),
}

impl ConnectError {
    /// The same with the host that these options lead to.
    pub(super) fn at_host_of(self, options: &PgConnectOptions) -> ConnectError {
        match self {
            ConnectError::Connect { source, .. } => {
                let socket = options.get_socket().map(|folder| folder.display().to_string());
                let host = socket.unwrap_or_else(|| options.get_host().to_owned());
                let at = format!(" at {host}, port {} (DATABASE_URL)", options.get_port());
                ConnectError::Connect { at, source }
            }
            other => other,
        }
    }
}

impl From<sqlx::Error> for ConnectError {
    fn from(error: sqlx::Error) -> Self {
        ConnectError::Connect { at: String::new(), source: Arc::new(error) }
    }
}

impl From<DbError> for ConnectError {
    fn from(error: DbError) -> Self {
        ConnectError::Connect { at: String::new(), source: error.cause().clone() }
    }
}

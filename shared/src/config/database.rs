//! Which database: `DATABASE_URL` means Postgres, nothing means SQLite under `DATA_DIR`.

use std::path::PathBuf;

use secrecy::SecretString;

/// Where accounts and mails are kept.
#[derive(Debug, Clone)]
pub enum DatabaseSettings {
    /// A SQLite file in this folder.
    Sqlite {
        /// `DATA_DIR`.
        data_dir: PathBuf,
    },
    /// A Postgres server.
    Postgres {
        /// A `postgres://` URL as sqlx reads it; SQLAlchemy's and asyncpg's spellings are already translated.
        url: SecretString,
    },
}

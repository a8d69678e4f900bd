//! The database: Postgres or SQLite. Each change that must be atomic is one function.
//!
//! Each SQL statement is one constant beside the function that runs it. A statement that differs between the two
//! databases has two constants, `…_POSTGRES` and `…_SQLITE`. `tests/statements.rs` explains all of them on both.

pub mod accounts;
mod base_mailboxes;
mod batch;
pub mod books;
pub mod code_tries;
mod connect;
mod connect_error;
mod database;
pub mod email_changes;
pub mod emails;
mod error;
mod grants;
pub mod idempotency;
pub mod inspect;
mod limit;
pub mod login_throttle;
pub mod mail_servers;
mod migrate;
mod passwords;
mod pools;
pub mod profiles;
mod readiness;
mod session;
pub mod sessions;
pub mod suppressions;
pub mod users;

pub use connect::{DataDirLock, data_dir_is_in_use, lock_data_dir};
pub use connect_error::{ConnectError, certificate_remedy};
pub use database::Db;
pub use error::{DatabaseLimit, DbError};
pub(crate) use limit::{one_more, split_off_more};
pub use migrate::{Migrations, PendingMigrations};
pub use pools::DbResult;
pub(crate) use pools::{
    Pool, PoolKind, Pools, Storage, close_if_useless, in_postgres_transaction, in_transaction, on_db,
    within_limit,
};

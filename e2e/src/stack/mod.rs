//! A whole installation: embedded (one process, SQLite, emails in files) or full (Postgres, Redis, workers, SMTP).

mod api_process;
mod installation;
mod logs;
mod mails;
mod metrics;
mod options;
mod people;
mod processes;
mod settings;

pub use installation::{Stack, run};
pub use logs::secret_in;
pub use options::{Kind, StackOptions};
pub use people::{Member, Tokens};
pub use processes::STOP_LIMIT;
pub use settings::{JWT_SECRET, MAIL_PASSWORD, MAIL_USER, SECOND_MAIL_USER};

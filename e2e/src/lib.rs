//! The tools of the end-to-end tests: the real binaries, throwaway servers, a mail server with faults, a browser.
#![allow(missing_docs, reason = "only the tests beside it use this library")]

pub mod browser;
pub mod certificate;
pub mod client;
pub mod collector;
pub mod dns_server;
pub mod document;
pub mod example;
pub mod forge;
pub mod help;
pub mod load;
pub mod log;
pub mod person;
pub mod poll;
pub mod ports;
pub mod postgres;
pub mod process;
pub mod redis_server;
pub mod reporter;
pub mod skip;
pub mod smtp_server;
pub mod spawn;
pub mod sql;
pub mod stack;
pub mod static_site;
pub mod tally;
pub mod timing;
pub mod token_server;

mod both;

/// The imports of every test file.
pub mod prelude {
    pub use anyhow::{Context, Result, ensure};
    pub use reqwest::header;
    pub use serde_json::{Value, json};

    pub use crate::client::{Api, Expect};
    pub use crate::person::Person;
    pub use crate::stack::{Kind, Stack, StackOptions};
    pub use crate::tally::{Figures, Tally};
    pub use crate::{both, on_both};
}

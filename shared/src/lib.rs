//! What the API and the worker both need: settings, the database, the queue's jobs, link tokens,
//! domain types, languages, templates, metrics, traces and telemetry.

pub mod audit;
pub mod bounce_address;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod http_client;
pub mod http_server;
pub mod links;
pub mod locale;
pub mod metrics;
pub mod private_files;
pub mod queue;
pub mod redactor;
pub mod report_words;
pub mod service_account;
pub mod signals;
pub mod telemetry;
pub mod templates;
pub mod tls;
pub mod trace;

//! End-to-end test support.

pub mod smtp_server;

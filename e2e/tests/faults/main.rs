//! Every server and process stops or is killed: no accepted email is lost.

mod fallback;
mod kill;
mod postgres;
mod queue;
mod redis;
mod reports;
mod signals;
mod smtp;
mod sqlite;

//! Every server and process stops or is killed: no accepted email is lost.

mod kill;
mod postgres;
mod queue;
mod redis;
mod signals;
mod smtp;
mod sqlite;

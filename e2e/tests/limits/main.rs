//! Limits of clients, addresses and mailboxes, and input that is too large, too slow or wrong.

mod client;
mod errors;
mod heavy_input;
mod login;
mod mailbox;
mod naughty_strings;
mod slow_clients;

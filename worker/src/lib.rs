//! Claims mails, renders them, sends them and closes their rows.

pub mod render;
pub mod smtp;

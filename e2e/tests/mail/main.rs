//! Emails from the request to the mail server, what they contain, and what strangers can learn from it.

mod delivery;
mod mails;
mod oauth;
mod secrecy;
mod send_mail;
mod suppressions;
mod traces;

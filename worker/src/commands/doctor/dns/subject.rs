//! The sender that the DNS is asked about.

use std::net::IpAddr;

use bookly_shared::domain::MailServer;

/// The names and addresses that are looked up.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The domain of `From`.
    pub(super) from: &'a str,
    /// The domain of the envelope's sender, to which bounces go.
    pub(super) envelope: &'a str,
    /// `MAIL_SERVER`, or `MAIL_FALLBACK_SERVER`.
    pub(super) server: &'a str,
    /// Which of them.
    pub(super) role: MailServer,
    /// What this client says in EHLO.
    pub(super) helo_name: &'a str,
    pub(super) sending_ip: Option<IpAddr>,
    pub(super) dkim_selector: Option<&'a str>,
}

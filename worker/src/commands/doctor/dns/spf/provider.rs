//! Mail providers, and the includes that their documents name.

/// A provider, by the host of its submission server.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    /// The domain to include.
    pub(super) include: &'static str,
    /// Unless it is set up otherwise there, the envelope's sender is at a domain of the provider, and receivers look up
    /// SPF there.
    pub(super) replaces_envelope: bool,
    hosts: &'static [&'static str],
}

const fn provider(
    name: &'static str,
    include: &'static str,
    replaces_envelope: bool,
    hosts: &'static [&'static str],
) -> Provider {
    Provider { name, include, replaces_envelope, hosts }
}

/// A star in a host stands for any text.
const PROVIDERS: &[Provider] = &[
    provider("Amazon SES", "amazonses.com", true, &["email-smtp.*.amazonaws.com"]),
    provider("Brevo", "spf.brevo.com", true, &["smtp-relay.brevo.com", "smtp-relay.sendinblue.com"]),
    provider("Fastmail", "spf.messagingengine.com", false, &["smtp.fastmail.com", "smtps.fastmail.com"]),
    provider("Google Workspace", "_spf.google.com", false, &["smtp.gmail.com", "smtp-relay.gmail.com"]),
    provider("iCloud", "icloud.com", false, &["smtp.mail.me.com"]),
    provider("Infomaniak", "spf.infomaniak.ch", false, &["mail.infomaniak.com"]),
    provider("Mailgun", "mailgun.org", true, &["smtp.mailgun.org", "smtp.eu.mailgun.org"]),
    provider("Mailjet", "spf.mailjet.com", true, &["in-v3.mailjet.com"]),
    provider("Mandrill", "spf.mandrillapp.com", true, &["smtp.mandrillapp.com"]),
    provider(
        "Microsoft 365",
        "spf.protection.outlook.com",
        false,
        &["smtp.office365.com", "*.mail.protection.outlook.com"],
    ),
    provider("Migadu", "spf.migadu.com", false, &["smtp.migadu.com"]),
    provider("Postmark", "spf.mtasv.net", true, &["*.postmarkapp.com"]),
    provider("Proton Mail", "_spf.protonmail.ch", false, &["smtp.protonmail.ch"]),
    provider("Resend", "amazonses.com", true, &["smtp.resend.com"]),
    provider("SendGrid", "sendgrid.net", true, &["smtp.sendgrid.net", "smtp.eu.sendgrid.net"]),
];

/// The provider of a mail server.
pub(super) fn of(host: &str) -> Option<&'static Provider> {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_its = |known: &&str| match known.split_once('*') {
        Some((begin, end)) => host.starts_with(begin) && host.ends_with(end),
        None => host == **known,
    };
    PROVIDERS.iter().find(|provider| provider.hosts.iter().any(is_its))
}

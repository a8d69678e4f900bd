//! Delivery status notifications (RFC 3464): what a mail server says of an email by email.

use bookly_shared::domain::{EmailAddress, EnhancedCode, enhanced_code_in};
use mail_parser::{ContentType, Message, MessageParser, MimeHeaders};

/// What was read.
#[derive(Debug)]
pub(super) enum Notification {
    /// A report, with what it says of each recipient.
    Report(Vec<RecipientStatus>),
    /// Another email, an automatic reply for example.
    Other,
}

/// What a report says of one recipient.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecipientStatus {
    /// `failed`, `delayed`, `delivered`, `relayed` or `expanded`, in small letters.
    pub(super) action: String,
    /// The code that the receiver gave, else the one of the server that reports.
    pub(super) code: Option<EnhancedCode>,
    /// The receiver's words, else the code.
    pub(super) words: String,
    /// The final recipient, else the original one, without its `+tag`, which receivers leave out.
    pub(super) mailbox: Option<String>,
}

/// The text is no email, or a report without a recipient.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an email with a report that can be read (RFC 3464)")]
pub(super) struct MalformedReport;

/// Reads an email.
pub(super) fn read(email: &Message<'_>) -> Result<Notification, MalformedReport> {
    let is_of_delivery = |of: &ContentType<'_>| {
        of.attribute("report-type").is_none_or(|kind| kind.eq_ignore_ascii_case("delivery-status"))
    };
    let is_report = email.is_content_type("multipart", "report");
    if !(is_report && email.content_type().is_some_and(is_of_delivery)) {
        return Ok(Notification::Other);
    }
    let status = email.parts.iter().find(|part| {
        let is_message = |subtype| part.is_content_type("message", subtype);
        is_message("delivery-status") || is_message("global-delivery-status")
    });
    let text = String::from_utf8_lossy(status.ok_or(MalformedReport)?.contents()).replace("\r\n", "\n");
    let recipients: Vec<RecipientStatus> = text.split("\n\n").filter_map(recipient_status).collect();
    if recipients.is_empty() { Err(MalformedReport) } else { Ok(Notification::Report(recipients)) }
}

/// The text as an email.
pub(super) fn parse(raw: &[u8]) -> Result<Message<'_>, MalformedReport> {
    // The parser takes any text; an email has a sender (RFC 5322, section 3.6).
    let email = MessageParser::default().parse(raw);
    email.filter(|email| email.header_raw("From").is_some()).ok_or(MalformedReport)
}

/// A group of fields about a recipient; the first group is about the email.
fn recipient_status(group: &str) -> Option<RecipientStatus> {
    let fields = fields(group);
    let field = |name: &str| {
        let mut found = fields.iter().filter(|(of, _)| of.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str())
    };
    // `rfc822; ann@example.org`
    let without_type = |value: &str| value.split_once(';').map_or(value, |(_, rest)| rest).trim().to_owned();
    let (status, diagnostic) = (field("Status").unwrap_or_default(), field("Diagnostic-Code"));
    let words = without_type(diagnostic.unwrap_or(status));
    // The original recipient of a forwarded email is the row's, whichever mailbox does not exist.
    let address = field("Final-Recipient").or_else(|| field("Original-Recipient")).map(without_type);
    let mailbox = address.and_then(|text| EmailAddress::parse(text.trim_matches(['<', '>'])).ok());
    Some(RecipientStatus {
        action: field("Action")?.to_ascii_lowercase(),
        // A comment may follow the code: `5.1.1 (bad destination mailbox address)`.
        code: diagnostic.and_then(enhanced_code_in).or_else(|| enhanced_code_in(status)),
        words,
        mailbox: mailbox.map(|address| address.base_mailbox()),
    })
}

/// Names and values; a line that begins with a blank continues the one before.
fn fields(group: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in group.lines() {
        match (line.starts_with([' ', '\t']), fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            (false, _, Some((name, value))) => fields.push((name.trim(), value.trim().to_owned())),
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Postfix writes it.
    fn report(status: &str) -> String {
        format!(
            "From: MAILER-DAEMON@mail.example.net\r\nTo: bounces@example.net\r\nSubject: Undelivered Mail Returned to Sender\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"B\"\r\n\r\n\
             This is a MIME-encapsulated message.\r\n\r\n--B\r\nContent-Description: Notification\r\nContent-Type: text/plain\r\n\r\n\
             I'm sorry to have to inform you\r\n\r\n--B\r\nContent-Description: Delivery report\r\n\
             Content-Type: message/delivery-status\r\n\r\n{status}\r\n--B\r\nContent-Type: message/rfc822\r\n\r\n\
             From: books@example.net\r\nSubject: Welcome\r\n\r\nAction: delivered\r\n\r\n--B--\r\n"
        )
    }

    fn recipients(raw: &str) -> Vec<RecipientStatus> {
        match read(&parse(raw.as_bytes()).unwrap()).unwrap() {
            Notification::Report(recipients) => recipients,
            Notification::Other => panic!("no report"),
        }
    }

    #[test]
    fn a_report_says_what_became_of_its_recipient() {
        let status = "Reporting-MTA: dns; mail.example.net\r\nX-Postfix-Queue-ID: 4F3A2\r\nArrival-Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n\r\n\
            Final-Recipient: rfc822; Ann@Example.org\r\nOriginal-Recipient: rfc822;ann+news@example.org\r\nAction: failed\r\n\
            Status: 5.1.1\r\nRemote-MTA: dns; mx.example.org\r\nDiagnostic-Code: smtp; 550-5.1.1 The email account\r\n    does not exist\r\n";
        let expected = RecipientStatus {
            action: "failed".into(),
            code: Some("5.1.1".parse().unwrap()),
            words: "550-5.1.1 The email account does not exist".into(),
            mailbox: Some("ann@example.org".into()),
        };
        assert_eq!(recipients(&report(status)), [expected]);
    }

    #[test]
    fn a_report_of_a_forwarded_email_is_about_the_mailbox_that_it_went_to() {
        let forwarded = "Reporting-MTA: dns; mail.example.net\r\n\r\nOriginal-Recipient: rfc822;ann@example.org\r\n\
            Final-Recipient: rfc822;gone@example.net\r\nAction: failed\r\nStatus: 5.1.1\r\n";
        assert_eq!(recipients(&report(forwarded))[0].mailbox.as_deref(), Some("gone@example.net"));
    }

    #[test]
    fn the_receivers_code_counts_before_that_of_the_server_that_reports() {
        for (status, code) in [
            (
                "Status: 5.0.0\r\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound",
                Some("5.1.10"),
            ),
            ("Status: 5.1.1\r\nDiagnostic-Code: smtp;550 5.7.1 blocked", Some("5.7.1")),
            ("Status: 5.1.1 (bad destination mailbox address)", Some("5.1.1")),
            ("Status: 5.1.1\r\nDiagnostic-Code: smtp;550 no such user", Some("5.1.1")),
            ("Diagnostic-Code: X-Unix; 67", None),
        ] {
            let group = format!("Reporting-MTA: dns; a\r\n\r\nAction: Failed\r\n{status}\r\n");
            let found = recipients(&report(&group));
            let shown = found[0].code.map(|code| code.to_string());
            assert_eq!((shown.as_deref(), found[0].action.as_str()), (code, "failed"), "{status}");
        }
    }

    #[test]
    fn what_is_no_report_is_told_from_what_cannot_be_read() {
        let reply = "From: ann@example.org\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nI am away\r\n";
        assert!(matches!(read(&parse(reply.as_bytes()).unwrap()), Ok(Notification::Other)));
        let complaint = report("x").replace("delivery-status;", "feedback-report;");
        assert!(matches!(read(&parse(complaint.as_bytes()).unwrap()), Ok(Notification::Other)));
        for status in ["", "Reporting-MTA: dns; a\r\n", "Final-Recipient: rfc822; ann@example.org\r\n"] {
            assert!(read(&parse(report(status).as_bytes()).unwrap()).is_err(), "{status}");
        }
        assert!(parse(b"").is_err() && parse(b"no email").is_err());
    }
}

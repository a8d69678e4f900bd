//! What reporters call a bounce or a complaint, and what that means here: one table.
//!
//! A mailbox is suppressed for a hard bounce, so only what says that there is no such mailbox is hard: some enhanced codes
//! (RFC 3463), or the reporter's own word for it. Blocks, spam, policies, full mailboxes and unknown words are soft.

use super::{EnhancedCode, ReportSource, ReportVerdict};

/// The enhanced codes of mailboxes that do not exist, or not any more.
const HARD_CODES: [(u16, u16); 6] = [
    (1, 1),  // bad destination mailbox address
    (1, 2),  // bad destination system address
    (1, 3),  // bad destination mailbox address syntax
    (1, 6),  // destination mailbox has moved
    (1, 10), // recipient address has null MX
    (2, 1),  // mailbox disabled
];

/// What a word of a reporter means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Hard,
    Soft,
    Delay,
    Complaint,
    /// Hard if the enhanced code is one of [`HARD_CODES`], else soft.
    ByCode,
    /// It has the form of a bounce, although the email arrived, or was none of this service's: an automatic reply, for
    /// example.
    NoReport,
}

/// A row: the reporter, and the beginning of what it calls the event, from the general to the particular.
type Row = (ReportSource, &'static [&'static str], Meaning);

/// The first row that applies counts. What has no row is no report: an acceptance, an opened email, an automatic reply.
#[rustfmt::skip]
const TABLE: [Row; 36] = {
    use Meaning::{ByCode, Complaint, Delay, Hard, NoReport, Soft};
    use ReportSource::{Dsn, Mailgun, Postmark, Resend, SendGrid};
    [
        // RecordType, Type: https://postmarkapp.com/developer/api/bounce-api#bounce-types
        (Postmark, &["SpamComplaint"], Complaint),
        (Postmark, &["Bounce", "SpamComplaint"], Complaint),
        // "unknown user, mailbox not found"
        (Postmark, &["Bounce", "HardBounce"], Hard),
        (Postmark, &["Bounce", "BadEmailAddress"], Hard),
        (Postmark, &["Bounce", "Blocked"], Soft),
        (Postmark, &["Bounce", "SpamNotification"], Soft),
        (Postmark, &["Bounce", "DMARCPolicy"], Soft),
        // "mailbox full, account disabled, exceeds quota"
        (Postmark, &["Bounce", "SoftBounce"], Soft),
        (Postmark, &["Bounce", "Transient"], Soft),
        (Postmark, &["Bounce", "AutoResponder"], NoReport),
        (Postmark, &["Bounce", "AddressChange"], NoReport),
        (Postmark, &["Bounce", "ChallengeVerification"], NoReport),
        (Postmark, &["Bounce", "Subscribe"], NoReport),
        (Postmark, &["Bounce", "Unsubscribe"], NoReport),
        (Postmark, &["Bounce", "OpenRelayTest"], NoReport),
        (Postmark, &["Bounce", "InboundError"], NoReport),
        (Postmark, &["Bounce"], ByCode),
        // event, severity, reason: https://documentation.mailgun.com/docs/mailgun/user-manual/events/events
        (Mailgun, &["complained"], Complaint),
        // "temporary": it tries again, and reports the end.
        (Mailgun, &["failed", "temporary"], Delay),
        // Its own list of mailboxes that it does not send to, whatever they are on it for.
        (Mailgun, &["failed", "permanent", "suppress-bounce"], Soft),
        (Mailgun, &["failed", "permanent", "espblock"], Soft),
        (Mailgun, &["failed"], ByCode),
        // event, type, bounce_classification: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
        (SendGrid, &["spamreport"], Complaint),
        (SendGrid, &["bounce", "blocked"], Soft),
        (SendGrid, &["bounce", "bounce", "Invalid Address"], Hard),
        (SendGrid, &["bounce"], ByCode),
        (SendGrid, &["dropped"], Soft),
        (SendGrid, &["deferred"], Delay),
        // type, bounce.type, bounce.subType: https://resend.com/docs/webhooks/emails/bounced
        (Resend, &["email.complained"], Complaint),
        (Resend, &["email.bounced", "Permanent", "NoEmail"], Hard),
        (Resend, &["email.bounced", "Permanent", "Suppressed"], Soft),
        (Resend, &["email.bounced"], ByCode),
        (Resend, &["email.suppressed"], Soft),
        (Resend, &["email.delivery_delayed"], Delay),
        // Action: RFC 3464, section 2.3.3
        (Dsn, &["failed"], ByCode),
        (Dsn, &["delayed"], Delay),
    ]
};

/// What a report means; `None` where it is no report of a bounce or a complaint. `said` is what the reporter calls it, from
/// the general to the particular, and `code` the enhanced code that it gives.
pub fn judge(source: ReportSource, said: &[&str], code: Option<EnhancedCode>) -> Option<ReportVerdict> {
    let (_, _, meaning) = TABLE.iter().find(|(of, words, _)| *of == source && begins_with(said, words))?;
    Some(match meaning {
        Meaning::NoReport => return None,
        Meaning::Hard => ReportVerdict::Hard,
        Meaning::ByCode if code.is_some_and(is_hard) => ReportVerdict::Hard,
        Meaning::Soft | Meaning::ByCode => ReportVerdict::Soft,
        Meaning::Delay => ReportVerdict::Delay,
        Meaning::Complaint => ReportVerdict::Complaint,
    })
}

fn begins_with(said: &[&str], words: &[&str]) -> bool {
    said.len() >= words.len() && said.iter().zip(words).all(|(said, word)| said.eq_ignore_ascii_case(word))
}

fn is_hard(code: EnhancedCode) -> bool {
    code.class == 5 && HARD_CODES.contains(&(code.subject, code.detail))
}

/// The first enhanced code of a failure in a text such as `smtp; 550-5.1.1 no such user`.
pub fn enhanced_code_in(text: &str) -> Option<EnhancedCode> {
    let numbers = text.split(|c: char| !(c.is_ascii_digit() || c == '.'));
    numbers.filter_map(|number| number.parse::<EnhancedCode>().ok()).find(|code| code.class != 2)
}

#[cfg(test)]
mod tests {
    use super::ReportSource::{Dsn, Mailgun, Postmark, Resend, SendGrid};
    use super::ReportVerdict::{Complaint, Delay, Hard, Soft};
    use super::*;

    /// One example a row, in the order of the table: what the reporter says, with its code, and what it means.
    #[rustfmt::skip]
    const EXAMPLES: [(ReportSource, &[&str], &str, Option<ReportVerdict>); 36] = [
        (Postmark, &["SpamComplaint", "SpamComplaint"], "", Some(Complaint)),
        (Postmark, &["Bounce", "SpamComplaint"], "", Some(Complaint)),
        (Postmark, &["Bounce", "HardBounce"], "smtp;550 no mailbox here", Some(Hard)),
        (Postmark, &["Bounce", "BadEmailAddress"], "", Some(Hard)),
        (Postmark, &["Bounce", "Blocked"], "550 5.1.1 blocked", Some(Soft)),
        (Postmark, &["Bounce", "SpamNotification"], "554 5.7.1 spam", Some(Soft)),
        (Postmark, &["Bounce", "DMARCPolicy"], "550 5.7.26 unauthenticated", Some(Soft)),
        (Postmark, &["Bounce", "SoftBounce"], "552 5.2.2 mailbox full", Some(Soft)),
        (Postmark, &["Bounce", "Transient"], "451 4.4.1 timed out", Some(Soft)),
        (Postmark, &["Bounce", "AutoResponder"], "", None),
        (Postmark, &["Bounce", "AddressChange"], "", None),
        (Postmark, &["Bounce", "ChallengeVerification"], "", None),
        (Postmark, &["Bounce", "Subscribe"], "", None),
        (Postmark, &["Bounce", "Unsubscribe"], "", None),
        (Postmark, &["Bounce", "OpenRelayTest"], "", None),
        (Postmark, &["Bounce", "InboundError"], "", None),
        (Postmark, &["Bounce", "Unknown"], "550 5.1.1 no such user", Some(Hard)),
        (Mailgun, &["complained", "", ""], "", Some(Complaint)),
        (Mailgun, &["failed", "temporary", "greylisted"], "450 4.2.0 greylisted", Some(Delay)),
        (Mailgun, &["failed", "permanent", "suppress-bounce"], "605", Some(Soft)),
        (Mailgun, &["failed", "permanent", "espblock"], "554 5.7.1 blocked", Some(Soft)),
        (Mailgun, &["failed", "permanent", "bounce"], "550 5.1.1 does not exist", Some(Hard)),
        (SendGrid, &["spamreport", "", ""], "", Some(Complaint)),
        (SendGrid, &["bounce", "blocked", "Reputation"], "550 5.7.1 blocked", Some(Soft)),
        (SendGrid, &["bounce", "bounce", "Invalid Address"], "550 unknown recipient", Some(Hard)),
        (SendGrid, &["bounce", "bounce", "Unclassified"], "550 5.2.1 disabled", Some(Hard)),
        (SendGrid, &["dropped", "", ""], "Bounced Address", Some(Soft)),
        (SendGrid, &["deferred", "", ""], "421 4.7.0 try later", Some(Delay)),
        (Resend, &["email.complained", "", ""], "", Some(Complaint)),
        (Resend, &["email.bounced", "Permanent", "NoEmail"], "", Some(Hard)),
        (Resend, &["email.bounced", "Permanent", "Suppressed"], "550 5.1.1 earlier", Some(Soft)),
        (Resend, &["email.bounced", "Permanent", "General"], "smtp; 550 5.1.1 user unknown", Some(Hard)),
        (Resend, &["email.suppressed", "", ""], "", Some(Soft)),
        (Resend, &["email.delivery_delayed", "", ""], "", Some(Delay)),
        (Dsn, &["failed"], "smtp; 550 5.1.1 user unknown", Some(Hard)),
        (Dsn, &["delayed"], "4.4.1", Some(Delay)),
    ];

    #[test]
    fn each_row_of_the_table_means_what_its_example_says() {
        for (row, (source, said, text, verdict)) in EXAMPLES.iter().enumerate() {
            let applies = |(of, words, _): &Row| of == source && begins_with(said, words);
            assert_eq!(TABLE.iter().position(applies), Some(row), "{said:?} is the example of another row");
            assert_eq!(judge(*source, said, enhanced_code_in(text)), *verdict, "{said:?} {text}");
        }
    }

    #[test]
    fn only_codes_of_mailboxes_that_do_not_exist_are_hard() {
        for (code, hard) in [
            ("5.1.1", true),
            ("5.1.2", true),
            ("5.1.3", true),
            ("5.1.6", true),
            ("5.1.10", true),
            ("5.2.1", true),
            ("5.0.0", false),
            ("5.1.0", false),
            ("5.1.4", false),
            ("5.1.8", false),
            ("5.2.2", false),
            ("5.2.3", false),
            ("5.4.1", false),
            ("5.7.1", false),
            ("4.1.1", false),
            ("4.2.1", false),
        ] {
            let verdict = judge(Dsn, &["failed"], Some(code.parse().unwrap()));
            assert_eq!(verdict, Some(if hard { Hard } else { Soft }), "{code}");
        }
        assert_eq!(judge(Dsn, &["failed"], None), Some(Soft), "a code that is not known");
    }

    #[test]
    fn what_is_no_bounce_and_no_complaint_is_no_report() {
        for (source, said) in [
            (Postmark, &["Delivery", ""][..]),
            (Postmark, &["SubscriptionChange", ""]),
            (Postmark, &["Bounce", "AutoResponder"]),
            (Postmark, &["Bounce", "AddressChange"]),
            (Postmark, &["Bounce", "ChallengeVerification"]),
            (Postmark, &["Bounce", "Subscribe"]),
            (Postmark, &["Bounce", "Unsubscribe"]),
            (Mailgun, &["delivered", "", ""]),
            (SendGrid, &["delivered", "", ""]),
            (SendGrid, &["open", "", ""]),
            (Resend, &["email.delivered", "", ""]),
            (Dsn, &["delivered"]),
            (Dsn, &["relayed"]),
            (Dsn, &["expanded"]),
            (Dsn, &[]),
        ] {
            assert_eq!(judge(source, said, None), None, "{said:?}");
        }
    }

    #[test]
    fn the_enhanced_code_is_found_among_other_numbers() {
        for (text, code) in [
            ("smtp; 550-5.1.1 no such user\n550 5.1.1 at 192.0.2.1", Some("5.1.1")),
            ("smtp;550 #5.1.0 Address rejected", Some("5.1.0")),
            ("host mx.example.org[192.0.2.1] said: 550 5.7.1 no", Some("5.7.1")),
            ("250 2.0.0 then 452 4.2.2 full", Some("4.2.2")),
            ("550 no such user", None),
            ("", None),
        ] {
            assert_eq!(enhanced_code_in(text).map(|code| code.to_string()).as_deref(), code, "{text}");
        }
    }
}

//! Headers that name the row to a provider, which repeats them when it reports what became of the email.

use bookly_shared::config::{BounceSettings, ECHOED_NAME, POSTMARK_METADATA, RESEND_HEADER};
use lettre::message::header::{HeaderName, HeaderValue, Headers};
use uuid::Uuid;

/// The providers that may report. An email gets the headers of those alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Echo {
    postmark: bool,
    mailgun: bool,
    sendgrid: bool,
    resend: bool,
}

impl Echo {
    /// `None` without such providers.
    pub(super) fn of(bounces: &BounceSettings) -> Option<Echo> {
        let echo = Echo {
            postmark: bounces.postmark.is_some(),
            mailgun: bounces.mailgun.is_some(),
            sendgrid: bounces.sendgrid.is_some(),
            resend: bounces.resend.is_some(),
        };
        (echo != Echo::default()).then_some(echo)
    }

    pub(super) fn name_row(self, headers: &mut Headers, id: Uuid) {
        let mut add = |name: String, value: String| {
            if let Ok(name) = HeaderName::new_from_ascii(name) {
                headers.insert_raw(HeaderValue::new(name, value));
            }
        };
        if self.postmark {
            add(format!("X-PM-Metadata-{POSTMARK_METADATA}"), id.to_string());
            // Without it Postmark replaces the Message-ID by its own.
            add("X-PM-KeepID".to_owned(), "true".to_owned());
        }
        if self.mailgun {
            add("X-Mailgun-Variables".to_owned(), format!("{{\"{ECHOED_NAME}\": \"{id}\"}}"));
        }
        if self.sendgrid {
            let value = format!("{{\"unique_args\": {{\"{ECHOED_NAME}\": \"{id}\"}}}}");
            add("X-SMTPAPI".to_owned(), value);
        }
        if self.resend {
            add(RESEND_HEADER.to_owned(), id.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Uuid = Uuid::from_u128(0x0193_bd5a_7e5c_7d1b_bcc4_4a9e_2f37_b6d1);

    #[test]
    fn only_providers_that_may_report_get_the_id() {
        assert_eq!(Echo::of(&BounceSettings::default()), None);
        let secret = || Some("secret".to_owned().into());
        let mut headers = Headers::new();
        let one = BounceSettings { postmark: secret(), ..BounceSettings::default() };
        Echo::of(&one).unwrap().name_row(&mut headers, ID);
        assert_eq!(
            headers.to_string(),
            format!("X-PM-Metadata-bookly-email-id: {ID}\r\nX-PM-KeepID: true\r\n")
        );
        let mut headers = Headers::new();
        let rest = BounceSettings {
            mailgun: secret(),
            sendgrid: secret(),
            resend: secret(),
            ..BounceSettings::default()
        };
        Echo::of(&rest).unwrap().name_row(&mut headers, ID);
        let unfolded = headers.to_string().replace("\r\n ", " ");
        let lines = [
            format!("X-Mailgun-Variables: {{\"bookly_email_id\": \"{ID}\"}}"),
            format!("X-SMTPAPI: {{\"unique_args\": {{\"bookly_email_id\": \"{ID}\"}}}}"),
            format!("X-Bookly-Email-Id: {ID}"),
        ];
        assert_eq!(unfolded.lines().collect::<Vec<_>>(), lines);
    }
}

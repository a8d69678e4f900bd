//! The words of a report, as they are stored and logged: on one short line, without our secrets.
//!
//! Receivers repeat what they refuse: a content filter quotes the link or the code of the email. The link was stored
//! nowhere, so it is found by its form.

use std::ops::Range;

use crate::domain::smtp_reply::one_short_line;
use crate::links::CODE_DIGITS;
use crate::redactor::{REDACTED, Redactor};

/// What is read of the words: enough for a long line, short enough to be searched at once.
const READ_CHARS: usize = 4_000;
/// The shortest run of letters and digits that counts as a piece of a token. A token's signature has 43, its payload more,
/// and a line break may cut each of them.
const TOKEN_PIECE: usize = 20;

/// Takes tokens of links, codes and the secrets of the redactor out of the words.
pub fn clean(words: &str, redactor: &Redactor) -> String {
    let words: String = words.chars().take(READ_CHARS).collect();
    let words = redactor.redact(&words);
    let words: Vec<&str> =
        words.split_whitespace().map(|word| if holds_token(word) { REDACTED } else { word }).collect();
    one_short_line(&without_codes(&words.join(" ")))
}

/// Whether a word has a piece of base64url that no id of a mail server looks like: a long one with capital and small
/// letters, and with digits or with as many changes of case as no name has. One half of a signature in fifty has no digit.
fn holds_token(word: &str) -> bool {
    word.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).any(|run| {
        let has = |of: fn(&u8) -> bool| run.bytes().any(|c| of(&c));
        let changes = run.as_bytes().windows(2).filter(|pair| {
            pair[0].is_ascii_uppercase() && pair[1].is_ascii_lowercase()
                || pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
        });
        run.len() >= TOKEN_PIECE
            && has(u8::is_ascii_uppercase)
            && has(u8::is_ascii_lowercase)
            && (has(u8::is_ascii_digit) || changes.count() * 3 >= run.len())
    })
}

/// A code is shown as `1234 5678`; people and programs write it without the blank, or with a hyphen. Other
/// numbers may stand beside it.
fn without_codes(text: &str) -> String {
    let groups = digit_groups(text);
    let is_half = |group: &Range<usize>| group.len() == CODE_DIGITS / 2;
    let are_halves = |first: &Range<usize>, last: &Range<usize>| {
        let between = &text[first.end..last.start];
        is_half(first) && is_half(last) && between.bytes().all(|byte| b" -".contains(&byte))
    };
    let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
    for (at, group) in groups.iter().enumerate() {
        let is_last_half = at > 0 && are_halves(&groups[at - 1], group);
        let is_first_half = groups.get(at + 1).is_some_and(|next| are_halves(group, next));
        if !is_last_half {
            let is_code = is_first_half || group.len() == CODE_DIGITS;
            shown.push_str(&text[end..group.start]);
            shown.push_str(if is_code { REDACTED } else { &text[group.clone()] });
        }
        end = group.end;
    }
    shown.push_str(&text[end..]);
    shown
}

/// The places of the numbers: digits with none before and none after them.
fn digit_groups(text: &str) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices(|c: char| c.is_ascii_digit()) {
        match groups.last_mut() {
            Some(group) if group.end == at => group.end = at + 1,
            _ => groups.push(at..at + 1),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use secrecy::SecretString;
    use uuid::Uuid;

    use super::*;
    use crate::links::{LinkClaims, LinkSigner, Purpose};

    #[test]
    fn a_link_and_a_code_that_a_filter_quotes_are_not_stored() {
        let signer = LinkSigner::new(&SecretString::from("a secret of at least thirty-two bytes"));
        let claims = LinkClaims {
            email: "ann@example.org".into(),
            uid: Uuid::from_u128(7),
            version: None,
            change: None,
        };
        let token = signer.sign(Purpose::PasswordReset, &claims, DateTime::UNIX_EPOCH);
        let token = token.as_str();
        let (start, end) = token.split_at(token.len() - 22);
        for quoted in [
            format!("554 5.7.1 blocked URL https://books.example.org/api/v1/auth/reset/{token} in body"),
            format!("554 5.7.1 blocked URL https://click.example/?u={} in body", token.replace('.', "%2E")),
            format!("554 5.7.1 blocked URL {start}=\r\n {end} in body"),
        ] {
            let words = clean(&quoted, &Redactor::default());
            assert!(words.starts_with("554 5.7.1 blocked URL") && words.ends_with("in body"), "{words}");
            for piece in token.split('.').filter(|piece| piece.len() > 10) {
                assert!(!words.contains(&piece[piece.len() - 10..]), "{words}");
            }
        }
        for code in ["1234 5678", "12345678", "1234-5678"] {
            assert_eq!(clean(&format!("spam: {code} is"), &Redactor::default()), "spam: [redacted] is");
        }
    }

    #[test]
    fn half_a_signature_without_digits_is_not_stored_and_a_long_name_is() {
        for (said, stored) in [
            ("554 blocked qXbTzRkLwYvNcMfHjDsGpQ", "554 blocked [redacted]"),
            ("554 blocked by ConnectionTimedOutException", "554 blocked by ConnectionTimedOutException"),
        ] {
            assert_eq!(clean(said, &Redactor::default()), stored);
        }
    }

    #[test]
    fn a_code_beside_other_numbers_is_not_stored() {
        for (said, stored) in [
            ("554 5.7.1 1234 5678 is spam", "554 5.7.1 [redacted] is spam"),
            ("554 12345678 blocked", "554 [redacted] blocked"),
            ("554-1234-5678 blocked", "554-[redacted] blocked"),
            ("code 1234 5678 2 times", "code [redacted] 2 times"),
            ("1234 5678", "[redacted]"),
            ("2026 1234 5678 and 12345678 12345678", "[redacted] and [redacted] [redacted]"),
            ("1234 567 8", "1234 567 8"),
        ] {
            assert_eq!(clean(said, &Redactor::default()), stored);
        }
    }

    #[test]
    fn what_helps_the_operator_stays() {
        for words in [
            "550-5.1.1 The email account that you tried to reach does not exist. d2e1a72fcca58-7a3bc123csi4567.89 - gsmtp",
            "550 5.4.1 Recipient address rejected: Access denied. [AM1EUR01FT045.eop-EUR01.prod.protection.outlook.com]",
            "smtp; 452 4.2.2 over quota, see https://support.example.com/mail/?p=OverQuotaTemp",
            "host mx.example.org[192.0.2.25] said: 550 unknown, 2026-11-26 10:00:00",
            "not delivered in 4320 minutes, 1234 tries",
        ] {
            assert_eq!(clean(words, &Redactor::default()), words);
        }
    }

    #[test]
    fn they_are_one_line_without_the_secrets_of_the_redactor() {
        let redactor = Redactor::new(["the-password-of-the-mail-server"]);
        let words = clean("550 login\r\nthe-password-of-the-mail-server\u{202e} no", &redactor);
        assert_eq!(words, "550 login [redacted] no");
        assert_eq!(clean(&"é".repeat(9_000), &redactor).chars().count(), 500);
    }
}

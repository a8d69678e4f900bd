//! The words of a report, as they are stored and logged: on one short line, without our secrets.
//!
//! Receivers repeat what they refuse: a content filter quotes the link or the code of the email. The link was stored
//! nowhere, so it is found by its form.

use std::ops::Range;

use crate::domain::smtp_reply::one_short_line;
use crate::links::CODE_DIGITS;
use crate::redactor::{Decoded, Redactor, replace};

/// What is read of the words: enough for a long line, short enough to be searched at once.
const READ_CHARS: usize = 4_000;
/// The shortest run of letters and digits that counts as a piece of a token. A token's signature has 43, its payload more,
/// and a line break may cut each of them.
const TOKEN_PIECE: usize = 20;
/// The same where all letters were made small or capital, so that their case says nothing.
const CASELESS_TOKEN_PIECE: usize = 40;
/// How the payload of each token begins, in small letters: `{"` in base64.
const TOKEN_START: &[u8] = b"eyj";

/// Takes tokens of links, codes and the secrets of the redactor out of the words.
pub fn clean(words: &str, redactor: &Redactor) -> String {
    let words: String = words.chars().take(READ_CHARS).collect();
    let words = redactor.redact(&words);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut found = Vec::new();
    for decoded in Decoded::all_of(&words) {
        let of_hex = decoded.decode_hex(CODE_DIGITS);
        for decoded in of_hex.iter().chain([&decoded]) {
            let bytes = decoded.bytes();
            let in_text = |places: Vec<Range<usize>>| places.into_iter().map(|place| decoded.range(place));
            found.extend(in_text(tokens_in(&bytes)).map(|place| whole_word(&words, &place)));
            found.extend(in_text(codes_in(&bytes)));
        }
    }
    one_short_line(&replace(&words, found))
}

/// The range, extended to the blanks around it.
fn whole_word(text: &str, range: &Range<usize>) -> Range<usize> {
    let start = text[..range.start].rfind(' ').map_or(0, |blank| blank + 1);
    let end = text[range.end..].find(' ').map_or(text.len(), |blank| range.end + blank);
    start..end
}

/// The places of runs of base64url that look like a piece of a token.
fn tokens_in(text: &[u8]) -> Vec<Range<usize>> {
    let is_of_run = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    let (mut found, mut start) = (Vec::new(), 0);
    for run in text.split(|byte| !is_of_run(byte)) {
        if run.len() >= TOKEN_PIECE && is_piece_of_token(run) {
            found.push(start..start + run.len());
        }
        start += run.len() + 1;
    }
    found
}

/// Whether a long run is one that no id of a mail server looks like: with capital and small letters, and with digits or
/// with as many changes of case as no name has. One half of a signature in fifty has no digit. In one case it must be
/// longer, and neither hexadecimal nor words with hyphens.
fn is_piece_of_token(run: &[u8]) -> bool {
    let count = |of: fn(&u8) -> bool| run.iter().filter(|byte| of(byte)).count();
    let has = |of: fn(&u8) -> bool| run.iter().any(of);
    if run.get(..TOKEN_START.len()).is_some_and(|start| start.eq_ignore_ascii_case(TOKEN_START)) {
        return true;
    }
    if has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
        let changes = run.windows(2).filter(|pair| {
            pair[0].is_ascii_uppercase() && pair[1].is_ascii_lowercase()
                || pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()
        });
        return has(u8::is_ascii_digit) || changes.count() * 3 >= run.len();
    }
    let beyond_hex = |byte: &u8| byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit();
    run.len() >= CASELESS_TOKEN_PIECE
        && count(beyond_hex) * 4 >= run.len()
        && count(u8::is_ascii_digit) >= 3
        && count(|byte| b"-_".contains(byte)) * 12 <= run.len()
}

/// A code is shown as `1234 5678`; people and programs write it without the blank, or with another separator. Other
/// numbers may stand beside it.
fn codes_in(text: &[u8]) -> Vec<Range<usize>> {
    let groups = digit_groups(text);
    let is_half = |group: &Range<usize>| group.len() == CODE_DIGITS / 2;
    let whole = groups.iter().filter(|group| group.len() == CODE_DIGITS).cloned();
    let halves = groups.windows(2).filter(|pair| {
        is_half(&pair[0]) && is_half(&pair[1]) && is_separator(&text[pair[0].end..pair[1].start])
    });
    whole.chain(halves.map(|pair| pair[0].start..pair[1].end)).collect()
}

/// Blanks and hyphens, or one other character that is no letter.
fn is_separator(between: &[u8]) -> bool {
    let is_one = String::from_utf8_lossy(between).chars().count() == 1;
    between.iter().all(|byte| b" -".contains(byte)) || is_one && !between[0].is_ascii_alphabetic()
}

/// The places of the numbers: digits with none before and none after them.
fn digit_groups(text: &[u8]) -> Vec<Range<usize>> {
    let mut groups: Vec<Range<usize>> = Vec::new();
    for at in (0..text.len()).filter(|at| text[*at].is_ascii_digit()) {
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
    fn a_link_and_a_code_in_an_everyday_encoding_are_not_stored() {
        let token = "eyJlbWFpbCI6ImFubkBleGFtcGxlLm9yZyJ9.ZVPxAA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
        let each = |form: fn(u8) -> String| token.bytes().map(form).collect::<String>();
        let whole_forms = [
            each(|byte| format!("{byte:02x}")),
            each(|byte| format!("{byte:02X}")),
            format!("f{}", each(|byte| format!("{byte:02x}"))),
            each(|byte| format!("%{byte:02x}")),
            each(|byte| format!("={byte:02X}")),
            each(|byte| format!("&#{byte};")),
            each(|byte| format!("&#x{byte:x};")),
            each(|byte| format!("\\u{byte:04x}")),
            token.to_lowercase(),
            token.to_uppercase(),
            token[37..].to_lowercase(),
            "3526&nbsp;2370".into(),
            "3526=202370".into(),
            "3526=C2=A02370".into(),
            "3526%202370".into(),
            "3526%25202370".into(),
            "3526_2370".into(),
            "3526.2370".into(),
            "3526\u{a0}2370".into(),
            "3526\u{2009}2370".into(),
            "3335323632333730".into(),
            "333532362032333730".into(),
            "%33%35%32%36%32%33%37%30".into(),
        ];
        for form in whole_forms {
            let words = clean(&format!("554 5.7.1 blocked {form} in body"), &Redactor::default());
            assert_eq!(words, "554 5.7.1 blocked [redacted] in body", "{form}");
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
            "mail from 50% of &c. = spam, 100%, see a=b&c=d",
            "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "id 0100018c1e2f3a4b-5c6d7e8f-1234-4abc-9def-0123456789ab-000000",
            "see https://example.org/how-to-fix-the-550-5-7-26-error-when-you-send-mail-to-2-groups",
            "queue 4Z2rKp0xq3z2KQ4 in 20261126100000123",
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

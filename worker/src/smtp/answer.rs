//! A server's answer (RFC 5321 §4.2), read from bytes as they came.
//!
//! Read here and not by lettre, which knows second digits up to 5 only and takes a 571 ("blocked", not rare after
//! the final dot) for garbage: a known refusal would become an unknown outcome, and the mail be sent again.

use std::{iter, str};

use bookly_shared::domain::SmtpReply;
use lettre::transport::smtp::response::Response;

/// Longest answer that is read, all lines together, in bytes: an EHLO answer has a few hundred.
pub(super) const MAX_BYTES: usize = 16 * 1024;

/// Code and words of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    /// 200 to 599.
    pub(super) code: u16,
    /// What its lines say behind the code, joined by line feeds, as the server sent it.
    pub(super) text: String,
}

/// What the first bytes that came are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// An answer, of so many bytes.
    Whole(Answer, usize),
    /// The beginning of one.
    Part,
    /// No answer.
    Garbled,
}

impl Answer {
    /// Reads the answer that `bytes` begin with: lines that end in CRLF, all with the same code.
    pub(super) fn read(bytes: &[u8]) -> Heard {
        let (mut end, mut answer) = (0, None::<Answer>);
        for line in lines(bytes) {
            let Some((code, last, words)) = line.strip_suffix(b"\r\n").and_then(parts) else {
                return Heard::Garbled;
            };
            end += line.len();
            match &mut answer {
                None => answer = Some(Answer { code, text: lossy(words) }),
                Some(begun) if begun.code == code => {
                    begun.text.push('\n');
                    begun.text.push_str(&lossy(words));
                }
                Some(_) => return Heard::Garbled,
            }
            if last && let Some(whole) = answer {
                return Heard::Whole(whole, end);
            }
        }
        if bytes.len() > MAX_BYTES { Heard::Garbled } else { Heard::Part }
    }

    /// What `bytes` refuse (4xx or 5xx) in their first line, when they are no whole answer and will never be one.
    pub(super) fn refusal_in(bytes: &[u8]) -> Option<Answer> {
        let line = lines(bytes).next()?.strip_suffix(b"\n")?;
        let (code, _, words) = parts(line.strip_suffix(b"\r").unwrap_or(line))?;
        (code >= 400).then(|| Answer { code, text: lossy(words) })
    }

    pub(super) fn reply(&self) -> SmtpReply {
        SmtpReply::new(self.code, &self.text)
    }

    /// Whether it agrees: 2xx.
    pub(super) fn completes(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether an answer to EHLO has this keyword (RFC 5321 §4.1.1.1): on a line of its own behind the first.
    pub(super) fn offers(&self, keyword: &str) -> bool {
        let offered = self.text.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        offered.into_iter().any(|word| word.eq_ignore_ascii_case(keyword))
    }
}

impl From<&Response> for Answer {
    fn from(response: &Response) -> Answer {
        Answer { code: response.code().into(), text: response.message().collect::<Vec<_>>().join("\n") }
    }
}

/// The lines that are whole, with their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    iter::from_fn(move || {
        let (line, behind) = rest.split_at(memchr::memchr(b'\n', rest)? + 1);
        rest = behind;
        Some(line)
    })
}

/// Code, whether it is the last line, and words. A code may stand alone.
fn parts(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (code, rest) = line.split_at_checked(3)?;
    if !matches!(code, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9']) {
        return None;
    }
    let code = str::from_utf8(code).ok()?.parse().ok()?;
    match rest {
        [] => Some((code, true, rest)),
        [b' ', words @ ..] => Some((code, true, words)),
        [b'-', words @ ..] => Some((code, false, words)),
        _ => None,
    }
}

fn lossy(words: &[u8]) -> String {
    String::from_utf8_lossy(words).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(code: u16, text: &str, end: usize) -> Heard {
        Heard::Whole(Answer { code, text: text.to_owned() }, end)
    }

    #[test]
    fn an_answer_ends_with_its_last_line_and_not_before() {
        for (said, heard) in [
            ("250 ok\r\n", whole(250, "ok", 8)),
            ("250\r\n", whole(250, "", 5)),
            ("571 5.7.1 blocked\r\n", whole(571, "5.7.1 blocked", 19)),
            ("250-mx\r\n250 SIZE 1\r\n", whole(250, "mx\nSIZE 1", 20)),
            ("250 ok\r\n354 go\r\n", whole(250, "ok", 8)),
            ("250-mx\r\n", Heard::Part),
            ("250 ok\r", Heard::Part),
            ("2", Heard::Part),
            ("", Heard::Part),
            ("250 ok\n", Heard::Garbled),
            ("250-mx\r\n550 no\r\n", Heard::Garbled),
            ("150 soon\r\n", Heard::Garbled),
            ("650 what\r\n", Heard::Garbled),
            ("2500 ok\r\n", Heard::Garbled),
            ("25 ok\r\n", Heard::Garbled),
            ("5é\r\n", Heard::Garbled),
            ("\r\n", Heard::Garbled),
        ] {
            assert_eq!(Answer::read(said.as_bytes()), heard, "{said:?}");
        }
    }

    #[test]
    fn an_answer_without_end_is_not_read_for_ever() {
        let endless = "250-mx\r\n".repeat(MAX_BYTES / 8 + 1);
        assert_eq!(Answer::read(endless.as_bytes()), Heard::Garbled);
        assert_eq!(Answer::read(&vec![b'2'; MAX_BYTES + 1]), Heard::Garbled);
    }

    #[test]
    fn only_a_whole_line_that_refuses_is_a_refusal() {
        for (said, refusal) in [
            ("571-5.7.1 blocked\r\n471 really\r\n", Some((571, "5.7.1 blocked"))),
            ("471 later\n", Some((471, "later"))),
            ("590\r\n", Some((590, ""))),
            ("571 half a li", None),
            ("250 ok\r\n", None),
            ("5712 pigs\r\n", None),
            ("5é\r\n", None),
            ("", None),
        ] {
            let found = Answer::refusal_in(said.as_bytes()).map(|answer| (answer.code, answer.text));
            assert_eq!(found, refusal.map(|(code, text)| (code, text.to_owned())), "{said:?}");
        }
    }

    #[test]
    fn a_keyword_is_offered_behind_the_first_line_in_any_case() {
        let offer = |said: &str| match Answer::read(said.as_bytes()) {
            Heard::Whole(answer, _) => answer.offers("PIPELINING"),
            heard => panic!("{heard:?}"),
        };
        assert!(offer("250-mx\r\n250-SIZE 1\r\n250 Pipelining\r\n"));
        assert!(offer("250-mx\r\n250-PIPELINING \r\n250 HELP\r\n"));
        assert!(!offer("250 pipelining is my name\r\n"));
        assert!(!offer("250-mx\r\n250 X-PIPELINING\r\n"));
    }
}

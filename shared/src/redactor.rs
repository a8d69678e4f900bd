//! Takes secrets out of texts that another server wrote: content filters of mail servers repeat the link that they
//! refuse, and servers repeat logins. What is left is stored in rows, logged, and shown to operators.

use std::collections::HashSet;
use std::ops::Range;

use crate::domain::{EmailAddress, SmtpReply};
use crate::links::CODE_DIGITS;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// What takes the place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";
/// The shortest piece of a secret that is found, in letters and digits. A server may cut or split what it repeats.
const PIECE: usize = 8;
/// Escapes within escapes that are decoded, as in `%252E`.
const MAX_DECODINGS: usize = 3;
/// What may stand between the halves of a code, in bytes: a separator, an escape or a short word.
const CODE_GAP: usize = 8;

/// Finds pieces of secrets in whatever form a reply's lines can have: as it is, in base64, percent-encoded,
/// quoted-printable, xtext (RFC 3461), HTML references, hexadecimal; in another case; split by spaces and punctuation.
///
/// Comparison is of letters and digits in lower case. No other text has eight of them in common with a token by chance.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// The secrets that are long enough for a piece, as they are and encoded.
    forms: Vec<Vec<u8>>,
    /// Secrets with fewer than [`PIECE`] letters and digits are found only as a whole, in any case of letters.
    short: Vec<String>,
    /// The halves of secrets that are codes.
    codes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Redactor {
    /// For these secrets. Empty ones are ignored.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Redactor {
        let mut redactor = Redactor::default();
        for secret in secrets.into_iter().filter(|secret| !secret.is_empty()) {
            let significant = letters_and_digits(secret.as_bytes());
            if significant.len() < PIECE {
                redactor.short.push(secret.to_owned());
                redactor.short.push(BASE64_STANDARD.encode(secret));
            } else if significant.len() == CODE_DIGITS && significant.iter().all(u8::is_ascii_digit) {
                let (first, last) = significant.split_at(CODE_DIGITS / 2);
                let halves = (first.to_vec(), last.to_vec());
                if !redactor.codes.contains(&halves) {
                    redactor.codes.push(halves);
                }
            }
            let forms = encoded_forms(secret.as_bytes()).into_iter().chain([secret.into()]);
            redactor.forms.extend(forms.filter(|form| form.len() >= PIECE));
        }
        redactor
    }

    /// The text with `[redacted]` in place of each secret.
    pub fn redact(&self, text: &str) -> String {
        let mut found = Vec::new();
        for decoded in Decoded::all_of(text) {
            found.extend(self.pieces_in(&decoded));
            found.extend(self.short_ones(&decoded));
            found.extend(self.codes_in(&decoded));
        }
        found.iter_mut().for_each(|range| *range = whole_word(text, range));
        replace(text, found)
    }

    /// The reply without the secrets in its text.
    pub fn redact_reply(&self, reply: SmtpReply) -> SmtpReply {
        SmtpReply { text: self.redact(&reply.text), ..reply }
    }

    fn short_ones(&self, text: &Decoded) -> Vec<Range<usize>> {
        self.short.iter().flat_map(|secret| text.places_of(secret.as_bytes())).collect()
    }

    fn codes_in(&self, text: &Decoded) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (first, last) in &self.codes {
            for start in text.starts_of(first) {
                let gaps = start + first.len()..=start + first.len() + CODE_GAP;
                let end = gaps.map(|at| at..at + last.len()).find(|half| text.holds(half.start, last));
                found.extend(end.map(|half| text.range(start..half.end)));
            }
        }
        found
    }

    fn pieces_in(&self, text: &Decoded) -> Vec<Range<usize>> {
        let significant: Vec<&(u8, Range<usize>)> =
            text.0.iter().filter(|(byte, _)| SIGNIFICANT[usize::from(*byte)] != 0).collect();
        let piece =
            |window: &[&(u8, Range<usize>)]| window.iter().fold(0, |piece, (byte, _)| with(piece, *byte));
        let pieces: HashSet<u64> = significant.windows(PIECE).map(piece).collect();
        if pieces.is_empty() {
            return Vec::new();
        }
        let secret = self.pieces_of_secrets_among(&pieces);
        let windows = significant.windows(PIECE).filter(|window| secret.contains(&piece(window)));
        windows.map(|window| window[0].1.start..window[PIECE - 1].1.end).collect()
    }

    /// Most replies have no piece of a secret: a small table of their hashes decides that without a set look-up.
    fn pieces_of_secrets_among(&self, pieces: &HashSet<u64>) -> HashSet<u64> {
        let slot = |piece: u64| (piece.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize;
        let mut table = [false; 4096];
        pieces.iter().for_each(|piece| table[slot(*piece)] = true);
        let mut found = HashSet::new();
        for form in &self.forms {
            let significant = form.iter().filter(|byte| SIGNIFICANT[usize::from(**byte)] != 0);
            let mut piece = 0;
            for (index, byte) in significant.enumerate() {
                piece = with(piece, *byte);
                if index + 1 >= PIECE && table[slot(piece)] && pieces.contains(&piece) {
                    found.insert(piece);
                }
            }
        }
        found
    }
}

/// An address as logs show it: `a***e@example.org`.
pub fn masked(address: &str) -> String {
    EmailAddress::parse(address).map_or_else(|_| "***".to_owned(), |address| address.masked())
}

/// A text for the log: servers repeat the recipient, in any case of letters.
pub fn mask_address(text: &str, address: &str) -> String {
    let (lower, address_lower) = (text.to_ascii_lowercase(), address.to_ascii_lowercase());
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for (start, found) in lower.match_indices(&address_lower).filter(|_| !address.is_empty()) {
        shown.push_str(&text[at..start]);
        shown.push_str(&masked(address));
        at = start + found.len();
    }
    shown.push_str(&text[at..]);
    shown
}

/// The secret in hexadecimal, and in base64 at each of the three positions that it can have in a longer text.
fn encoded_forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
    let mut hex = Vec::with_capacity(2 * secret.len());
    secret.iter().for_each(|byte| hex.extend([digit(byte >> 4), digit(byte & 15)]));
    let mut forms = vec![hex];
    for position in 0..3 {
        let longer = [&[0; 2][..position], secret].concat();
        let mut encoded = BASE64_STANDARD.encode(&longer).into_bytes();
        // The first and the last character also hold bits of the text around it.
        encoded.drain(..if position == 0 { 0 } else { position + 1 });
        if !longer.len().is_multiple_of(3) {
            encoded.truncate(encoded.iter().position(|byte| *byte == b'=').unwrap_or(encoded.len()) - 1);
        }
        forms.push(encoded);
    }
    forms
}

/// Letters in lower case and digits; 0 for every other byte. A table, because each reply waits for all forms of a secret.
const SIGNIFICANT: [u8; 256] = {
    let mut significant = [0; 256];
    let mut byte = b'0';
    while byte <= b'z' {
        if byte.is_ascii_alphanumeric() {
            significant[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    significant
};

fn letters_and_digits(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| SIGNIFICANT[usize::from(*byte)]).filter(|byte| *byte != 0).collect()
}

/// A piece, moved on by one letter or digit.
fn with(piece: u64, byte: u8) -> u64 {
    (piece << 8) | u64::from(SIGNIFICANT[usize::from(byte)])
}

/// A text's bytes after some decodings, each with its place in the original text.
pub(crate) struct Decoded(Vec<(u8, Range<usize>)>);

impl Decoded {
    /// The text as it is, and after each decoding of its escapes. Most texts have none.
    pub(crate) fn all_of(text: &str) -> impl Iterator<Item = Decoded> {
        let as_it_is = Decoded(text.bytes().enumerate().map(|(at, byte)| (byte, at..at + 1)).collect());
        let mut next = Some(as_it_is);
        (0..=MAX_DECODINGS).map_while(move |_| {
            let decoded = next.take()?;
            next = decoded.decode();
            Some(decoded)
        })
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.iter().map(|(byte, _)| *byte).collect()
    }

    /// Where some of these bytes, at least one, stand in the original text.
    pub(crate) fn range(&self, of: Range<usize>) -> Range<usize> {
        self.0[of.start].1.start..self.0[of.end - 1].1.end
    }

    /// Where these bytes stand in the original text, in any case of letters.
    fn places_of(&self, wanted: &[u8]) -> Vec<Range<usize>> {
        self.starts_of(wanted).map(|start| self.range(start..start + wanted.len())).collect()
    }

    fn starts_of<'a>(&'a self, wanted: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        (0..(self.0.len() + 1).saturating_sub(wanted.len())).filter(|start| self.holds(*start, wanted))
    }

    fn holds(&self, start: usize, wanted: &[u8]) -> bool {
        let at = self.0.get(start..start + wanted.len());
        at.is_some_and(|at| at.iter().zip(wanted).all(|((byte, _), of)| byte.eq_ignore_ascii_case(of)))
    }

    /// With the bytes that runs of hexadecimal digits stand for, where these are all visible characters of ASCII and at
    /// least `shortest`; `None` when there is no such run.
    pub(crate) fn decode_hex(&self, shortest: usize) -> Option<Decoded> {
        let (mut decoded, mut at, mut any) = (Vec::new(), 0, false);
        while at < self.0.len() {
            let run = self.0[at..].iter().take_while(|(byte, _)| byte.is_ascii_hexdigit()).count();
            // The run may begin with a digit that belongs to something else.
            match (0..2).find_map(|skipped| self.hex_in(at + skipped..at + run, shortest)) {
                Some(bytes) => {
                    decoded.extend(bytes);
                    any = true;
                }
                None => decoded.extend_from_slice(&self.0[at..at + run.max(1)]),
            }
            at += run.max(1);
        }
        any.then_some(Decoded(decoded))
    }

    fn hex_in(&self, run: Range<usize>, shortest: usize) -> Option<Vec<(u8, Range<usize>)>> {
        let value = |(byte, _): &(u8, Range<usize>)| char::from(*byte).to_digit(16);
        let pairs = self.0.get(run)?.chunks_exact(2);
        let bytes = pairs.map(|pair| {
            let byte = u8::try_from(value(&pair[0])? * 16 + value(&pair[1])?).ok()?;
            (byte == b' ' || byte.is_ascii_graphic()).then(|| (byte, pair[0].1.start..pair[1].1.end))
        });
        bytes.collect::<Option<Vec<_>>>().filter(|bytes| bytes.len() >= shortest)
    }

    /// Decodes every escape once; `None` when there is none.
    fn decode(&self) -> Option<Decoded> {
        let (mut decoded, mut at, mut any) = (Vec::with_capacity(self.0.len()), 0, false);
        while at < self.0.len() {
            let (byte, length) = self.escape_at(at).unwrap_or((self.0[at].0, 1));
            any |= length > 1;
            decoded.push((byte, self.0[at].1.start..self.0[at + length - 1].1.end));
            at += length;
        }
        any.then_some(Decoded(decoded))
    }

    /// The byte of an escape, and how many bytes it takes: `%2E`, `=2E`, `+2E`, `\x2E`, `&#46;`, `&#x2E;`, `&amp;`,
    /// `\u002E`.
    fn escape_at(&self, at: usize) -> Option<(u8, usize)> {
        let byte = |offset: usize| self.0.get(at + offset).map(|(byte, _)| *byte);
        let hex = |start: usize, digits: usize| {
            (start..start + digits)
                .try_fold(0, |value: u32, offset| Some(value * 16 + char::from(byte(offset)?).to_digit(16)?))
        };
        let ascii = |value: u32| u8::try_from(value).ok();
        match (byte(0)?, byte(1)?) {
            (b'%' | b'=' | b'+', _) => Some((ascii(hex(1, 2)?)?, 3)),
            (b'\\', b'x') => Some((ascii(hex(2, 2)?)?, 4)),
            (b'\\', b'u') => Some((ascii(hex(2, 4)?)?, 6)),
            (b'&', b'#') => {
                let end = (2..10).find(|offset| byte(*offset) == Some(b';'))?;
                let (digits, radix) = if matches!(byte(2)?, b'x' | b'X') { (3, 16) } else { (2, 10) };
                let value = (digits..end).try_fold(0, |value: u32, offset| {
                    Some(value * radix + char::from(byte(offset)?).to_digit(radix)?)
                })?;
                Some((ascii(value)?, end + 1))
            }
            (b'&', _) => {
                let (name, byte) = NAMED.iter().find(|(name, _)| self.holds(at, name))?;
                Some((*byte, name.len()))
            }
            _ => None,
        }
    }
}

/// The named references of HTML that stand for characters which it escapes, and for the blank that does not break.
const NAMED: [(&[u8], u8); 6] = [
    (b"&amp;", b'&'),
    (b"&nbsp;", b' '),
    (b"&lt;", b'<'),
    (b"&gt;", b'>'),
    (b"&quot;", b'"'),
    (b"&apos;", b'\''),
];

/// The range, extended to the whole word in which it is.
fn whole_word(text: &str, range: &Range<usize>) -> Range<usize> {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"._~%=+-".contains(byte);
    let before = text.as_bytes()[..range.start].iter().rev().take_while(is_word).count();
    let after = text.as_bytes()[range.end..].iter().take_while(is_word).count();
    range.start - before..range.end + after
}

/// The text with `[redacted]` in place of each range, and once where some overlap.
pub(crate) fn replace(text: &str, mut found: Vec<Range<usize>>) -> String {
    found.sort_unstable_by_key(|range| range.start);
    let (mut redacted, mut at) = (String::with_capacity(text.len()), 0);
    for range in found {
        if range.start >= at {
            redacted.push_str(&text[at..range.start]);
            redacted.push_str(REDACTED);
        }
        at = at.max(range.end);
    }
    redacted.push_str(&text[at..]);
    redacted
}

#[cfg(test)]
mod tests;

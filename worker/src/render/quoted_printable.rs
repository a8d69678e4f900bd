//! Quoted-printable (RFC 2045 §6.7), for texts whose lines end in LF.
//!
//! Own code, because lettre's encoder takes longer than everything else that makes an email: it moves the text once a
//! line and encodes one character at a time.

/// Longest encoded line, without its CRLF (RFC 2045 §6.7, rule 5).
const LINE: usize = 76;

/// The text as it is in a message: every LF as CRLF, lines of at most 76 characters.
pub(super) fn encode(text: &str) -> Vec<u8> {
    let mut encoded = Vec::with_capacity(text.len() + text.len() / 8);
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        encode_line(line.as_bytes(), &mut encoded);
        if lines.peek().is_some() {
            encoded.extend_from_slice(b"\r\n");
        }
    }
    encoded
}

fn encode_line(line: &[u8], encoded: &mut Vec<u8>) {
    let mut room = LINE;
    for (index, &byte) in line.iter().enumerate() {
        let last = index + 1 == line.len();
        // Servers may remove white space at the end of a line (rule 3).
        let plain = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
        let width = if plain { 1 } else { 3 };
        // A soft line break takes one character, unless nothing follows.
        if width + usize::from(!last) > room {
            encoded.extend_from_slice(b"=\r\n");
            room = LINE;
        }
        room -= width;
        if plain {
            encoded.push(byte);
        } else {
            encoded.extend_from_slice(&[b'=', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

fn digit(half: u8) -> u8 {
    if half < 10 { b'0' + half } else { b'A' + half - 10 }
}

#[cfg(test)]
mod tests {
    use mail_parser::decoders::quoted_printable::quoted_printable_decode;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_would_be_changed_in_transit_is_encoded() {
        for (text, encoded) in [
            ("plain text.", "plain text."),
            ("a = b", "a =3D b"),
            ("Zoë", "Zo=C3=AB"),
            ("end \nend\t\n", "end=20\r\nend=09\r\n"),
            ("a\n\nb", "a\r\n\r\nb"),
            ("\u{0}\r", "=00=0D"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(encode(text)).unwrap(), encoded, "{text:?}");
        }
        let (full, over) = ("x".repeat(76), "x".repeat(77));
        assert_eq!(encode(&full), full.as_bytes());
        assert_eq!(encode(&over), format!("{}=\r\nxx", "x".repeat(75)).as_bytes());
    }

    proptest! {
        #[test]
        fn any_text_is_encoded_in_short_ascii_lines_and_decoded_again(text in "([ -~\t\n=éß李\u{0}]|[ ]{1,3}\n){0,400}") {
            let encoded = String::from_utf8(encode(&text)).unwrap();
            for line in encoded.split("\r\n") {
                prop_assert!(line.len() <= 76 && line.is_ascii() && !line.ends_with([' ', '\t']), "{:?}", line);
                prop_assert!(!line.contains(['\r', '\n']), "{:?}", line);
            }
            let decoded = quoted_printable_decode(encoded.as_bytes()).unwrap();
            prop_assert_eq!(String::from_utf8(decoded).unwrap().replace("\r\n", "\n"), text);
        }
    }
}

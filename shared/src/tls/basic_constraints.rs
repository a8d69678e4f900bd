//! The extension `basicConstraints` of a certificate: whether it is that of an authority. rustls and webpki do not show
//! it.

/// A value in DER: its tag, its content, and what follows.
struct Value<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[3]`, the field of `TBSCertificate` with the extensions (RFC 5280 §4.1).
const EXTENSIONS: u8 = 0xa3;
/// 2.5.29.19
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];

/// Whether the certificate, in DER, says `CA:TRUE`. Without the extension it does not (RFC 5280 §4.2.1.9).
pub(super) fn has_ca_true(certificate: &[u8]) -> bool {
    ca_of(certificate).is_some_and(|ca| ca.tag == BOOLEAN && ca.content != [0])
}

fn ca_of(certificate: &[u8]) -> Option<Value<'_>> {
    let certificate = first(certificate, SEQUENCE)?;
    let to_be_signed = first(certificate, SEQUENCE)?;
    let extensions = values(to_be_signed).find(|value| value.tag == EXTENSIONS)?;
    let extension = values(first(extensions.content, SEQUENCE)?).find(|extension| {
        first(extension.content, OBJECT_IDENTIFIER).is_some_and(|id| id == BASIC_CONSTRAINTS)
    })?;
    let value = values(extension.content).find(|value| value.tag == OCTET_STRING)?;
    values(first(value.content, SEQUENCE)?).next()
}

fn first(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    values(bytes).next().filter(|value| value.tag == tag).map(|value| value.content)
}

/// Ends at what is not DER.
fn values(mut bytes: &[u8]) -> impl Iterator<Item = Value<'_>> {
    std::iter::from_fn(move || {
        let value = read(bytes)?;
        bytes = value.rest;
        Some(value)
    })
}

/// A length up to 127 is one byte; before a longer one stands how many bytes it has.
fn read(bytes: &[u8]) -> Option<Value<'_>> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&length, bytes) = bytes.split_first()?;
    let (length, bytes) = if length < 0x80 {
        (usize::from(length), bytes)
    } else {
        let count = Some(usize::from(length & 0x7f)).filter(|count| *count <= 4)?;
        let (digits, bytes) = bytes.split_at_checked(count)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), bytes)
    };
    let (content, rest) = bytes.split_at_checked(length)?;
    Some(Value { tag, content, rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_or_has_an_endless_length_is_no_value() {
        for bytes in
            [&[][..], &[0x30], &[0x30, 2, 1], &[0x30, 0x82, 1], &[0x30, 0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1]]
        {
            assert!(read(bytes).is_none() && !has_ca_true(bytes), "{bytes:?}");
        }
        let long = [&[0x04, 0x82, 0x01, 0x00][..], &[7; 256], &[5]].concat();
        assert!(read(&long).is_some_and(|value| value.content == [7; 256] && value.rest == [5]));
    }
}

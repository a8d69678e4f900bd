//! Each way in which a server's reply can repeat a secret.

use proptest::prelude::*;

use super::*;

const TOKEN: &str = "eyJlbWFpbCI6InpvZUBleGFtcGxlLm9yZyIsInVpZCI6IjAxOTNiZDVhLTdlNWMtN2QxYi1iY2M0LTRhOWUyZjM3YjZkMSJ9.aMVPxA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";

/// The longest run of letters and digits of a secret that is left in a text, in any of its forms.
fn left(secret: &str, text: &str) -> usize {
    let text = letters_and_digits(text.as_bytes());
    let forms: Vec<_> =
        encoded_forms(secret.as_bytes()).iter().map(|form| letters_and_digits(form)).collect();
    let is_left = |length: usize| {
        let in_text = |piece: &[u8]| text.windows(length).any(|window| window == piece);
        forms.iter().any(|form| form.windows(length).any(in_text))
    };
    (1..=secret.len()).take_while(|length| is_left(*length)).last().unwrap_or(0)
}

fn escaped(secret: &str, each: impl Fn(u8) -> String) -> String {
    secret.bytes().map(each).collect()
}

fn base64_in(before: &str, secret: &str, after: &str) -> String {
    BASE64_STANDARD.encode(format!("{before}{secret}{after}"))
}

fn every_form() -> Vec<String> {
    let link = format!("https://books.example.org/api/v1/auth/verify/{TOKEN}");
    let percent_encoded = escaped(&link, |byte| format!("%{byte:02X}"));
    vec![
        link.clone(),
        format!("<{link}>,"),
        link.to_uppercase(),
        link.to_lowercase(),
        link.replace('.', "=2E"),
        link.replace('.', "%2e"),
        link.replace('.', "[.]"),
        link.replace("://", "[:]//").replace('.', " dot "),
        escaped(&link, |byte| format!("={byte:02X}")),
        escaped(&link, |byte| format!("+{byte:02X}")),
        escaped(&link, |byte| format!("&#{byte};")),
        escaped(&link, |byte| format!("&#x{byte:x};")),
        escaped(&link, |byte| format!("\\x{byte:02x}")),
        escaped(&link, |byte| format!("\\u{byte:04x}")),
        escaped(&link, |byte| format!("{byte:02x}")),
        escaped(&link, |byte| format!("{byte:02X} ")),
        escaped(&percent_encoded, |byte| format!("%{byte:02X}")),
        link.as_bytes().chunks(10).map(|chunk| format!("{} ", String::from_utf8_lossy(chunk))).collect(),
        link.as_bytes().chunks(60).map(|chunk| format!("{}= ", String::from_utf8_lossy(chunk))).collect(),
        base64_in("", TOKEN, ""),
        base64_in("a", TOKEN, "b"),
        base64_in("ab", TOKEN, "cd"),
        base64_in("abc", TOKEN, "def").replace('+', "-").replace('/', "_"),
        base64_in("", &link, "")
            .as_bytes()
            .chunks(40)
            .map(|chunk| format!("{} ", String::from_utf8_lossy(chunk)))
            .collect(),
        base64_in("", &link, "").replace('=', "%3D"),
        TOKEN[20..].to_owned(),
        TOKEN[..90].to_owned(),
        TOKEN[TOKEN.len() - 43..].to_owned(),
    ]
}

#[test]
fn a_token_is_redacted_in_every_form_that_a_reply_can_have() {
    let redactor = Redactor::new([TOKEN]);
    for form in every_form() {
        let redacted = redactor.redact(&format!("550 5.7.1 {form} is on a block list"));
        assert!(redacted.contains(REDACTED), "{form}: {redacted}");
        assert!(left(TOKEN, &redacted) < PIECE, "{form}: {redacted}");
        assert!(
            redacted.starts_with("550 5.7.1 ") && redacted.ends_with(" is on a block list"),
            "{redacted}"
        );
    }
}

#[test]
fn a_link_keeps_what_is_not_secret() {
    let text = format!("blocked: https://books.example.org/api/v1/auth/verify/{TOKEN}.");
    let redacted = Redactor::new([TOKEN]).redact(&text);
    assert_eq!(redacted, "blocked: https://books.example.org/api/v1/auth/verify/[redacted]");
}

#[test]
fn a_password_is_redacted_as_it_is_and_in_base64_also_when_it_is_short() {
    for password in ["correct horse battery", "hunter2", "p!2", "é€", "-----", "12345678"] {
        let plain = BASE64_STANDARD.encode(format!("\0zoe\0{password}"));
        let alone = BASE64_STANDARD.encode(password);
        let redactor = Redactor::new([password, &plain]);
        for form in [password, &plain, &alone] {
            let redacted = redactor.redact(&format!("535 5.7.8 {form} is wrong"));
            assert!(!redacted.contains(form), "{password}: {redacted}");
            assert!(redacted.starts_with("535 5.7.8 ") && redacted.ends_with(" is wrong"), "{redacted}");
        }
    }
}

#[test]
fn a_short_password_is_redacted_in_any_encoding_and_case() {
    for (password, form) in [
        ("p@ss!w0", "p%40ss%21w0"),
        ("p@ss!w0", "P@SS!W0"),
        ("p@ss!w0", "p=40ss=21w0"),
        ("p@ss!w0", "p%2540ss%2521w0"),
        ("abc&1", "abc&amp;1"),
        ("abc&1", "ABC&#38;1"),
        ("a<b>\"c", "a&lt;b&gt;&quot;c"),
    ] {
        let redacted = Redactor::new([password]).redact(&format!("535 5.7.8 {form} is wrong"));
        assert_eq!(redacted, "535 5.7.8 [redacted] is wrong", "{form}");
    }
}

#[test]
fn a_code_is_redacted_with_anything_short_between_its_halves() {
    let redactor = Redactor::new(["2096 7417", "20967417"]);
    for form in [
        "20967417",
        "2096 7417",
        "2096-7417",
        "2096_7417",
        "2096.7417",
        "2096x7417",
        "2096&nbsp;7417",
        "2096&thinsp;7417",
        "2096%207417",
        "2096=207417",
        "2096%C2%A07417",
        "2096 and 7417",
        "3230393620 37343137",
    ] {
        let redacted = redactor.redact(&format!("550 5.7.1 {form} is spam"));
        assert!(!redacted.contains("2096") && !redacted.contains("7417"), "{form}: {redacted}");
        assert!(redacted.starts_with("550 5.7.1 [redacted]") && redacted.ends_with(" is spam"), "{redacted}");
    }
    for other in ["7417 2096", "2096 messages in 7417 s", "2096", "20971 7417"] {
        assert_eq!(redactor.redact(other), other);
    }
}

#[test]
fn an_address_is_masked_in_any_case_of_letters() {
    let text = "550 <Ann@Example.org>: ann@example.org unknown, é ANN@EXAMPLE.ORG";
    assert_eq!(
        mask_address(text, "ann@example.org"),
        "550 <a***@example.org>: a***@example.org unknown, é a***@example.org"
    );
    assert_eq!(mask_address(text, ""), text);
    assert_eq!(mask_address(text, "bob@example.org"), text);
}

#[test]
fn replies_without_a_secret_are_not_changed() {
    let redactor = Redactor::new([TOKEN, "correct horse battery"]);
    for text in [
        "250 2.0.0 Ok: queued as 4Z2rKp0xq3z2KQ4",
        "550 5.1.1 <zoe@example.org>: Recipient address rejected: User unknown = 50% +1 &#x; \\u12",
        "451 4.7.1 Greylisted, see https://postgrey.example/help/example.org.html",
        "",
        "%",
        "é=",
    ] {
        assert_eq!(redactor.redact(text), text);
    }
    assert_eq!(Redactor::new([""]).redact("anything at all"), "anything at all");
}

proptest! {
    #[test]
    fn no_text_around_or_within_a_secret_keeps_a_piece_of_it(
        secret in "[A-Za-z0-9_-]{24,80}", before in "\\PC{0,20}", after in "\\PC{0,20}", every in 1usize..30, between in "[ =.\\-]{0,3}",
    ) {
        let split: String = secret.as_bytes().chunks(every).map(|chunk| format!("{}{between}", String::from_utf8_lossy(chunk))).collect();
        let redactor = Redactor::new([secret.as_str()]);
        for form in [split, base64_in(&before, &secret, &after)] {
            let redacted = redactor.redact(&format!("{before} {form} {after}"));
            prop_assert!(left(&secret, &redacted) < PIECE, "{}", redacted);
        }
    }
}

//! The texts of every language.

use super::super::messages::BUILT_IN;
use super::*;

fn catalogues(locale: Locale, own: &str) -> Catalogues {
    Catalogues::new(&[(locale, Messages::parse(own.to_owned()).unwrap())]).unwrap()
}

fn values(pairs: &[(&'static str, &'static str)]) -> FluentArgs<'static> {
    pairs.iter().copied().collect()
}

#[test]
fn every_catalogue_stands_at_the_place_of_its_language() {
    for (index, (locale, _)) in BUILT_IN.into_iter().enumerate() {
        assert_eq!((locale as usize, Locale::ALL[index]), (index, locale));
        assert_eq!(catalogues(Locale::En, "").of(locale).locale(), locale);
    }
}

#[test]
fn an_override_replaces_one_message_of_one_language() {
    let all = catalogues(Locale::De, "verify-email-subject = Los\n");
    let text = |locale, id| all.of(locale).format(id, &values(&[]), Markup::Text).unwrap();
    assert_eq!(text(Locale::De, "verify-email-subject"), "Los");
    assert_eq!(text(Locale::En, "verify-email-subject"), "Verify your email");
    assert_ne!(text(Locale::De, "verify-email-button"), "Los");
}

#[test]
fn a_plain_message_is_the_one_that_is_made_with_values() {
    let all = catalogues(Locale::De, "mail-was-you = a < \"b\" & 'c'\n");
    let mut plain = 0;
    for (locale, id) in Locale::ALL.into_iter().flat_map(|of| {
        let ids: Vec<String> = Messages::built_in(of).ids().map(str::to_owned).collect();
        ids.into_iter().map(move |id| (of, id))
    }) {
        for markup in [Markup::Text, Markup::Html] {
            let Some(text) = all.of(locale).plain(&id, markup) else { continue };
            assert_eq!(text, all.of(locale).format(&id, &values(&[]), markup).unwrap(), "{locale} {id}");
            plain += 1;
        }
    }
    assert!(plain > 100, "{plain}");
    assert_eq!(all.of(Locale::De).plain("greeting-name", Markup::Text), None, "it has a value");
}

#[test]
fn a_message_that_only_english_has_is_english() {
    let all = catalogues(Locale::En, "ours = Only in English\n");
    assert_eq!(all.of(Locale::Ja).format("ours", &values(&[]), Markup::Text).unwrap(), "Only in English");
    assert!(all.of(Locale::Ja).has("ours") && !all.of(Locale::Ja).has("theirs"));
}

#[test]
fn html_escapes_the_message_and_leaves_its_values() {
    let all = catalogues(Locale::De, "ours = a < \"b\" & { $x }\n");
    let given = values(&[("x", "<b>1</b>")]);
    let german = all.of(Locale::De);
    assert_eq!(german.format("ours", &given, Markup::Html).unwrap(), "a &lt; &quot;b&quot; &amp; <b>1</b>");
    assert_eq!(german.format("ours", &given, Markup::Text).unwrap(), "a < \"b\" & <b>1</b>");
}

#[test]
fn html_escapes_every_literal_of_a_message() {
    let own = r#"
ours = { "<b>" } { "\u003Ci>" } { "\"\\&" } { -term(arg: "<u>") }
-term = { $arg }{ "<" }
chosen = { $x ->
[one] { "<1>" }
   *[other] { { "<>" } } { with.part }
}
with =
.part = { "<p>" }
"#;
    let all = catalogues(Locale::De, own);
    let german = all.of(Locale::De);
    let format = |id, markup| german.format(id, &values(&[("x", "two")]), markup).unwrap();
    assert_eq!(format("ours", Markup::Html), r"&lt;b&gt; &lt;i&gt; &quot;\&amp; &lt;u&gt;&lt;");
    assert_eq!(format("ours", Markup::Text), r#"<b> <i> "\& <u><"#);
    assert_eq!(format("chosen", Markup::Html), "&lt;&gt; &lt;p&gt;");
    assert_eq!(format("chosen", Markup::Text), "<> <p>");
}

#[test]
fn values_are_marked_for_the_order_of_writing_only_from_right_to_left() {
    for (locale, expected) in [(Locale::De, "a b c"), (Locale::Ar, "a \u{2068}b\u{2069} c")] {
        let text = catalogues(locale, "ours = a { $x } c\n");
        assert_eq!(text.of(locale).format("ours", &values(&[("x", "b")]), Markup::Text).unwrap(), expected);
    }
}

#[test]
fn unknown_messages_and_variables_are_errors_without_values() {
    let all = catalogues(Locale::De, "ours = { $x } { $secret }\n");
    let german = all.of(Locale::De);
    assert_eq!(german.format("theirs", &values(&[]), Markup::Text), Err(TextError::Unknown("theirs".into())));
    let said = german.format("ours", &values(&[("x", "12345678")]), Markup::Text).unwrap_err().to_string();
    assert!(said.contains("ours") && said.contains("$secret") && !said.contains("1234"), "{said}");
}

#[test]
fn a_time_is_written_as_in_the_language_and_names_its_zone() {
    let all = catalogues(Locale::En, "");
    let moment = DateTime::parse_from_rfc3339("2026-11-03T09:04:59Z").unwrap().to_utc();
    assert_eq!(all.of(Locale::En).moment(moment).unwrap(), "3 November 2026, 09:04 UTC");
    for (locale, date, time) in [
        (Locale::De, "3. November 2026", "09:04"),
        (Locale::Fr, "3 novembre 2026", "09:04"),
        (Locale::Es, "3 de noviembre de 2026", "09:04"),
        (Locale::It, "3 novembre 2026", "09:04"),
        (Locale::PtBr, "3 de novembro de 2026", "09:04"),
        (Locale::Nl, "3 november 2026", "09:04"),
        (Locale::Pl, "3 listopada 2026", "09:04"),
        (Locale::Uk, "3 листопада 2026\u{202f}р.", "09:04"),
        (Locale::Tr, "3 Kasım 2026", "09:04"),
        (Locale::Ja, "2026年11月3日", "9:04"),
        (Locale::ZhHans, "2026年11月3日", "09:04"),
        (Locale::Ar, "3 نوفمبر 2026", "09:04"),
    ] {
        let parts = all.of(locale).moments.parts(moment).unwrap();
        assert_eq!((parts.0.as_str(), parts.1.as_str()), (date, time), "{locale}");
        let whole = all.of(locale).moment(moment).unwrap();
        assert!(whole.contains(date) && whole.contains(time) && whole.contains("UTC"), "{whole}");
    }
}

#[test]
fn a_duration_is_text_and_never_too_long() {
    let all = catalogues(Locale::En, "");
    for (seconds, text) in [
        (1, "1 second"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (3600, "1 hour"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (12_000, "3 hours"),
        (86_400, "24 hours"),
        (259_200, "3 days"),
    ] {
        assert_eq!(all.of(Locale::En).duration(Duration::from_secs(seconds)).unwrap(), text);
    }
}

#[test]
fn durations_have_the_plurals_of_their_language() {
    let all = catalogues(Locale::En, "");
    for (locale, minutes, text) in [
        (Locale::De, 1, "1 Minute"),
        (Locale::De, 5, "5 Minuten"),
        (Locale::Pl, 2, "2 minuty"),
        (Locale::Pl, 5, "5 minut"),
        (Locale::Pl, 22, "22 minuty"),
        (Locale::Uk, 21, "21 хвилину"),
        (Locale::Uk, 3, "3 хвилини"),
        (Locale::Uk, 11, "11 хвилин"),
        (Locale::Ja, 5, "5分"),
        (Locale::Ar, 2, "دقيقتين"),
        (Locale::Ar, 3, "\u{2068}3\u{2069} دقائق"),
        (Locale::Ar, 11, "\u{2068}11\u{2069} دقيقة"),
    ] {
        let found = all.of(locale).duration(Duration::from_secs(minutes * 60)).unwrap();
        assert_eq!(found, text, "{locale} {minutes}");
    }
}

//! Which language a tag and a header get.

use super::*;

#[test]
fn every_tag_gets_the_language_that_serves_it() {
    for (tag, served) in [
        ("en", Some(Locale::En)),
        ("en-US", Some(Locale::En)),
        ("EN-gb", Some(Locale::En)),
        ("en-Shaw", None),
        ("de-AT", Some(Locale::De)),
        ("de-Latn-CH-1996", Some(Locale::De)),
        ("de-DE-u-co-phonebk", Some(Locale::De)),
        ("fr-CA", Some(Locale::Fr)),
        ("es-419", Some(Locale::Es)),
        ("it", Some(Locale::It)),
        ("pt", Some(Locale::PtBr)),
        ("pt-PT", Some(Locale::PtBr)),
        ("pt-br", Some(Locale::PtBr)),
        ("nl-BE", Some(Locale::Nl)),
        ("pl", Some(Locale::Pl)),
        ("uk-UA", Some(Locale::Uk)),
        ("tr", Some(Locale::Tr)),
        ("ja-JP", Some(Locale::Ja)),
        ("zh", Some(Locale::ZhHans)),
        ("zh-CN", Some(Locale::ZhHans)),
        ("zh-SG", Some(Locale::ZhHans)),
        ("zh-Hans-HK", Some(Locale::ZhHans)),
        ("cmn-Hans", Some(Locale::ZhHans)),
        ("zh-TW", None),
        ("zh-HK", None),
        ("zh-Hant", None),
        ("yue", None),
        ("ar", Some(Locale::Ar)),
        ("ar-EG", Some(Locale::Ar)),
        ("sv", None),
        ("und", None),
        ("xx-YY", None),
    ] {
        assert_eq!(LanguageTag::parse(tag).unwrap().locale(), served, "{tag}");
    }
    for locale in Locale::ALL {
        assert_eq!(Locale::of_tag(locale.tag()), Some(locale));
        assert_eq!(locale.tag().to_lowercase().parse(), Ok(locale));
        assert!(NotShipped.to_string().contains(locale.tag()), "{locale}");
    }
}

#[test]
fn a_tag_is_kept_in_its_canonical_form_without_extensions() {
    for (tag, canonical) in [
        ("DE-at", "de-AT"),
        ("zh-hans-cn", "zh-Hans-CN"),
        ("cmn", "zh"),
        ("iw", "he"),
        ("en-US-u-hc-h12-x-mine", "en-US"),
    ] {
        assert_eq!(LanguageTag::parse(tag).unwrap().to_string(), canonical);
    }
}

#[test]
fn malformed_tags_are_refused() {
    let long = format!("de-{}", "abcde-".repeat(20));
    for text in [
        "",
        " ",
        "d",
        "de_AT",
        "de-",
        "-de",
        "de AT",
        "english-language",
        "*",
        "dé",
        "i-klingon",
        "de\0",
        &long,
    ] {
        assert_eq!(LanguageTag::parse(text), Err(LanguageTagError), "{text:?}");
    }
}

#[test]
fn the_heaviest_language_that_is_served_is_preferred() {
    for (header, preferred) in [
        ("de", Some("de")),
        ("de-AT,de;q=0.9,en;q=0.8", Some("de-AT")),
        ("sv, de;q=0.5, en;q=0.8", Some("en")),
        ("sv,nb;q=0.9", None),
        ("zh-TW,zh;q=0.9,en;q=0.8", Some("en")),
        ("zh-TW,zh;q=0.9", None),
        ("zh-Hant-HK,zh-HK;q=0.9,zh;q=0.8", None),
        ("zh-TW,zh-CN;q=0.9", Some("zh-CN")),
        ("zh-TW,zh;q=0.9,zh-Hans;q=0.8", Some("zh-Hans")),
        ("zh,zh-TW;q=0.9", Some("zh")),
        ("zh-CN,zh;q=0.9,en;q=0.8", Some("zh-CN")),
        ("zh-TW, en;q=0.1", Some("en")),
        ("de;q=0, en;q=0.1", Some("en")),
        ("en;q=0.5, fr;q=0.5", Some("en")),
        ("fr ; q = 0.7, en;q=0.6", Some("fr")),
        ("de;q=x, it;q=0.001", Some("it")),
        ("*", None),
        ("*;q=0.5, tr;q=0.4", Some("tr")),
        ("", None),
        (",,;q=1,de_AT,ja", Some("ja")),
    ] {
        let found = LanguageTag::preferred(header).map(|tag| tag.to_string());
        assert_eq!(found.as_deref(), preferred, "{header}");
    }
    assert_eq!(LanguageTag::preferred(&"xx,".repeat(100_000)), None);
}

//! How domains, ports, booleans, proxies and origins are read.

use super::*;

#[test]
fn a_domain_is_a_host_a_host_with_port_or_a_url() {
    for (given, expected) in [
        ("bookly.example.org", "https://bookly.example.org"),
        ("bookly.example.org:8443", "https://bookly.example.org:8443"),
        ("localhost:8000", "http://localhost:8000"),
        ("localhost:443", "http://localhost:443"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("::1", "http://[::1]"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("192.168.0.5:8000", "https://192.168.0.5:8000"),
        ("http://bookly.example.org/", "http://bookly.example.org"),
        ("https://bookly.example.org:443", "https://bookly.example.org"),
        ("bücher.example", "https://xn--bcher-kva.example"),
    ] {
        let url = PublicUrl::parse(given).unwrap();
        assert_eq!((url.as_str(), url.is_https()), (expected, expected.starts_with("https")), "{given}");
    }
    for given in [
        "ftp://x",
        "https://x/path",
        "https://u:p@x",
        "x?y",
        "a b",
        "x:port",
        "http://",
        "*.example.org",
        "a;b",
    ] {
        assert!(PublicUrl::parse(given).is_err(), "{given}");
    }
}

#[test]
fn a_port_that_the_system_chose_is_in_the_links() {
    let url = PublicUrl::on_this_machine(0);
    assert_eq!(url.with_bound_port(4711).as_str(), "http://localhost:4711");
    let url = PublicUrl::parse("bookly.example.org").unwrap();
    assert_eq!(url.with_bound_port(4711).as_str(), "https://bookly.example.org");
}

#[test]
fn booleans_are_read_as_pydantic_reads_them() {
    for text in ["True", "true", "1", "YES", "on", "t", "Y"] {
        assert_eq!(values::boolean(text), Ok(true), "{text}");
    }
    for text in ["False", "false", "0", "No", "OFF", "f", "n"] {
        assert_eq!(values::boolean(text), Ok(false), "{text}");
    }
    assert!(values::boolean("2").is_err());
}

#[test]
fn proxies_are_networks_or_single_addresses() {
    let proxies = values::networks("10.0.0.0/8, ::1,").unwrap();
    assert_eq!(proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
}

#[test]
fn origins_may_have_the_schemes_of_apps_and_nothing_behind_the_port() {
    let origins = |text: &str| values::origins(text);
    let good = "https://App.example.org, http://localhost:3000/, capacitor://localhost, ionic://localhost, tauri://localhost,\
                chrome-extension://abcdefgh, app://bookly:8080, http://[::1]:3000, https://app.acme.test:443, http://acme.test:80/, https://bücher.example";
    let expected = [
        "https://app.example.org",
        "http://localhost:3000",
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "chrome-extension://abcdefgh",
        "app://bookly:8080",
        "http://[::1]:3000",
        "https://app.acme.test",
        "http://acme.test",
        "https://xn--bcher-kva.example",
    ];
    assert_eq!(origins(good).unwrap(), expected);
    for wrong in [
        "*",
        "null",
        "app.example.org",
        "https://app.example.org/path",
        "https://*.example.org",
        "https://a;b.example.org",
        "https:app.example.org",
        "https:\\\\app.example.org",
        "https://user@app.example.org",
        "capacitor://localhost/path",
        "capacitor://",
        "capacitor://user@localhost",
        "file://localhost",
        "data:text/html,x",
        "capacitor:localhost",
        "https://a.example b.example",
    ] {
        let said = origins(wrong).unwrap_err();
        assert!(said.contains("capacitor://localhost"), "{wrong}");
        assert_eq!(said.contains("* is no wildcard"), wrong.contains('*'), "{said}");
    }
}

#[test]
fn the_limits_in_a_description_are_those_of_the_code() {
    let mut described = 0;
    for setting in table::SETTINGS {
        let (name, Some((low, high))) = (setting.name(), limits(setting.description())) else { continue };
        described += 1;
        let below = low.checked_sub(1).map(|below| (below, false));
        for (value, is_within) in below.into_iter().chain([(low, true), (high, true), (high + 1, false)]) {
            let is_refused = read(&[SERVER, &[(name, &value.to_string())]])
                .is_err_and(|error| error.problems().iter().any(|problem| problem.name() == name));
            assert_eq!(is_refused, !is_within, "{name}={value}");
        }
    }
    assert!(described > 10, "{described}");
}

/// The numbers of "1 to 1000".
fn limits(description: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = description.split_whitespace().collect();
    let number = |word: &str| word.trim_end_matches(|end: char| !end.is_ascii_digit()).parse().ok();
    words
        .windows(3)
        .filter(|words| words[1] == "to")
        .find_map(|words| Some((number(words[0])?, number(words[2])?)))
}

//! Access tokens in place of a password.

use super::*;

const TOKEN: &[(&str, &str)] = &[
    ("MAIL_PASSWORD", ""),
    ("MAIL_AUTH", "XOAuth2"),
    ("MAIL_OAUTH_TOKEN_URL", "https://token.example.org/token"),
    ("MAIL_OAUTH_CLIENT_ID", "bookly"),
    ("MAIL_OAUTH_CLIENT_SECRET", "hunter3"),
    ("MAIL_OAUTH_REFRESH_TOKEN", "hunter4"),
];

const SERVICE_ACCOUNT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../e2e/data/service_account.json");

/// `TOKEN` with a service account in place of the client.
const BY_KEY: &[(&str, &str)] = &[
    ("MAIL_OAUTH_TOKEN_URL", ""),
    ("MAIL_OAUTH_CLIENT_ID", ""),
    ("MAIL_OAUTH_CLIENT_SECRET", ""),
    ("MAIL_OAUTH_REFRESH_TOKEN", ""),
    ("MAIL_OAUTH_SERVICE_ACCOUNT_FILE", SERVICE_ACCOUNT),
];

fn oauth(vars: &[&[(&str, &str)]]) -> OAuthSettings {
    let settings = read(&[&[SERVER, TOKEN], vars].concat()).unwrap();
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    let MailTransport::Smtp(server) = settings.mail.transport else { panic!("no server") };
    let shown = format!("{server:?}");
    assert!(!shown.contains("hunter") && !shown.contains("PRIVATE"), "{shown}");
    match server.credentials.unwrap().auth {
        SmtpAuth::OAuth(settings) => *settings,
        SmtpAuth::Password(_) => panic!("a password"),
    }
}

/// Variables with their values.
type Environment<'a> = &'a [(&'a str, &'a str)];

#[test]
fn the_grant_is_a_refresh_token_a_service_account_or_else_client_credentials() {
    let settings = oauth(&[]);
    assert_eq!(settings.mechanism, OAuthMechanism::XOAuth2);
    assert_eq!((settings.token_url.as_str(), settings.scope), ("https://token.example.org/token", None));
    assert!(matches!(settings.grant, OAuthGrant::RefreshToken { client_secret: Some(_), .. }));
    let public = oauth(&[&[("MAIL_OAUTH_CLIENT_SECRET", "")]]);
    assert!(matches!(public.grant, OAuthGrant::RefreshToken { client_secret: None, .. }));
    let own = oauth(&[&[("MAIL_OAUTH_REFRESH_TOKEN", ""), ("MAIL_AUTH", "oauthbearer")]]);
    assert!(matches!(own.grant, OAuthGrant::ClientCredentials { .. }));
    assert_eq!(own.mechanism, OAuthMechanism::OAuthBearer);
    let account = oauth(&[BY_KEY]);
    assert!(matches!(account.grant, OAuthGrant::ServiceAccount(_)));
    let of_file = ("https://token.bookly.test/token", Some("https://mail.google.com/"));
    assert_eq!((account.token_url.as_str(), account.scope.as_deref()), of_file);
    let elsewhere = oauth(&[BY_KEY, &[("MAIL_OAUTH_TOKEN_URL", "http://127.0.0.1:1/token")]]);
    assert_eq!(elsewhere.token_url, "http://127.0.0.1:1/token");
}

#[test]
fn what_is_missing_or_contradicts_is_named_with_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let no_key = folder.path().join("key.json");
    fs::write(&no_key, r#"{"client_email": "a@b.test", "private_key": "hunter2"}"#).unwrap();
    let no_key = no_key.to_str().unwrap();
    let cases: [(Environment<'_>, &str, &str); 12] = [
        (&[("MAIL_AUTH", "gssapi")], "MAIL_AUTH", "xoauth2 or oauthbearer"),
        (&[("MAIL_PASSWORD", "hunter2")], "MAIL_PASSWORD", "or set MAIL_AUTH=password"),
        (&[("USE_CREDENTIALS", "false")], "USE_CREDENTIALS", "or remove MAIL_AUTH"),
        (&[("MAIL_USERNAME", "")], "MAIL_USERNAME", "the mailbox"),
        (&[("MAIL_USERNAME", "a\u{1}b")], "MAIL_USERNAME", "the mailbox"),
        (&[("MAIL_OAUTH_TOKEN_URL", "")], "MAIL_OAUTH_TOKEN_URL", "is needed"),
        (&[("MAIL_OAUTH_TOKEN_URL", "http://token.example.org/")], "MAIL_OAUTH_TOKEN_URL", "https"),
        (&[("MAIL_OAUTH_TOKEN_URL", "https://a:hunter2@b.test/")], "MAIL_OAUTH_TOKEN_URL", "https"),
        (&[("MAIL_OAUTH_CLIENT_ID", "")], "MAIL_OAUTH_CLIENT_ID", "or a service account"),
        (
            &[("MAIL_OAUTH_CLIENT_SECRET", ""), ("MAIL_OAUTH_REFRESH_TOKEN", "")],
            "MAIL_OAUTH_CLIENT_SECRET",
            "without MAIL_OAUTH_REFRESH_TOKEN",
        ),
        (
            &[("MAIL_OAUTH_SERVICE_ACCOUNT_FILE", "/nowhere.json")],
            "MAIL_OAUTH_SERVICE_ACCOUNT_FILE",
            "can be read",
        ),
        (
            &[("MAIL_OAUTH_SERVICE_ACCOUNT_FILE", no_key)],
            "MAIL_OAUTH_SERVICE_ACCOUNT_FILE",
            "RSA key of 2048",
        ),
    ];
    for (own, name, needed) in cases {
        let by_key = own[0].0 == "MAIL_OAUTH_SERVICE_ACCOUNT_FILE";
        let found = problems(&[SERVER, TOKEN, if by_key { BY_KEY } else { &[] }, own]);
        let only = if by_key { 2 } else { 1 };
        assert!(!found.is_empty() && found.len() <= only, "{own:?}: {found:?}");
        assert!(found[0].starts_with(name) && found[0].contains(needed), "{own:?}: {found:?}");
        assert!(!found.concat().contains("hunter"), "{found:?}");
    }
    let both = problems(&[SERVER, TOKEN, &[("MAIL_OAUTH_SERVICE_ACCOUNT_FILE", SERVICE_ACCOUNT)]]);
    assert_eq!(both.len(), 3, "{both:?}");
    assert!(both.iter().all(|problem| problem.contains("remove one of them")), "{both:?}");
}

#[test]
fn a_token_in_clear_text_and_settings_that_are_not_used_are_warnings() {
    let warnings = |vars: &[&[(&str, &str)]]| read(vars).unwrap().warnings;
    let near = [("MAIL_STARTTLS", "false"), ("MAIL_SERVER", "10.0.0.25")];
    let clear = warnings(&[SERVER, TOKEN, &near]);
    assert!(clear.len() == 1 && clear[0].contains("access tokens are sent without encryption"), "{clear:?}");
    let unused = warnings(&[SERVER, TOKEN, &[("MAIL_AUTH", ""), ("MAIL_PASSWORD", "hunter2")]]);
    assert!(unused.len() == 1 && unused[0].contains("set MAIL_AUTH=xoauth2"), "{unused:?}");
}

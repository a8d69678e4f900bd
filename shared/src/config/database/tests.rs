//! URLs of Postgres, as they are set and as sqlx gets them.

use super::*;

#[test]
fn every_form_of_a_postgres_url_becomes_one_that_sqlx_reads() {
    for given in ["postgres://u:p@h:5432/d", "postgresql://u:p@h:5432/d", "postgresql+asyncpg://u:p@h:5432/d"]
    {
        assert_eq!(normalise(given).unwrap(), "postgres://u:p@h:5432/d");
    }
}

#[test]
fn asyncpgs_ssl_parameter_becomes_sslmode() {
    let url = normalise("postgresql+asyncpg://u:p@h/d?ssl=require&application_name=x").unwrap();
    assert_eq!(url, "postgres://u:p@h/d?application_name=x&sslmode=require");
    assert!(normalise("postgres://u:p@h/d?ssl=perhaps").is_err());
    assert!(normalise("postgres://u:p@h/d?sslmode=perhaps").is_err());
}

#[test]
fn a_password_that_sqlalchemy_reads_literally_keeps_its_characters() {
    let url = normalise("postgresql+asyncpg://user:p#s/s?w:d%25@host:5432/bookly").unwrap();
    let url = Url::parse(&url).unwrap();
    assert_eq!((url.username(), url.host_str(), url.port()), ("user", Some("host"), Some(5432)));
    assert_eq!(url.password(), Some("p%23s%2Fs%3Fw%3Ad%25"));
    assert_eq!(url.path(), "/bookly");
}

#[test]
fn parameters_that_sqlx_would_log_are_removed() {
    let url = normalise("postgres://u:p@h/d?channel_binding=require&sslmode=require&x=y").unwrap();
    assert_eq!(url, "postgres://u:p@h/d?sslmode=require");
}

#[test]
fn a_user_name_is_not_read_as_a_host() {
    assert!(normalise("postgres://user:12?34@host/d").unwrap_err().contains("%3F"));
}

#[test]
fn a_password_that_ends_in_the_place_of_the_host_is_refused_with_the_remedy_and_not_shown() {
    for given in [
        "postgres://bookly:Tr0ub4dor@ndLongSecret/77xyz@127.0.0.1:1/bookly",
        "postgres://bookly:Tr0/b4d@rSecret@127.0.0.1:1/bookly",
        "postgres://bookly:Tr0ub4dor@nd#Secret@host/bookly",
        "postgres://bookly:Tr0ub4dor@nd?Secret@host/bookly",
        "postgres://bookly:Tr0ub4dor@nd?Sec=ret@host/bookly",
        "postgres://bookly:12345@nd/Secret@host/bookly?sslmode=require",
        "postgres://bookly:Tr0@/Secret@host/bookly",
        "postgresql+asyncpg://bookly:Tr0#b@r?Secret@host/bookly",
    ] {
        let refused = normalise(given).expect_err(given);
        assert!(refused.contains("%40"), "{given}: {refused}");
        assert!(!refused.contains("Secret") && !refused.contains("Tr0"), "{refused}");
    }
}

#[test]
fn an_at_sign_that_leaves_no_doubt_is_part_of_its_name_or_password() {
    for (given, host, user) in [
        ("postgres://u:p@ss@h/d", "h", "u"),
        ("postgres://u@server:p@h/d", "h", "u@server"),
        ("postgres://u@server:p#w@h/d", "h", "u@server"),
        ("postgres://h/d?user=u@server&password=p@w", "h", "u@server"),
        ("postgres://u:p%40w%2Fx@h/d%40d", "h", "u"),
    ] {
        assert_eq!((place(given).0.as_str(), place(given).2.as_str()), (host, user), "{given}");
    }
}

/// The host, port, user, password and database that sqlx connects with.
fn place(given: &str) -> (String, u16, String, Option<String>) {
    let url = normalise(given).unwrap_or_else(|error| panic!("{given}: {error}"));
    let options = PgConnectOptions::from_str(&url).unwrap();
    let host = options.get_socket().map(|socket| socket.display().to_string());
    let host = host.unwrap_or_else(|| options.get_host().to_owned());
    (host, options.get_port(), options.get_username().to_owned(), options.get_database().map(str::to_owned))
}

#[test]
fn an_ipv6_literal_is_a_host() {
    let database = Some("d".to_owned());
    assert_eq!(place("postgres://u:p@[::1]:5433/d"), ("::1".into(), 5433, "u".into(), database.clone()));
    assert_eq!(place("postgresql+asyncpg://u@[fd00::2]/d"), ("fd00::2".into(), 5432, "u".into(), database));
    assert!(!normalise("postgres://u:p@[::1]/d?host=/run/x").unwrap().contains("[::1]"));
}

#[test]
fn a_url_without_a_host_leads_to_a_socket() {
    let database = Some("d".to_owned());
    for given in [
        "postgresql+asyncpg://u:p%40w@/d?host=/cloudsql/a:b:c",
        "postgres://u:p%40w@/d?host=%2Fcloudsql%2Fa%3Ab%3Ac",
        "postgres:///d?host=/cloudsql/a:b:c&user=u&password=p%40w",
        "postgres://u:p#?w@/d?host=/cloudsql/a:b:c",
    ] {
        assert_eq!(place(given), ("/cloudsql/a:b:c".into(), 5432, "u".into(), database.clone()), "{given}");
    }
    assert_eq!(place("postgres://u@%2Frun%2Fpostgresql/d").0, "/run/postgresql");
    assert_eq!(place("postgres:///d").3, database);
    for user in ["u+x", "u&x", "u;x"] {
        assert_eq!(place(&format!("postgres://{user}@/d")).2, user);
    }
}

#[test]
fn what_sqlx_cannot_do_is_refused_with_the_reason() {
    for (given, reason) in [
        ("postgres://u:p@a,b:5433/d", "several hosts"),
        ("postgres://u:p@/d?host=a,b", "several hosts"),
        ("postgres://u:p@/d?host=a:1&host=b:2", "several hosts"),
        ("postgres://u:p@h/d?target_session_attrs=standby", "target_session_attrs"),
        ("postgres://h/d?service=mine", "service="),
        ("postgres://h/d?sslcrl=/x", "revocation"),
        ("postgres://h/d?sslpassword=x", "sslkey"),
        ("postgres://h/d?gssencmode=require", "gssencmode"),
        ("postgresql+oracle://h/d", "postgres://"),
        ("host=localhost dbname=d", "postgres://"),
    ] {
        let refusal = normalise(given).unwrap_err();
        assert!(refusal.contains(reason), "{given}: {refusal}");
    }
}

#[test]
fn what_makes_no_difference_is_removed() {
    let given = "postgres://u:p@h/d?connect_timeout=5&target_session_attrs=read-write&ssl=False";
    assert_eq!(normalise(given).unwrap(), "postgres://u:p@h/d?sslmode=disable");
}

#[test]
fn a_file_of_certificates_asks_for_the_check_that_libpq_makes() {
    for (given, wanted) in [
        ("sslrootcert=system", "sslmode=verify-full"),
        ("sslmode=verify-full&sslrootcert=system", "sslmode=verify-full"),
        ("ssl=require&sslrootcert=/ca.pem", "sslrootcert=%2Fca.pem&sslmode=verify-ca"),
        ("ssl-ca=/ca.pem&sslmode=verify-full", "sslrootcert=%2Fca.pem&sslmode=verify-full"),
        ("sslrootcert=/ca.pem", "sslrootcert=%2Fca.pem"),
        ("sslmode=require", "sslmode=require"),
    ] {
        assert_eq!(
            normalise(&format!("postgres://u:p@h/d?{given}")).unwrap(),
            format!("postgres://u:p@h/d?{wanted}")
        );
    }
    let weak = normalise("postgres://u:p@h/d?sslmode=require&sslrootcert=system").unwrap_err();
    assert!(weak.contains("verify-full"), "{weak}");
}

#[test]
fn other_databases_are_refused() {
    assert!(normalise("sqlite:///bookly.db").unwrap_err().contains("DATA_DIR"));
    for given in ["mysql://u:p@h/d", "bookly", "postgres:u", "postgres://u:p@h:port/d"] {
        assert!(normalise(given).unwrap_err().contains("postgres://"), "{given}");
    }
}

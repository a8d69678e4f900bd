//! The names of variables: in any case, and misspelt ones.

use super::table::SETTINGS;

/// How similar a name must be to that of a setting for a warning, from 0 to 1: `DATABSE_URL`, `JWT_SECRET_KEY`.
const SIMILAR: f64 = 0.75;
/// The same for long names, which have long common prefixes: `OTEL_EXPORTER_OTLP_TIMEOUT` is another variable, not a
/// misspelt one.
const SIMILAR_IF_LONG: f64 = 0.9;
/// The length of a long name, in characters.
const LONG: usize = 20;

/// The variable of the table with this name in any case, or of the file with its secret.
pub(super) fn known(name: &str) -> Option<String> {
    variables().find(|known| known.eq_ignore_ascii_case(name))
}

/// A warning about a name that is not a setting's but nearly one, with which a typing error would go unnoticed.
pub(super) fn misspelt(name: &str) -> Option<String> {
    if known(name).is_some() {
        return None;
    }
    let given = plain(name);
    if let Some(setting) = given.strip_suffix("FILE").and_then(without_file) {
        return Some(format!("{name} is not used: {setting} cannot be read from a file"));
    }
    let needed = if name.len() >= LONG { SIMILAR_IF_LONG } else { SIMILAR };
    // Every start asks for each variable of the environment. Two names are no more similar than their lengths.
    let may_be_similar = |known: &str| {
        let (short, long) = (known.len().min(given.len()), known.len().max(given.len()));
        short as f64 >= needed * long as f64
    };
    let similarity = |known: &str| strsim::normalized_damerau_levenshtein(&given, known);
    let similar = variables().filter_map(|known| {
        let plain = Some(plain(&known)).filter(|plain| may_be_similar(plain))?;
        Some((similarity(&plain), known)).filter(|(similarity, _)| *similarity >= needed)
    });
    let (_, nearest) = similar.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    Some(format!("{name} is not a setting and is not used; is {nearest} meant?"))
}

/// The setting with this plain name, if it is not a secret.
fn without_file(plain_name: &str) -> Option<&'static str> {
    SETTINGS.iter().map(|setting| setting.name()).find(|name| plain(name) == plain_name)
}

fn variables() -> impl Iterator<Item = String> {
    SETTINGS.iter().flat_map(|setting| [Some(setting.name().to_owned()), setting.file_name()]).flatten()
}

/// Case, underscores and hyphens do not count.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !"_-".contains(*c)).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_any_case() {
        for name in ["DATABASE_URL", "database_url", "Database_Url"] {
            assert_eq!(known(name).as_deref(), Some("DATABASE_URL"), "{name}");
        }
        assert_eq!(known("jwt_secret_file").as_deref(), Some("JWT_SECRET_FILE"));
        assert_eq!(known("PATH"), None);
    }

    #[test]
    fn a_misspelt_name_is_a_warning_with_the_right_one() {
        for (name, meant) in [
            ("DATABSE_URL", "DATABASE_URL"),
            ("DATABASE_URI", "DATABASE_URL"),
            ("databaseurl", "DATABASE_URL"),
            ("JWT_SECRET_KEY", "JWT_SECRET"),
            ("MAIL_PASWORD", "MAIL_PASSWORD"),
            ("MAIL_USER_NAME", "MAIL_USERNAME"),
            ("REDIS-URL", "REDIS_URL"),
            ("MAIL_FORM", "MAIL_FROM"),
            ("DOMAINS", "DOMAIN"),
            ("JWT_SECRET_FIEL", "JWT_SECRET_FILE"),
        ] {
            let warning = misspelt(name).unwrap_or_else(|| panic!("{name}: no warning"));
            assert!(
                warning.starts_with(name) && warning.ends_with(&format!("is {meant} meant?")),
                "{warning}"
            );
        }
        let warning = misspelt("MAIL_FROM_FILE").unwrap();
        assert!(warning.contains("MAIL_FROM cannot be read from a file"), "{warning}");
    }

    #[test]
    fn names_of_other_programs_are_no_warnings() {
        for name in [
            "PATH",
            "HOME",
            "HOSTNAME",
            "LANG",
            "MAIL",
            "LOGNAME",
            "RUST_LOG",
            "LISTEN_FDS",
            "LISTEN_PID",
            "POSTGRES_PASSWORD",
            "POSTGRES_URL",
            "REDIS_PORT_6379_TCP_PORT",
            "REDIS_SERVICE_HOST",
            "REDIS_DB",
            "SSL_CERT_FILE",
            "OTEL_RESOURCE_ATTRIBUTES",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "OTEL_BSP_SCHEDULE_DELAY",
            "SECRET_KEY",
            "DEBUG",
            "LOG_LEVEL",
            "CREDENTIALS_DIRECTORY",
            "STATE_DIRECTORY",
        ] {
            assert_eq!(misspelt(name), None);
        }
    }
}

//! `${NAME}` and `${NAME:-default}` in values, as python-dotenv replaces them, also in single quotes.

/// Replaces the references in a value. Variables of the file win over those of the environment, as for pydantic-settings.
/// A name that is not known is its default, or nothing.
pub(super) fn resolve(
    value: &str,
    variables: &[(String, Option<String>)],
    environment: &[(String, String)],
) -> String {
    let mut resolved = String::new();
    let mut rest = value;
    while let Some(at) = rest.find("${") {
        resolved.push_str(&rest[..at]);
        let reference = &rest[at + 2..];
        match split(reference) {
            Some((name, default, after)) => {
                let of_file = variables.iter().find(|(known, _)| known == name);
                let of_environment = || environment.iter().find(|(known, _)| known == name);
                match of_file {
                    Some((_, text)) => resolved.push_str(text.as_deref().unwrap_or_default()),
                    None => resolved.push_str(of_environment().map_or(default, |(_, text)| text)),
                }
                rest = after;
            }
            None => {
                resolved.push_str("${");
                rest = reference;
            }
        }
    }
    resolved + rest
}

/// Splits what follows `${` into the name, the default and the text after `}`.
fn split(reference: &str) -> Option<(&str, &str, &str)> {
    let end = reference.find(['}', ':'])?;
    let (name, rest) = reference.split_at(end);
    match rest.strip_prefix(":-") {
        Some(rest) => rest.split_once('}').map(|(default, after)| (name, default, after)),
        None => rest.strip_prefix('}').map(|after| (name, "", after)),
    }
}

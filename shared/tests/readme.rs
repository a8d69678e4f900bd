//! The tables of the documents are the code's.

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Compares what stands between `<!-- mark -->` and `<!-- /mark -->` of a document. With `UPDATE_README=1` in
/// the environment it is written instead.
#[expect(clippy::unwrap_used, reason = "a test's helper")]
fn hold(document: &str, mark: &str, wanted: &str) {
    let path = format!("{ROOT}/{document}");
    let text = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (format!("<!-- {mark} -->\n"), format!("<!-- /{mark} -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (table, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, format!("{before}{begin}{wanted}{end}{after}")).unwrap();
        return;
    }
    assert_eq!(table, wanted, "run: UPDATE_README=1 cargo test -p bookly-shared --test readme");
}

#[test]
fn the_readmes_settings_are_those_of_the_code() {
    hold("README.md", "settings", &bookly_shared::config::table::markdown());
}

#[test]
fn the_readme_names_the_file_variable_of_every_secret() {
    let readme = include_str!("../../README.md");
    for name in bookly_shared::config::table::SETTINGS.iter().filter_map(|setting| setting.file_name()) {
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn every_reason_why_an_email_was_not_sent_is_explained_to_the_operator() {
    let document = include_str!("../../docs/operations.md");
    for reason in bookly_shared::domain::closing_reason::CLOSING_REASONS {
        assert!(document.contains(&format!("` | {reason} | ")), "{reason}");
    }
}

#[test]
fn the_documented_metrics_are_those_of_the_code() {
    hold("docs/metrics.md", "metrics", &table_of_metrics());
}

fn table_of_metrics() -> String {
    let mut text = String::from("| metric | type | labels | what it tells |\n|---|---|---|---|\n");
    for row in bookly_shared::metrics::table::METRICS.iter().map(|metric| metric.row()) {
        let labels = row.labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        text += &format!("| `{}` | {} | {labels} | {} |\n", row.name, row.kind, row.help);
    }
    text
}

/// Both ways: a metric that was renamed would leave a panel empty, and a metric that no panel shows has no use.
#[test]
fn the_dashboard_shows_all_metrics_and_no_others() {
    let dashboard = std::fs::read_to_string(format!("{ROOT}/docs/grafana.json")).unwrap();
    let mut shown: Vec<&str> = dashboard
        .split(|c: char| !(c.is_ascii_lowercase() || c == '_'))
        .filter(|word| word.starts_with("bookly_"))
        .map(|word| word.strip_suffix("_bucket").unwrap_or(word))
        .collect();
    shown.sort_unstable();
    shown.dedup();
    let mut known: Vec<&str> =
        bookly_shared::metrics::table::METRICS.iter().map(|metric| metric.row().name).collect();
    known.sort_unstable();
    assert_eq!(shown, known);
}

/// Links to files of the repository; what stands behind `#` is not checked.
#[test]
fn every_link_of_the_documents_leads_to_a_file() {
    let documents = std::fs::read_dir(format!("{ROOT}/docs")).unwrap().map(|entry| entry.unwrap().path());
    let top = ["README.md", "CHANGELOG.md"].map(|name| format!("{ROOT}/{name}").into());
    let mut dead = Vec::new();
    for document in documents.chain(top).filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
        let files =
            links.filter(|link| !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:"));
        dead.extend(files.map(|link| document.with_file_name(link)).filter(|path| !path.exists()));
    }
    assert!(dead.is_empty(), "{dead:?}");
}

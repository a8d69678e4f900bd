//! `docs/adopting.md` names settings, calls and files: each exists.

use std::fs;
use std::path::{Path, PathBuf};

use bookly_e2e::prelude::*;
use bookly_e2e::stack::run;
use bookly_shared::config::table::SETTINGS;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn page() -> Result<String> {
    Ok(fs::read_to_string(docs().join("adopting.md"))?)
}

/// What stands between backticks.
fn quoted(page: &str) -> impl Iterator<Item = &str> {
    page.split('`').skip(1).step_by(2)
}

#[test]
fn every_setting_that_the_page_names_is_one() -> Result<()> {
    let page = page()?;
    let is_name =
        |word: &&str| word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let mut found = 0;
    for word in quoted(&page).filter_map(|text| text.split('=').next()).filter(is_name) {
        ensure!(SETTINGS.iter().any(|setting| setting.is_read_from(word)), "{word} is no setting");
        found += 1;
    }
    ensure!(found > 15, "{found} settings");
    Ok(())
}

#[test]
fn every_setting_of_the_examples_is_explained() -> Result<()> {
    let page = page()?;
    for example in ["acme", "frontend"] {
        for (name, _) in bookly_e2e::example::Example::named(example)?.settings() {
            let about_mail_or_operators =
                ["MAIL_FROM", "OTEL_SERVICE_NAME", "QUEUE_NAME", "TEMPLATE_FOLDER"].contains(&&**name);
            ensure!(about_mail_or_operators || page.contains(&format!("`{name}`")), "{name}");
        }
    }
    Ok(())
}

#[test]
fn every_file_that_the_page_names_is_there() -> Result<()> {
    let page = page()?;
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let words = page.split_whitespace().filter(|word| word.starts_with("examples/"));
    let paths = targets.filter(|target| !target.is_empty() && !target.contains("://"));
    let paths = paths.map(|target| docs().join(target));
    let paths: Vec<PathBuf> = paths.chain(words.map(|word| docs().join("..").join(word))).collect();
    ensure!(paths.len() >= 5, "{paths:?}");
    for path in paths {
        ensure!(path.exists(), "{}", path.display());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_that_the_page_names_is_documented() -> Result<()> {
    let page = page()?;
    run(StackOptions::new(Kind::Embedded), async |stack| {
        let document = stack.api().get("/openapi.json").expect(200).await?;
        let mut found = 0;
        for (method, path) in quoted(&page).filter_map(|text| text.split_once(" /")) {
            let call = &document["paths"][format!("/{path}")][method.to_lowercase()];
            ensure!(call.is_object(), "{method} /{path}");
            found += 1;
        }
        ensure!(found > 5, "{found} calls");
        Ok(())
    })
    .await
}

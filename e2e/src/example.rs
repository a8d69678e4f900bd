//! The settings of an example's `.env`, for the processes of a stack.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::stack::StackOptions;

/// An example of `examples/`.
pub struct Example {
    folder: PathBuf,
    settings: Vec<(String, String)>,
}

impl Example {
    /// Reads its `.env`: names and values, some of them in single quotes.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it not understood.
    pub fn named(name: &str) -> anyhow::Result<Example> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        let folder = std::fs::canonicalize(&folder).with_context(|| folder.display().to_string())?;
        let text = std::fs::read_to_string(folder.join(".env"))?;
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let settings = lines.map(|line| {
            let (name, value) = line.split_once('=').with_context(|| line.to_owned())?;
            Ok((name.to_owned(), value.trim_matches('\'').to_owned()))
        });
        Ok(Example { settings: settings.collect::<anyhow::Result<_>>()?, folder })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its settings.
    pub fn settings(&self) -> &[(String, String)] {
        &self.settings
    }

    /// The options with its settings, each changed by `change`.
    pub fn added_to(&self, options: StackOptions, change: impl Fn(&str, &str) -> String) -> StackOptions {
        self.settings.iter().fold(options, |options, (name, value)| options.with(name, change(name, value)))
    }
}

//! Files on this machine: templates, and `DATA_DIR`.

use std::io;
use std::path::Path;

use bookly_shared::config::{MailTransport, Settings, WayToRun};
use bookly_shared::db::data_dir_is_in_use;
use bookly_shared::private_files;
use uuid::Uuid;

use super::report::Finding;
use crate::commands::templates::summary;
use crate::render::{self, Composer};

pub(super) fn templates(settings: &Settings) -> Finding {
    const NAME: &str = "templates";
    let folder = settings.template_folder.as_deref();
    let report = match render::check(folder, &settings.product, settings.public_url.as_str()) {
        Ok(report) => report,
        Err(error) => {
            return Finding::fail(
                NAME,
                error.to_string(),
                "give this user read permission for TEMPLATE_FOLDER",
            );
        }
    };
    if let Some(first) = report.problems.first() {
        let more = match report.problems.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let remedy = "repair the file, or remove it so that the built-in one is used; `bookly-worker templates check` lists \
                      all errors";
        return Finding::fail(NAME, format!("{first}{more}"), remedy);
    }
    if let Err(error) = Composer::new(settings) {
        let remedy = "no email can be sent with these settings, and the start is refused: correct the one that is named";
        return Finding::fail(NAME, error.to_string(), remedy);
    }
    match report.warnings.first() {
        None => Finding::ok(NAME, summary(&report, folder)),
        Some(first) => Finding::warn(NAME, first, "`bookly-worker templates check` lists all warnings"),
    }
}

/// `None` where nothing is stored there.
pub(super) fn data_dir(settings: &Settings) -> Option<Finding> {
    const NAME: &str = "data_dir";
    let embedded = settings.way_to_run() == WayToRun::Embedded;
    if !embedded && !matches!(settings.mail.transport, MailTransport::File) {
        return None;
    }
    let folder = &settings.data_dir;
    let place = folder.display();
    let nearest = folder.ancestors().find(|path| path.exists() || path.as_os_str().is_empty());
    if let Err(error) = try_to_write(nearest.unwrap_or(folder)) {
        let remedy = "give the user that runs bookly-api write permission, or set DATA_DIR to another folder";
        return Some(Finding::fail(NAME, format!("{place} cannot be written: {error}"), remedy));
    }
    let used = match data_dir_is_in_use(folder) {
        Ok(true) => "a running process uses it",
        Ok(false) if folder.exists() => "no running process uses it",
        Ok(false) => "it does not exist yet, the first start creates it",
        Err(error) => {
            let remedy = "give this user read permission for the folder, or run this command as the user that runs bookly-api";
            return Some(Finding::fail(NAME, format!("{place}: its lock cannot be read: {error}"), remedy));
        }
    };
    let fact = format!("{place} can be written; {used}");
    if private_files::is_open_to_others(folder) {
        let remedy = "the next start of bookly-api makes it private; or chmod -R go= the folder";
        return Some(Finding::warn(NAME, format!("{fact}; other users of this machine can read it"), remedy));
    }
    Some(Finding::ok(NAME, fact))
}

/// Writes and removes a file: permissions alone do not show a full or read-only file system.
fn try_to_write(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let trial = folder.join(format!(".bookly-{}", Uuid::new_v4().simple()));
    let written = std::fs::write(&trial, b"doctor");
    let removed = std::fs::remove_file(&trial);
    written.and(removed)
}

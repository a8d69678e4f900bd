//! Emails as `.eml` files, for development: any mail program opens them, and `/inbox` shows them.

use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bookly_shared::private_files;
use tokio::fs;
use uuid::Uuid;

use crate::render::Outgoing;
use crate::smtp::{SendError, Stage};

/// Writes an email to a file named by its id, whole or not at all. The same id overwrites the file.
pub(super) async fn store(
    folder: &Path,
    mail: &Outgoing,
    lease_check: impl Future<Output = bool> + Send,
) -> Result<PathBuf, SendError> {
    probe(folder).await?;
    if !lease_check.await {
        return Err(SendError::lease_lost());
    }
    let path = path_of(folder, mail.id);
    write_whole(path.clone(), mail.bytes.clone()).await.map_err(|error| unusable(folder, &error))?;
    Ok(path)
}

/// Makes `DATA_DIR`, the folder and the emails of earlier versions readable by this user only.
pub(super) fn restrict(data_dir: &Path, folder: &Path) {
    private_files::restrict_data_dir(data_dir);
    private_files::restrict(folder);
    private_files::restrict_files(folder);
}

/// Creates the folder if it is missing.
pub(super) async fn probe(folder: &Path) -> Result<(), SendError> {
    private_files::make_folder(folder).map_err(|error| unusable(folder, &error))
}

/// A folder that cannot be written concerns all emails, like a mail server that cannot be reached.
fn unusable(folder: &Path, error: &io::Error) -> SendError {
    SendError::broken(Stage::Connect, format_args!("{} cannot be written: {error}", folder.display()))
}

/// Writes to a second file and renames it: a reader finds the whole email or none, even after a power cut.
///
/// Uses `std` on one blocking thread. `tokio::fs::File::write_all` returns before the bytes are written, and `sync_all`
/// waits for that write without returning its error: on a full disk both succeed and nothing is stored.
async fn write_whole(path: PathBuf, bytes: Vec<u8>) -> io::Result<()> {
    let written = tokio::task::spawn_blocking(move || {
        let unfinished = path.with_extension("part");
        let stored = write_durably(&unfinished, &bytes).and_then(|()| rename_durably(&unfinished, &path));
        if stored.is_err() {
            // It takes space on a full disk. It may not exist: that is not an error.
            let _ = std::fs::remove_file(&unfinished);
        }
        stored
    });
    written.await.map_err(io::Error::other)?
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_files::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The new name is part of the folder: fsync(2) of the file alone does not store it.
fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    std::fs::File::open(to.parent().unwrap_or(Path::new(".")))?.sync_all()
}

/// The newest emails of a folder. Their ids are UUIDv7, which sort by time. Empty if the folder does not exist.
///
/// # Errors
/// When the folder cannot be read.
pub async fn list_emails(folder: &Path, limit: usize) -> io::Result<Vec<Uuid>> {
    let mut entries = match fs::read_dir(folder).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut ids = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        ids.extend(id_of(&entry.path()));
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.truncate(limit);
    Ok(ids)
}

/// The bytes of a stored email.
///
/// # Errors
/// When the file exists and cannot be read.
pub async fn read_mail(folder: &Path, id: Uuid) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path_of(folder, id)).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        bytes => bytes.map(Some),
    }
}

fn path_of(folder: &Path, id: Uuid) -> PathBuf {
    folder.join(format!("{id}.eml"))
}

fn id_of(path: &Path) -> Option<Uuid> {
    let is_mail = path.extension().is_some_and(|extension| extension == "eml");
    path.file_stem().filter(|_| is_mail)?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_email_that_does_not_fit_on_the_disk_is_an_error_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = path_of(folder.path(), Uuid::now_v7());
        // Every write to it fails with "no space left on device", full(4).
        std::os::unix::fs::symlink("/dev/full", path.with_extension("part")).unwrap();

        let error = write_whole(path, b"Subject: x\r\n\r\nx".to_vec()).await.unwrap_err();

        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

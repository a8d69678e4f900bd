//! Mails as `.eml` files, for development: any mail program opens them, and `/inbox` shows them.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::render::Outgoing;
use crate::smtp::{SendError, Stage};

/// Writes a mail under its id, whole or not at all; the same id again overwrites it with its copy.
pub(super) async fn store(
    folder: &Path,
    mail: &Outgoing,
    fence: impl Future<Output = bool> + Send,
) -> Result<String, SendError> {
    probe(folder).await?;
    if !fence.await {
        return Err(SendError::fenced());
    }
    let path = path_of(folder, mail.id);
    write_whole(&path, &mail.bytes).await.map_err(|error| unusable(folder, &error))?;
    Ok(format!("stored as {}", path.display()))
}

/// Makes the folder when it is missing.
pub(super) async fn probe(folder: &Path) -> Result<(), SendError> {
    fs::create_dir_all(folder).await.map_err(|error| unusable(folder, &error))
}

/// A folder that cannot be written concerns all mails alike, as a mail server that is away does.
fn unusable(folder: &Path, error: &io::Error) -> SendError {
    SendError::broken(Stage::Connect, format_args!("{} cannot be written: {error}", folder.display()))
}

async fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file = fs::File::create(&unfinished).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    fs::rename(&unfinished, path).await
}

/// The newest mails of a folder by id, which a UUIDv7 makes the order of their requests. Empty when there is none.
///
/// # Errors
/// When the folder cannot be read.
pub async fn list_mails(folder: &Path, limit: usize) -> io::Result<Vec<Uuid>> {
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

/// A stored mail's bytes.
///
/// # Errors
/// When the file is there and cannot be read.
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
    let is_mail = path.extension().is_some_and(|ending| ending == "eml");
    path.file_stem().filter(|_| is_mail)?.to_str()?.parse().ok()
}

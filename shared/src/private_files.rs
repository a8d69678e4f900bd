//! Folders and files that only the user of this process can read, whatever the umask is.
//!
//! `DATA_DIR` holds password hashes, and emails with links that work.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The bits of a mode that chmod(1) changes, and the one of folders like `/tmp`, which all users share.
const PERMISSIONS: u32 = 0o777;
const STICKY: u32 = 0o1000;

/// Creates a folder with its missing parents, for the owner only, and makes an existing one so.
///
/// # Errors
/// When it cannot be created.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    restrict(path);
    Ok(())
}

/// The same for `DATA_DIR`, which may be a symbolic link: then the folder that it leads to is made so.
///
/// # Errors
/// When it cannot be created.
pub fn make_data_dir(path: &Path) -> io::Result<()> {
    make_folder(path)?;
    restrict_data_dir(path);
    Ok(())
}

/// Takes the permissions of other users from `DATA_DIR`, if it exists. Links inside are not followed.
pub fn restrict_data_dir(path: &Path) {
    restrict(&fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
}

/// Opens an empty file for writing, for the owner only.
///
/// # Errors
/// When it cannot be created or emptied.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(FILE_MODE).open(path)?;
    let metadata = file.metadata()?;
    // Not a device, which a symbolic link can name.
    if metadata.is_file() && mode_of(&metadata) != FILE_MODE {
        warn_on_error(path, file.set_permissions(Permissions::from_mode(FILE_MODE)));
    }
    Ok(file)
}

/// Creates an empty file for the owner only, or makes an existing one so. That one is not opened: for SQLite, closing a file
/// ends the locks that this process has on it (fcntl(2)).
///
/// # Errors
/// When it cannot be created.
pub fn create_if_missing(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => restrict(path),
    }
    Ok(())
}

/// Takes the permissions of other users from a file or folder, if it exists. What another user owns is only a warning.
pub fn restrict(path: &Path) {
    let metadata = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return,
        Err(error) => return warn_on_error(path, Err(error)),
        Ok(metadata) => metadata,
    };
    let needed = match metadata.file_type() {
        kind if kind.is_dir() => FOLDER_MODE,
        kind if kind.is_file() => FILE_MODE,
        _ => return,
    };
    let is_shared = metadata.permissions().mode() & STICKY != 0;
    if mode_of(&metadata) != needed && !is_shared {
        warn_on_error(path, fs::set_permissions(path, Permissions::from_mode(needed)));
    }
}

/// Restricts the files of a folder, without those in folders below it.
pub fn restrict_files(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())).for_each(|entry| {
        restrict(&entry.path());
    });
}

/// Whether other users than the owner have any permission for a file or folder that exists.
pub fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| mode_of(&metadata) & 0o077 != 0)
}

fn mode_of(metadata: &Metadata) -> u32 {
    metadata.permissions().mode() & PERMISSIONS
}

fn warn_on_error(path: &Path, changed: io::Result<()>) {
    if let Err(error) = changed {
        let path = path.display();
        tracing::warn!(%path, %error, "other users of this machine may be able to read this file");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn mode(path: &Path) -> u32 {
        mode_of(&fs::metadata(path).unwrap())
    }

    #[test]
    fn new_folders_and_files_are_the_owners_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("new/data");
        make_folder(&folder).unwrap();
        assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
        create(&folder.join("file")).unwrap();
        create_if_missing(&folder.join("other")).unwrap();
        assert_eq!((mode(&folder.join("file")), mode(&folder.join("other"))), (0o600, 0o600));
    }

    #[test]
    fn existing_folders_and_files_are_changed() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, file) = (parent.path().join("data"), parent.path().join("data/file"));
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "text").unwrap();
        for (path, open_mode) in [(&folder, 0o777), (&file, 0o666)] {
            fs::set_permissions(path, Permissions::from_mode(open_mode)).unwrap();
            assert!(is_open_to_others(path));
        }
        make_folder(&folder).unwrap();
        restrict_files(&folder);
        assert_eq!((mode(&folder), mode(&file)), (0o700, 0o600));
        assert!(!is_open_to_others(&folder));
        create_if_missing(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "text");
        create(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "");
    }

    #[test]
    fn a_data_folder_behind_a_symbolic_link_is_changed_and_a_link_inside_is_not_followed() {
        let parent = tempfile::tempdir().unwrap();
        let (folder, elsewhere, link) =
            (parent.path().join("folder"), parent.path().join("elsewhere"), parent.path().join("data"));
        for folder in [&folder, &elsewhere] {
            fs::create_dir(folder).unwrap();
            fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
        }
        symlink(&folder, &link).unwrap();
        symlink(&elsewhere, folder.join("mail")).unwrap();
        make_data_dir(&link).unwrap();
        make_folder(&link.join("mail")).unwrap();
        assert_eq!((mode(&folder), mode(&elsewhere)), (0o700, 0o755));
        assert!(!is_open_to_others(&link));
    }

    #[test]
    fn a_folder_that_all_users_share_and_a_device_are_not_changed() {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), Permissions::from_mode(0o1777)).unwrap();
        make_folder(parent.path()).unwrap();
        assert_eq!(mode(parent.path()), 0o777);
        let before = mode(Path::new("/dev/full"));
        create(Path::new("/dev/full")).unwrap();
        assert_eq!(mode(Path::new("/dev/full")), before);
    }
}

//! The `JWT_SECRET` of embedded mode: made at the first start and stored under `DATA_DIR`.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::SecretString;
use tempfile::NamedTempFile;

use crate::private_files;

/// The file's name under `DATA_DIR`.
const FILE: &str = "jwt_secret";

/// The random bytes in a new secret: the length of HS256's key (RFC 7518, section 3.2).
const RANDOM_BYTES: usize = 32;

/// What is done where no secret is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoSecret {
    /// One is made and stored.
    Make,
    /// A random one is used and not stored, because the process checks nothing with it.
    Random,
    /// An error, because the process checks what was signed.
    Refuse,
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub(super) enum SecretFileError {
    #[error("cannot be read from the file {FILE} under DATA_DIR")]
    Unreadable(#[source] io::Error),
    #[error("cannot be stored in the file {FILE} under DATA_DIR")]
    NotStored(#[source] io::Error),
    #[error("is not set, and there is no file {FILE} under DATA_DIR")]
    Missing,
}

/// Reads the secret. Processes that start together make one.
pub(super) fn load(data_dir: &Path, missing: NoSecret) -> Result<SecretString, SecretFileError> {
    use SecretFileError::{Missing, NotStored, Unreadable};
    let stored = read(data_dir).map_err(Unreadable)?;
    match (stored, missing) {
        (Some(stored), NoSecret::Make) => {
            private_files::restrict(&data_dir.join(FILE));
            Ok(stored)
        }
        (Some(stored), NoSecret::Random | NoSecret::Refuse) => Ok(stored),
        (None, NoSecret::Make) => {
            make(data_dir).map_err(NotStored)?;
            read(data_dir).map_err(Unreadable)?.ok_or(Missing)
        }
        (None, NoSecret::Random) => Ok(random_text().map_err(NotStored)?.into()),
        (None, NoSecret::Refuse) => Err(Missing),
    }
}

/// Also an error where the file is not UTF-8 text.
fn read(data_dir: &Path) -> io::Result<Option<SecretString>> {
    match fs::read_to_string(data_dir.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        text => text.map(|text| Some(text.trim_start_matches('\u{feff}').trim_end().into())),
    }
}

/// Writes a temporary file and moves it to its name only if that is free, so that no process reads half a file.
fn make(data_dir: &Path) -> io::Result<()> {
    private_files::make_data_dir(data_dir)?;
    // Mode 0600 from the beginning, by tempfile.
    let mut file = NamedTempFile::new_in(data_dir)?;
    writeln!(file, "{}", random_text()?)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(data_dir.join(FILE)) {
        Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

fn random_text() -> io::Result<String> {
    let mut bytes = [0; RANDOM_BYTES];
    SysRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_new_secret_can_be_read_by_this_user_only() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("new/data");
        let made = load(&data_dir, NoSecret::Make).unwrap();
        assert!(made.expose_secret().len() >= 32);
        assert_eq!(load(&data_dir, NoSecret::Make).unwrap().expose_secret(), made.expose_secret());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&data_dir.join(FILE)), 0o600);
            assert_eq!(mode(&data_dir), 0o700);
        }
    }

    #[test]
    fn a_command_that_only_reads_makes_no_file() {
        let parent = tempfile::tempdir().unwrap();
        let data_dir = parent.path().join("data");
        assert!(load(&data_dir, NoSecret::Random).unwrap().expose_secret().len() >= 32);
        assert!(matches!(load(&data_dir, NoSecret::Refuse), Err(SecretFileError::Missing)));
        assert!(!data_dir.exists());
        let stored = load(&data_dir, NoSecret::Make).unwrap();
        for missing in [NoSecret::Random, NoSecret::Refuse] {
            assert_eq!(load(&data_dir, missing).unwrap().expose_secret(), stored.expose_secret());
        }
    }

    #[test]
    fn processes_that_start_together_get_the_same_secret() {
        let folder = tempfile::tempdir().unwrap();
        let barrier = Barrier::new(8);
        let start = || {
            barrier.wait();
            load(folder.path(), NoSecret::Make).unwrap().expose_secret().to_owned()
        };
        let secrets = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "only the secret remains");
    }
}

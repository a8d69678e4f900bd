//! Where [`Settings`] are read from.

use super::secret_file::NoSecret;
use super::source::Source;
use super::{Settings, SettingsError, read};

impl Settings {
    /// Reads the environment and `.env` in the current folder. The environment wins.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn load() -> Result<Self, SettingsError> {
        Self::from_source(Source::of_this_process())
    }

    /// The same for commands that only read: no file is made. Where embedded mode has no `JWT_SECRET` yet, this value
    /// gets a random one that is not stored.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn load_read_only() -> Result<Self, SettingsError> {
        Self::from_source(Source::of_this_process().without_secret(NoSecret::Random))
    }

    /// The same for a command that checks what the service has signed with `LINK_SECRET`, where any other secret would
    /// give a wrong result. It is refused where embedded mode has neither that one nor a `JWT_SECRET`.
    ///
    /// # Errors
    /// Every wrong value, and a missing secret.
    pub fn load_with_link_secret() -> Result<Self, SettingsError> {
        Self::from_source(Source::of_this_process().without_secret(NoSecret::Refuse))
    }

    /// Reads the given variables and not the environment. It still reads files: those that `…_FILE` names, and in
    /// embedded mode the one with `JWT_SECRET` under `DATA_DIR`, which it makes when it is missing.
    ///
    /// # Errors
    /// Every wrong value.
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, SettingsError> {
        Self::from_source(Source::new(vars, Vec::new()))
    }

    pub(super) fn from_source(mut source: Source) -> Result<Self, SettingsError> {
        match read::settings(&mut source) {
            Some(settings) if !source.has_problems() => {
                Ok(Settings { warnings: source.into_warnings(), ..settings })
            }
            _ => Err(SettingsError::new(source.into_problems())),
        }
    }
}

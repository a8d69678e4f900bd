//! How accounts are created.

use std::str::FromStr;

use thiserror::Error;

/// How an account was created. Strangers can make accounts by sign-up only, so only these are replaced, deleted by the
/// owner of the address, or purged while they are not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatedVia {
    /// `POST /signup`.
    SignUp,
    /// An invitation that was accepted.
    Invitation,
    /// An import of accounts.
    Import,
    /// An operator.
    Operator,
}

/// The text is not the name of a way to create accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("must be sign_up, invitation, import or operator")]
pub struct UnknownCreatedVia;

impl CreatedVia {
    /// All of them.
    pub const ALL: [CreatedVia; 4] =
        [CreatedVia::SignUp, CreatedVia::Invitation, CreatedVia::Import, CreatedVia::Operator];

    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            CreatedVia::SignUp => "sign_up",
            CreatedVia::Invitation => "invitation",
            CreatedVia::Import => "import",
            CreatedVia::Operator => "operator",
        }
    }
}

impl FromStr for CreatedVia {
    type Err = UnknownCreatedVia;

    fn from_str(name: &str) -> Result<CreatedVia, UnknownCreatedVia> {
        CreatedVia::ALL.into_iter().find(|via| via.as_str() == name).ok_or(UnknownCreatedVia)
    }
}

/// For rows: sqlx decodes a column of text by it.
impl TryFrom<String> for CreatedVia {
    type Error = UnknownCreatedVia;

    fn try_from(name: String) -> Result<CreatedVia, UnknownCreatedVia> {
        name.parse()
    }
}

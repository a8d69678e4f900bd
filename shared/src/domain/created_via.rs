//! How accounts are created.

use strum::{EnumString, IntoStaticStr};

use super::variants::read_from_rows;

/// How an account was created. Strangers can make accounts by sign-up only, so only these are replaced, deleted by the
/// owner of the address, or purged while they are not verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
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

impl CreatedVia {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

read_from_rows!(CreatedVia);

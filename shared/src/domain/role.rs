//! The roles of accounts.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr};

use super::variants::{UnknownName, read_from_rows};

/// The role of an account.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Display, EnumString, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownName, parse_err_fn = unknown)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// May change every book, send the welcome email and see all emails.
    Admin,
    /// May change its own books.
    User,
}

impl Role {
    /// The role's name in the database, in tokens and in JSON.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown(_: &str) -> UnknownName {
    UnknownName("must be admin or user")
}

read_from_rows!(Role);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_the_same_name_in_text_and_json() {
        for role in [Role::Admin, Role::User] {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert_eq!("Admin".parse::<Role>(), Err(unknown("")));
    }
}

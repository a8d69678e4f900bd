//! The kinds of email.

use strum::{Display, EnumCount, EnumString, IntoStaticStr, VariantArray};

use super::variants::{all, read_from_rows};

/// The kind of an email. Its name is the row's `kind` and the folder of its templates.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, Debug, EnumCount, VariantArray, Display, EnumString, IntoStaticStr,
)]
#[strum(serialize_all = "snake_case")]
pub enum EmailKind {
    /// The link that proves the address of a new account.
    VerifyEmail,
    /// The link that opens the form for a new password.
    ResetPassword,
    /// The notice that a password was changed.
    PasswordChanged,
    /// The link that proves a new address, sent to that address.
    ChangeEmail,
    /// The notice that a change of address was requested, sent to the old one.
    EmailChangeRequested,
    /// The notice that the address was changed, sent to the old one with a link that undoes the change.
    EmailChanged,
    /// The email that an administrator sends with `send_mail`.
    Welcome,
}

impl EmailKind {
    /// Every kind.
    pub const ALL: [Self; Self::COUNT] = all(Self::VARIANTS);

    /// The name in `snake_case`, as it stands in the database and under `templates/mail`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

read_from_rows!(EmailKind);

#[cfg(test)]
mod tests {
    use strum::ParseError;

    use super::*;

    #[test]
    fn every_kind_is_read_back_from_its_name() {
        for (place, kind) in EmailKind::ALL.into_iter().enumerate() {
            assert!(!EmailKind::ALL[..place].contains(&kind), "{kind} is listed twice");
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("Welcome".parse::<EmailKind>(), Err(ParseError::VariantNotFound));
    }
}

//! What is wrong with the fields of a form, in texts of the page's language.

use bookly_shared::domain::email_address::EmailAddressError;
use bookly_shared::domain::password::PasswordError;
use serde::Serialize;
use strum::VariantArray;

use crate::error::{ApiError, FieldError};
use crate::password_policy::{GUESSABLE, OWN_WORDS};

/// Something that a person can repair in the form. In templates a problem is the name of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, VariantArray)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the texts explain them")]
pub enum Problem {
    FieldRequired,
    FieldInvalid,
    AddressEmpty,
    AddressMalformed,
    AddressTooLong,
    AddressForbidden,
    AddressNotAscii,
    CodeMalformed,
    CodeWrong,
    PasswordLength,
    PasswordForbidden,
    PasswordOwnWords,
    PasswordGuessable,
    PasswordsDiffer,
}

impl Problem {
    /// What a page says of an error that a person can repair in its form; `None` for others.
    pub fn all_of(error: &ApiError) -> Option<Vec<Problem>> {
        match error {
            ApiError::CodeInvalid => Some(vec![Problem::CodeWrong]),
            ApiError::PasswordsDoNotMatch => Some(vec![Problem::PasswordsDiffer]),
            ApiError::Validation(errors) => {
                let mut problems: Vec<Problem> = errors.iter().map(Problem::of_field).collect();
                problems.dedup();
                Some(problems)
            }
            _ => None,
        }
    }

    /// The API's sentence about a field decides, because errors of fields have no codes.
    fn of_field(error: &FieldError) -> Problem {
        let says = |reason: &dyn ToString| error.message == reason.to_string();
        match error.field.as_str() {
            _ if error.message == FieldError::REQUIRED => Problem::FieldRequired,
            "code" => Problem::CodeMalformed,
            "email" if error.message == FieldError::ONE_LINE => Problem::AddressForbidden,
            "email" => {
                let found = EmailAddressError::ALL.into_iter().find(|reason| says(reason));
                found.map_or(Problem::FieldInvalid, Problem::of_address)
            }
            _ if error.message == FieldError::ONE_LINE => Problem::PasswordForbidden,
            _ if says(&PasswordError::ControlCharacter) => Problem::PasswordForbidden,
            _ if says(&PasswordError::Length) => Problem::PasswordLength,
            _ if error.message == OWN_WORDS => Problem::PasswordOwnWords,
            _ if error.message == GUESSABLE => Problem::PasswordGuessable,
            _ => Problem::FieldInvalid,
        }
    }

    fn of_address(error: EmailAddressError) -> Problem {
        match error {
            EmailAddressError::Empty => Problem::AddressEmpty,
            EmailAddressError::TooLong | EmailAddressError::LocalPartTooLong => Problem::AddressTooLong,
            EmailAddressError::ForbiddenCharacter => Problem::AddressForbidden,
            EmailAddressError::NotAsciiLocalPart => Problem::AddressNotAscii,
            EmailAddressError::MissingParts
            | EmailAddressError::Quoted
            | EmailAddressError::InvalidLocalPart
            | EmailAddressError::IpLiteral
            | EmailAddressError::NoDot
            | EmailAddressError::InvalidDomain => Problem::AddressMalformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(field: &str, message: &str) -> Vec<Problem> {
        Problem::all_of(&ApiError::field(field, message)).unwrap()
    }

    #[test]
    fn every_reason_to_refuse_a_field_has_a_text_of_its_own_kind() {
        for error in EmailAddressError::ALL {
            assert_ne!(problems("email", &error.to_string()), [Problem::FieldInvalid], "{error}");
        }
        for message in [
            FieldError::ONE_LINE,
            OWN_WORDS,
            GUESSABLE,
            &PasswordError::Length.to_string(),
            &PasswordError::ControlCharacter.to_string(),
        ] {
            assert_ne!(problems("new_password", message), [Problem::FieldInvalid], "{message}");
        }
        assert_eq!(problems("confirm_new_password", FieldError::REQUIRED), [Problem::FieldRequired]);
        assert_eq!(problems("code", "must have 8 digits"), [Problem::CodeMalformed]);
        assert_eq!(problems("email", "is odd"), [Problem::FieldInvalid]);
    }

    #[test]
    fn errors_that_no_field_repairs_are_no_problems_of_a_form() {
        for error in [ApiError::LinkInvalid, ApiError::Unavailable(None), ApiError::TooManyRequests(3)] {
            assert_eq!(Problem::all_of(&error), None, "{error:?}");
        }
        assert_eq!(Problem::all_of(&ApiError::PasswordsDoNotMatch), Some(vec![Problem::PasswordsDiffer]));
    }
}

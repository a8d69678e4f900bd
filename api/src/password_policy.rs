//! Which new passwords are refused: those that a guesser tries first. No rules of composition
//! (NIST SP 800-63B-4 §3.1.1.2): length, and a dictionary of what people choose.

use bookly_shared::domain::Password;
use zxcvbn::{Score, zxcvbn};

use crate::error::{ApiError, ApiResult};

/// Refuses a password that is a common one, a slight change of one, or made of what is known about its owner.
/// `field` names it in the error; `about` is what the owner told us: address and names.
///
/// # Errors
/// 422 with the reason, which quotes nothing of the password.
pub fn refuse_guessable(field: &str, password: &Password, about: &[&str]) -> ApiResult<()> {
    let typed = password.expose().to_lowercase();
    let own = |fact: &&str| !fact.is_empty() && typed == fact.to_lowercase();
    let mailbox = about.iter().filter_map(|fact| fact.split_once('@').map(|(local, _)| local));
    if about.iter().copied().chain(mailbox).any(|fact| own(&fact)) {
        return Err(ApiError::field(field, "must not be your own address or name"));
    }
    // Fewer than a million guesses, by the dictionaries, names and keyboard walks that the crate ships.
    if zxcvbn(password.expose(), about).score() < Score::Two {
        return Err(ApiError::field(
            field,
            "is too easy to guess: choose one that is not common, or a longer one",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: [&str; 3] = ["ada.lovelace@example.org", "Ada", "Lovelace"];

    fn refused(password: &str) -> bool {
        refuse_guessable("password", &Password::parse(password.into()).unwrap(), &ABOUT).is_err()
    }

    #[test]
    fn what_guessers_try_first_is_refused() {
        for password in
            ["password", "12345678", "Password1", "qwertyuiop", "iloveyou1", "aaaaaaaaaa", "letmein123"]
        {
            assert!(refused(password), "{password}");
        }
    }

    #[test]
    fn ones_own_address_and_names_are_refused() {
        for password in ["ada.lovelace@example.org", "ADA.LOVELACE", "Lovelace", "lovelace1"] {
            assert!(refused(password), "{password}");
        }
    }

    #[test]
    fn long_or_odd_ones_pass_without_rules_of_composition() {
        for password in [
            "a long secret",
            "correct horse battery staple",
            "a-notebook-of-engines",
            "пароль как песня",
            "vjR8gq2t",
        ] {
            assert!(!refused(password), "{password}");
        }
    }
}

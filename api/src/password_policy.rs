//! Which new passwords are refused: those that are guessed first. There are no rules of composition
//! (NIST SP 800-63B-4 §3.1.1.2): only a length, and a dictionary of common passwords.

use bookly_shared::domain::Password;
use secrecy::zeroize::Zeroizing;
use zxcvbn::{Score, zxcvbn};

/// Why a password is refused, after the name of its field.
pub const OWN_WORDS: &str = "must not be made of your own address or name";
/// The same of a common one.
pub const GUESSABLE: &str = "is too easy to guess: choose one that is not common, or a longer one";

/// How much of a password is estimated, in characters: no common password is longer.
const ESTIMATED: usize = 48;
/// Symbols that the estimator reads as letters (`p@$$w0rd`), each with a symbol that it does not. It reads digits as
/// letters too; each digit stands for few letters, so digits are not replaced.
const DISGUISES: [(char, char); 10] = [
    ('(', ')'),
    ('{', '}'),
    ('[', ']'),
    ('<', '>'),
    ('@', '#'),
    ('!', '?'),
    ('|', '\\'),
    ('$', '&'),
    ('+', '='),
    ('%', '^'),
];
/// How many different such symbols are estimated. The estimator tries every combination of their meanings: a password
/// with all of them takes seconds.
const MAX_DISGUISES: usize = 3;
/// The shortest word of an address or a name that counts: shorter ones are in many passwords by chance.
const MIN_WORD_CHARS: usize = 3;
/// How many letters and digits a password must have besides words of the account: a year is not enough.
const MIN_OTHER_CHARS: usize = 5;

/// Refuses a password that is common, almost common, or made of the account's own words. `about` holds the address and the
/// names of the account.
///
/// # Errors
/// The reason, which does not quote the password.
pub fn refuse_guessable(password: &Password, about: &[&str]) -> Result<(), &'static str> {
    if is_made_of(password, about) {
        return Err(OWN_WORDS);
    }
    // Fewer than a million guesses, by the crate's dictionaries, names and keyboard patterns.
    if zxcvbn(&affordable(password.expose()), about).score() < Score::Two { Err(GUESSABLE) } else { Ok(()) }
}

/// The text for the estimator, so that no password takes it longer than a hash. Further symbols that look like letters are
/// replaced by others of the same worth.
fn affordable(password: &str) -> Zeroizing<String> {
    let mut seen = Vec::with_capacity(MAX_DISGUISES);
    let plain = |c: char| match DISGUISES.iter().find(|(disguise, _)| *disguise == c) {
        None => c,
        Some(_) if seen.contains(&c) => c,
        Some((_, plain)) if seen.len() == MAX_DISGUISES => *plain,
        Some(_) => {
            seen.push(c);
            c
        }
    };
    Zeroizing::new(password.chars().take(ESTIMATED).map(plain).collect())
}

/// Whether almost nothing is left of a password without the words of the account, in any case and order.
fn is_made_of(password: &Password, about: &[&str]) -> bool {
    let typed = Zeroizing::new(password.expose().to_lowercase());
    let facts: Vec<String> =
        about.iter().map(|fact| fact.to_lowercase()).filter(|fact| !fact.is_empty()).collect();
    if facts.contains(&typed) {
        return true;
    }
    let words = facts.iter().flat_map(|fact| fact.split(|c: char| !c.is_alphanumeric()));
    let mut words: Vec<&str> = words.filter(|word| word.chars().count() >= MIN_WORD_CHARS).collect();
    // The longest first: "ada" is a part of "adamson".
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    let rest = words.iter().fold(typed.clone(), |rest, word| Zeroizing::new(rest.replace(word, " ")));
    rest != typed && rest.chars().filter(|c| c.is_alphanumeric()).count() < MIN_OTHER_CHARS
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: [&str; 3] = ["ada.lovelace@example.org", "Ada", "Lovelace"];

    fn refused(password: &str) -> bool {
        refuse_guessable(&Password::parse(password.into()).unwrap(), &ABOUT).is_err()
    }

    #[test]
    fn common_passwords_are_refused() {
        for password in
            ["password", "12345678", "Password1", "qwertyuiop", "iloveyou1", "aaaaaaaaaa", "letmein123"]
        {
            assert!(refused(password), "{password}");
        }
    }

    #[test]
    fn the_accounts_own_address_and_names_are_refused() {
        for password in ["ada.lovelace@example.org", "ADA.LOVELACE", "Lovelace", "lovelace1"] {
            assert!(refused(password), "{password}");
        }
    }

    #[test]
    fn passwords_made_of_the_accounts_own_words_are_refused() {
        for password in [
            "Ada Lovelace",
            "lovelace.ada",
            "Ada_Lovelace1",
            "adalovelace1815",
            "ada@example.org",
            "Lovelace2026!",
            "lovelacelovelace",
            "ecalevol",
            "L0vel@ce",
        ] {
            assert!(refused(password), "{password}");
        }
        for password in ["lovelace loved engines", "adamant-notebook", "a canada goose"] {
            assert!(!refused(password), "{password}");
        }
    }

    #[test]
    fn long_or_unusual_passwords_pass_without_rules_of_composition() {
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

    #[test]
    fn symbols_that_look_like_letters_are_recognised_within_a_limit() {
        for password in ["p4$$w0rd", "P@55w0rd!", "0987654321", "1357924680", "P@$$w0rd!"] {
            assert!(refused(password), "{password}");
        }
        let costly = "(4@8c{[<eg69hi!|l17$5t+xz2".repeat(5);
        let looked_at = affordable(&costly);
        let is_disguise = |c: &char| DISGUISES.iter().any(|(disguise, _)| disguise == c);
        let disguises: std::collections::BTreeSet<char> = looked_at.chars().filter(is_disguise).collect();
        assert_eq!((looked_at.chars().count(), disguises.len()), (ESTIMATED, MAX_DISGUISES));
        assert!(!refused(&costly[..128]) && !refused("(@{$[!<+%|"));
    }
}

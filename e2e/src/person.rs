//! A person who signs up.

use serde::Serialize;
use uuid::Uuid;

/// The beginning of every password in the tests, to find passwords where they must not be.
pub const PASSWORD_MARK: &str = "pa55-";
/// The beginning of every address in the tests, for the same reason.
pub const ADDRESS_MARK: &str = "kim-";

/// The body of `POST /signup`.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    pub first_name: String,
    pub last_name: String,
    pub username: String,
    /// Unique.
    pub email: String,
    /// Unique.
    pub password: String,
}

impl Person {
    /// A new person.
    #[expect(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Person {
        let id = Uuid::new_v4().simple().to_string();
        Person {
            first_name: "Kim".to_owned(),
            last_name: "Novak".to_owned(),
            username: format!("kim{}", &id[..8]),
            email: format!("{ADDRESS_MARK}{id}@people.test"),
            password: new_password(),
        }
    }

    /// The same person with another password.
    pub fn with_password(&self, password: &str) -> Person {
        Person { password: password.to_owned(), ..self.clone() }
    }
}

/// A new password.
pub fn new_password() -> String {
    format!("{PASSWORD_MARK}{}", Uuid::new_v4().simple())
}

/// A new address.
pub fn new_address() -> String {
    format!("{ADDRESS_MARK}{}@people.test", Uuid::new_v4().simple())
}

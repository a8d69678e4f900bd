//! Somebody who signs up.

use serde::Serialize;
use uuid::Uuid;

/// Every password of the tests begins with this, so that one is recognised wherever it should not be.
pub const PASSWORD_MARK: &str = "pa55-";
/// Every address of the tests begins with this, for the same reason.
pub const ADDRESS_MARK: &str = "kim-";

/// What `POST /signup` takes.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Name in the service.
    pub username: String,
    /// Address, like nobody else's.
    pub email: String,
    /// Password, like nobody else's.
    pub password: String,
}

impl Person {
    /// Somebody new.
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

/// A password that was never used before.
pub fn new_password() -> String {
    format!("{PASSWORD_MARK}{}", Uuid::new_v4().simple())
}

/// An address that was never used before.
pub fn new_address() -> String {
    format!("{ADDRESS_MARK}{}@people.test", Uuid::new_v4().simple())
}

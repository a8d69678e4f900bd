//! Log lines about logins and changes of accounts, so that an attack can be seen (OWASP ASVS 5.0, 16.2 and 16.3).
//!
//! The request's span adds the client's address as `client`.

use bookly_shared::db::users::User;
use bookly_shared::domain::EmailAddress;

/// A log line about an account: its id and its masked address.
pub(crate) fn account(user: &User, event: &'static str) {
    let address = masked(&user.email);
    tracing::info!(event, account = %user.uid, address, "account");
}

/// A wrong password. `account` is `None` when no account has the address.
pub(crate) fn wrong_password(address: &str, account: Option<&User>, event: &'static str) {
    let (account, address) = (account.map(|user| user.uid.to_string()), masked(address));
    tracing::warn!(event, account, address, "account");
}

/// An attempt that has to wait, because of the wrong passwords before it.
pub(crate) fn throttled(address: &str, event: &'static str) {
    tracing::warn!(event, address = masked(address), "account");
}

fn masked(address: &str) -> String {
    EmailAddress::parse(address).map_or_else(|_| "***".to_owned(), |address| address.masked())
}

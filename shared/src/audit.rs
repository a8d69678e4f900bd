//! Log lines about logins, changes of accounts and what administrators do with emails, so that an attack can be seen
//! (OWASP ASVS 5.0, 16.2 and 16.3). No line holds a whole address, a token, a link, a code or a password.
//!
//! In the API the request's span adds the client's address as `client`.

use uuid::Uuid;

use crate::db::users::User;
use crate::domain::Role;
use crate::redactor::masked;

/// What happened to an account, or what it did: its id and its masked address.
pub fn account(user: &User, event: &'static str) {
    account_of(user.uid, &user.email, event);
}

/// The same for an account that is known by its id and its address.
pub fn account_of(uid: Uuid, address: &str, event: &'static str) {
    tracing::info!(event, account = %uid, address = masked(address), "account");
}

/// What an account tried to do without permission.
pub fn refused(user: &User, event: &'static str) {
    tracing::warn!(event, account = %user.uid, address = masked(&user.email), "account");
}

/// An operator gave an account a role.
pub fn role_changed(user: &User, role: Role) {
    let address = masked(&user.email);
    tracing::info!(event = "role_changed", account = %user.uid, address, %role, "account");
}

/// A wrong password. `account` is `None` when no account has the address.
pub fn wrong_password(address: &str, account: Option<&User>, event: &'static str) {
    let (account, address) = (account.map(|user| user.uid.to_string()), masked(address));
    tracing::warn!(event, account, address, "account");
}

/// A request that has to wait, because of the wrong passwords or the emails before it, or whose code was refused. The
/// line does not say whether the address has an account.
pub fn throttled(address: &str, event: &'static str) {
    tracing::warn!(event, address = masked(address), "account");
}

/// What an administrator did with an email.
pub fn email(admin: &User, email: Uuid, event: &'static str) {
    tracing::info!(event, account = %admin.uid, address = masked(&admin.email), %email, "email");
}

/// What an operator did with an email by a command. The machine decides who may run commands, so the line names no
/// account.
pub fn email_by_command(email: Uuid, event: &'static str) {
    tracing::info!(event, %email, "email");
}

/// What an operator did with so many emails by one command.
pub fn emails_by_command(emails: usize, event: &'static str) {
    tracing::info!(event, emails, "email");
}

/// An administrator queued so many emails.
pub fn emails_queued(admin: &User, emails: usize, event: &'static str) {
    tracing::info!(event, account = %admin.uid, address = masked(&admin.email), emails, "email");
}

/// What happened to the suppression of a mailbox with this reason, by maintenance, a link or a command.
pub fn suppression(mailbox: &str, reason: &str, event: &'static str) {
    tracing::info!(event, mailbox = masked(mailbox), reason, "suppression");
}

/// The same by an administrator.
pub fn suppression_by(admin: &User, mailbox: &str, reason: &str, event: &'static str) {
    let (address, mailbox) = (masked(&admin.email), masked(mailbox));
    tracing::info!(event, account = %admin.uid, address, mailbox, reason, "suppression");
}

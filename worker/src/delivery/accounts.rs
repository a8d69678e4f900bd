//! The accounts that mails are about, looked up for several mails at once.

use std::collections::HashMap;

use bookly_shared::db::DbResult;
use bookly_shared::db::batch::BatchOperation;
use bookly_shared::db::held_connection::HeldConnection;
use bookly_shared::db::users::User;
use uuid::Uuid;

/// Looks accounts up.
#[derive(Debug)]
pub(crate) struct Accounts;

/// Whose account.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    /// Of this id.
    Uid(Uuid),
    /// Of this mailbox, in its canonical form.
    Mailbox(String),
}

impl BatchOperation for Accounts {
    type Item = Whose;
    type Answer = Option<User>;

    async fn ask(&self, db: &mut HeldConnection, whose: &[Whose]) -> DbResult<Vec<Option<User>>> {
        let (mut uids, mut mailboxes) = (Vec::new(), Vec::new());
        for whose in whose {
            match whose {
                Whose::Uid(uid) => uids.push(*uid),
                Whose::Mailbox(mailbox) => mailboxes.push(mailbox.clone()),
            }
        }
        let users = db.users_among(&uids, &mailboxes).await?;
        let by_uid: HashMap<Uuid, &User> = users.iter().map(|user| (user.uid, user)).collect();
        let by_mailbox: HashMap<&str, &User> =
            users.iter().map(|user| (user.email_canonical.as_str(), user)).collect();
        let answer = |whose: &Whose| match whose {
            Whose::Uid(uid) => by_uid.get(uid).copied().cloned(),
            Whose::Mailbox(mailbox) => by_mailbox.get(mailbox.as_str()).copied().cloned(),
        };
        Ok(whose.iter().map(answer).collect())
    }
}

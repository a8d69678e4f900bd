//! The table `users`: finds accounts, and creates one together with its email.

mod user;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

pub use self::user::{Change, FIRST_AUTH_VERSION, Replaceable, User};
use super::base_mailboxes::COUNT_FOR;
use super::batch::{BatchOperation, HeldConnection};
use super::emails::insert::{NewEmail, bind_email};
use super::idempotency::AnswerToStore;
use super::{Db, DbResult, Pools, on_db, within_limit};
use crate::domain::{CreatedVia, EmailAddress, Role};
use crate::links::UNDO_WINDOW;
use crate::locale::LanguageTag;

const SELECT_USER: &str = "SELECT * FROM users WHERE uid = $1";

pub(super) const SELECT_USER_OF_MAILBOX: &str = "SELECT * FROM users WHERE email_canonical = $1";

/// ARRAY hides how many ids there are. Otherwise Postgres finds a plan for one id cheaper than its plan for any number,
/// and plans each look-up of one email anew.
const SELECT_USERS_POSTGRES: &str = "
SELECT * FROM users WHERE uid = ANY (ARRAY(SELECT unnest($1::uuid[])))";

const SELECT_USERS_OF_MAILBOXES_POSTGRES: &str = "
SELECT * FROM users WHERE email_canonical = ANY (ARRAY(SELECT unnest($1::text[])))";

impl Db {
    /// The account with this id.
    pub async fn user(&self, uid: Uuid) -> DbResult<Option<User>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(SELECT_USER).bind(uid).fetch_optional(&mut *connection).await?
        })
    }

    /// The account of a mailbox in its canonical form.
    pub async fn user_of_mailbox(&self, canonical: &str) -> DbResult<Option<User>> {
        on_db!(self.reader(), connection => {
            sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(canonical).fetch_optional(&mut *connection).await?
        })
    }
}

/// Names an account.
#[derive(Clone, Debug)]
pub enum AccountKey {
    /// By its id.
    Uid(Uuid),
    /// By its mailbox in its canonical form.
    Mailbox(String),
}

impl Db {
    /// The account with this key, looked up together with those of other emails at the same time.
    pub async fn account_of(&self, key: AccountKey) -> DbResult<Option<User>> {
        self.batch(FindAccounts, key).await
    }
}

/// Finds accounts in batches.
#[derive(Clone, Copy, Debug)]
struct FindAccounts;

impl BatchOperation for FindAccounts {
    type Item = AccountKey;
    type Output = Option<User>;

    async fn run(&self, connection: &mut HeldConnection, keys: &[AccountKey]) -> DbResult<Vec<Option<User>>> {
        let users = within_limit(find_users(connection, keys)).await?;
        let user_of = |key: &AccountKey| {
            let has_key = |user: &&User| match key {
                AccountKey::Uid(uid) => user.uid == *uid,
                AccountKey::Mailbox(mailbox) => user.email_canonical == *mailbox,
            };
            users.iter().find(has_key).cloned()
        };
        Ok(keys.iter().map(user_of).collect())
    }
}

/// The accounts with these keys, in no order.
async fn find_users(connection: &mut HeldConnection, keys: &[AccountKey]) -> DbResult<Vec<User>> {
    let mut users: Vec<User> = Vec::with_capacity(keys.len());
    match connection {
        HeldConnection::Postgres(connection) => {
            let (uids, mailboxes) = split(keys);
            if !uids.is_empty() {
                let query = sqlx::query_as(SELECT_USERS_POSTGRES).bind(uids);
                users.append(&mut query.fetch_all(&mut **connection).await?);
            }
            if !mailboxes.is_empty() {
                let query = sqlx::query_as(SELECT_USERS_OF_MAILBOXES_POSTGRES).bind(mailboxes);
                users.append(&mut query.fetch_all(&mut **connection).await?);
            }
        }
        // SQLite has no round trips to save.
        HeldConnection::Sqlite { reader, .. } => {
            for key in keys {
                let query = match key {
                    AccountKey::Uid(uid) => sqlx::query_as(SELECT_USER).bind(uid),
                    AccountKey::Mailbox(mailbox) => sqlx::query_as(SELECT_USER_OF_MAILBOX).bind(mailbox),
                };
                let user: Option<User> = query.fetch_optional(&*reader).await?;
                users.extend(user);
            }
        }
    }
    Ok(users)
}

fn split(keys: &[AccountKey]) -> (Vec<Uuid>, Vec<&str>) {
    let (mut uids, mut mailboxes) = (Vec::new(), Vec::new());
    for key in keys {
        match key {
            AccountKey::Uid(uid) => uids.push(*uid),
            AccountKey::Mailbox(mailbox) => mailboxes.push(mailbox.as_str()),
        }
    }
    (uids, mailboxes)
}

/// The values of a sign-up.
#[derive(Debug)]
pub struct NewAccount {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The chosen name.
    pub username: String,
    /// The address, not yet proven.
    pub email: EmailAddress,
    /// The password's hash, a PHC string.
    pub password_hash: String,
    /// How the account is created.
    pub created_via: CreatedVia,
    /// The language of its emails; `None` when it is not known.
    pub locale: Option<LanguageTag>,
    /// An unverified account to delete first, see [`User::replaceable`].
    pub replaces: Option<Replaceable>,
    /// How many sign-ups and address changes a mailbox gets in 24 hours, whatever follows its `+`.
    pub base_mailbox_limit: i32,
}

impl NewAccount {
    pub(super) fn locale_text(&self) -> Option<String> {
        self.locale.as_ref().map(ToString::to_string)
    }
}

/// Makes the answer to a sign-up that is stored with its account.
pub type AnswerFor<'a> = &'a (dyn Fn(&User) -> Option<AnswerToStore> + Send + Sync);

/// The result of a sign-up.
#[derive(Debug)]
pub enum Creation {
    /// The account and the id of its email.
    Created(Box<User>, Uuid),
    /// The address has an account, or belongs to one again after an email change is undone.
    AddressTaken,
    /// The mailbox had too many sign-ups and address changes; the next one is possible after so long.
    TooManyForMailbox(TimeDelta),
}

/// Counts the sign-up, creates the account and queues its email: one round trip instead of six. A sign-up of an address
/// that is taken or reserved is not counted, unless two come at the same moment. The parameters `$1` to
/// `$10` are the account, `$11` to `$21` the email, `$22` to `$24` the count; changes before `$25` cannot be
/// undone; `$26` is the account's language.
const CREATE_ACCOUNT_POSTGRES: &str = "
WITH counted AS (
    INSERT INTO base_mailbox_counts AS counts (base_mailbox, counted_at, last_counted_at)
    SELECT $22, ARRAY[$9::timestamptz], $9
    WHERE NOT EXISTS (SELECT 1 FROM users WHERE email_canonical = $4)
      AND NOT EXISTS (SELECT 1 FROM email_changes
                      WHERE old_mailbox = $4 AND ended_at IS NULL AND changed_at > $25)
    ON CONFLICT (base_mailbox) DO UPDATE
    SET counted_at = counts.counted_at[cardinality(counts.counted_at) + 2 - $24 :] || excluded.last_counted_at,
        last_counted_at = excluded.last_counted_at
    WHERE cardinality(counts.counted_at) < $24
       OR counts.counted_at[cardinality(counts.counted_at) + 1 - $24] <= $23
    RETURNING base_mailbox
), account AS (
    INSERT INTO users (uid, username, email, email_canonical, first_name, last_name, role, password_hash,
                       auth_changed_at, created_at, update_at, created_via, locale)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $9, $10, $26
    FROM counted
    ON CONFLICT (email_canonical) DO NOTHING
    RETURNING *
), email AS (
    INSERT INTO emails (id, kind, recipient, mailbox, user_uid, auth_version, context, request_id, traceparent,
                        created_at, enqueued_at, due_at, deadline_at, state)
    SELECT $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20, $20, $21, 'queued' FROM account
)
SELECT * FROM account";

/// Binds the ten values of an account, which both statements that insert one begin with.
macro_rules! bind_account {
    ($query:expr, $account:expr, $uid:expr, $now:expr) => {
        $query
            .bind($uid)
            .bind(&$account.username)
            .bind($account.email.as_str())
            .bind($account.email.canonical())
            .bind(&$account.first_name)
            .bind(&$account.last_name)
            .bind(Role::User.as_str())
            .bind(&$account.password_hash)
            .bind($now)
            .bind($account.created_via.as_str())
    };
}
pub(super) use bind_account;

impl Db {
    /// Creates an account, queues its verification email, `email(uid)`, and stores the answer if `store` makes one, in one transaction. Another
    /// request may create an account with the same address at the same moment: the unique index decides.
    pub async fn create_account_and_store_answer(
        &self,
        account: &NewAccount,
        email: impl FnOnce(Uuid) -> NewEmail,
        store: Option<AnswerFor<'_>>,
        now: DateTime<Utc>,
    ) -> DbResult<Creation> {
        let uid = Uuid::new_v4();
        let email = email(uid);
        let created = match (&self.pools, account.replaces, store) {
            (Pools::Postgres(_), None, None) => {
                let user: DbResult<Option<User>> = on_db!(self.writer(), connection => {
                let query = bind_account!(sqlx::query_as(CREATE_ACCOUNT_POSTGRES), account, uid, now);
                let query = bind_email!(query, email)
                    .bind(account.email.base_mailbox())
                    .bind(now - COUNT_FOR)
                    .bind(account.base_mailbox_limit)
                    .bind(now - UNDO_WINDOW)
                    .bind(account.locale_text());
                query.fetch_optional(&mut *connection).await?
                });
                user?.inspect(|_| email.count())
            }
            _ => self.create_account_in_steps(account, uid, &email, store, now).await?,
        };
        match created {
            Some(user) => Ok(Creation::Created(Box::new(user), email.id)),
            None => self.why_not_created(account, now).await,
        }
    }

    async fn why_not_created(&self, account: &NewAccount, now: DateTime<Utc>) -> DbResult<Creation> {
        let wait = self.base_mailbox_wait(&account.email, account.base_mailbox_limit, now).await?;
        Ok(wait.map_or(Creation::AddressTaken, Creation::TooManyForMailbox))
    }
}

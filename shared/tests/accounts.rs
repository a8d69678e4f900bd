//! Who may have an account and an address, and when: on both databases, with times chosen by the tests.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use bookly_shared::config::MailboxLimits;
use bookly_shared::db::Db;
use bookly_shared::db::accounts::{RoleChange, UnverifiedDeletion};
use bookly_shared::db::email_changes::EmailChangeRequest;
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::insert::{NewEmail, RequestOrigin};
use bookly_shared::db::emails::on_request::EmailRequest;
use bookly_shared::db::sessions::{Actor, Bearer, Checked};
use bookly_shared::db::users::{Change, Creation, FIRST_AUTH_VERSION, NewAccount, User};
use bookly_shared::domain::{CreatedVia, EmailAddress, EmailKind, Role};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use scratch::{new_account, on_both};

const LIMIT: i32 = 20;

fn at(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::hours(hours)
}

fn address(local: &str) -> EmailAddress {
    EmailAddress::parse(&format!("{local}@{}.example.org", Uuid::new_v4().simple())).unwrap()
}

/// An address of the same domain.
fn beside(email: &EmailAddress, local: &str) -> EmailAddress {
    let domain = email.as_str().split_once('@').unwrap().1;
    EmailAddress::parse(&format!("{local}@{domain}")).unwrap()
}

async fn create(db: &Db, email: &EmailAddress, via: CreatedVia, hours: i64) -> Creation {
    let old = db.user_of_mailbox(email.canonical()).await.unwrap();
    let account = NewAccount {
        password_hash: format!("hash of {hours}"),
        created_via: via,
        replaces: old.and_then(|old| old.replaceable(at(hours) - TimeDelta::hours(1))),
        base_mailbox_limit: LIMIT,
        ..new_account(email)
    };
    let mail = |uid| NewEmail::new(EmailKind::VerifyEmail, email, at(hours)).about(uid, FIRST_AUTH_VERSION);
    db.create_account_and_store_answer(&account, mail, None, at(hours)).await.unwrap()
}

async fn sign_up(db: &Db, email: &EmailAddress, hours: i64) -> User {
    match create(db, email, CreatedVia::SignUp, hours).await {
        Creation::Created(user, _) => *user,
        other => panic!("{other:?}"),
    }
}

async fn verified(db: &Db, email: &EmailAddress, hours: i64) -> User {
    let user = sign_up(db, email, hours).await;
    assert!(matches!(db.verify_account(user.uid, email, at(hours)).await.unwrap(), Change::Made(())));
    now(db, user.uid).await
}

async fn now(db: &Db, uid: Uuid) -> User {
    db.user(uid).await.unwrap().expect("the account exists")
}

async fn log_in(db: &Db, user: &User, hours: i64) -> Actor {
    let sid = Uuid::new_v4();
    assert!(db.open_session(sid, user, at(hours), at(hours + 48)).await.unwrap());
    Actor { user_uid: user.uid, sid, auth_version: user.auth_version }
}

async fn change_email(db: &Db, user: &User, to: &EmailAddress, hours: i64) -> Change<Uuid> {
    db.change_email(user, to, None, RequestOrigin::default(), at(hours)).await.unwrap()
}

/// Moves an account and returns the id of the change that the email to the old address names.
async fn moved(db: &Db, user: &User, to: &EmailAddress, hours: i64) -> (User, Uuid) {
    let Change::Made(email) = change_email(db, user, to, hours).await else { panic!("not moved") };
    let claimed = db.claim_due(ClaimLimits::of(100), "test", at(hours)).await.unwrap();
    let notice = claimed.into_iter().find(|claimed| claimed.id == email).expect("the notice is queued");
    assert_eq!((notice.kind, notice.recipient.as_str()), (EmailKind::EmailChanged, user.email.as_str()));
    (now(db, user.uid).await, notice.context.email_change.expect("the notice names the change"))
}

async fn undo(db: &Db, change: Uuid, uid: Uuid, hours: i64) -> Change<Vec<Uuid>> {
    db.undo_email_change(change, uid, "unknown", RequestOrigin::default(), at(hours)).await.unwrap()
}

#[tokio::test]
async fn a_sign_up_replaces_an_old_sign_up_that_was_never_verified() {
    on_both("a_sign_up_replaces_an_old_sign_up_that_was_never_verified", async |db: Db| {
        let email = address("ann");
        let first = sign_up(&db, &email, 0).await;
        let actor = log_in(&db, &first, 0).await;
        assert!(matches!(create(&db, &email, CreatedVia::SignUp, 1).await, Creation::AddressTaken));
        let second = sign_up(&db, &email, 2).await;
        assert_ne!(first.uid, second.uid);
        assert!(db.user(first.uid).await.unwrap().is_none());
        assert!(matches!(db.bearer(first.uid, actor.sid, at(2)).await.unwrap(), Bearer::NoUser));
        let claimed = db.claim_due(ClaimLimits::of(100), "test", at(2)).await.unwrap();
        let uids: Vec<_> = claimed.iter().map(|email| email.user_uid).collect();
        assert_eq!(uids, [Some(second.uid)], "the email of the replaced account is cancelled");
    })
    .await;
}

#[tokio::test]
async fn no_other_account_is_replaced_deleted_or_purged() {
    on_both("no_other_account_is_replaced_deleted_or_purged", async |db: Db| {
        for via in [CreatedVia::Invitation, CreatedVia::Import, CreatedVia::Operator] {
            let email = address("ann");
            let Creation::Created(user, _) = create(&db, &email, via, 0).await else { panic!("{via:?}") };
            assert!(matches!(create(&db, &email, CreatedVia::SignUp, 999).await, Creation::AddressTaken));
            assert_eq!(
                db.delete_unverified_account(user.uid, &email, at(999)).await.unwrap(),
                UnverifiedDeletion::Refused
            );
            db.purge_unverified_accounts(at(999)).await.unwrap();
            now(&db, user.uid).await;
        }
        let email = address("ann");
        let user = verified(&db, &email, 0).await;
        assert!(matches!(create(&db, &email, CreatedVia::SignUp, 999).await, Creation::AddressTaken));
        assert_eq!(
            db.delete_unverified_account(user.uid, &email, at(999)).await.unwrap(),
            UnverifiedDeletion::Refused
        );
        db.purge_unverified_accounts(at(999)).await.unwrap();
        now(&db, user.uid).await;
    })
    .await;
}

#[tokio::test]
async fn an_unverified_sign_up_is_purged_after_its_time_and_deleted_at_once() {
    on_both("an_unverified_sign_up_is_purged_after_its_time_and_deleted_at_once", async |db: Db| {
        let (old, young, foreign) = (address("old"), address("young"), address("foreign"));
        let (old, young) = (sign_up(&db, &old, 0).await, sign_up(&db, &young, 10).await);
        assert_eq!(db.purge_unverified_accounts(at(5)).await.unwrap().len(), 1);
        assert!(db.user(old.uid).await.unwrap().is_none());
        now(&db, young.uid).await;
        let stranger = sign_up(&db, &foreign, 10).await;
        assert_eq!(
            db.delete_unverified_account(stranger.uid, &foreign, at(10)).await.unwrap(),
            UnverifiedDeletion::Deleted
        );
        assert!(db.user(stranger.uid).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn an_unverified_account_does_not_become_an_administrator() {
    on_both("an_unverified_account_does_not_become_an_administrator", async |db: Db| {
        let email = address("ann");
        sign_up(&db, &email, 0).await;
        assert_eq!(db.set_role(&email, Role::Admin, at(0)).await.unwrap(), RoleChange::NotVerified);
        assert_eq!(db.set_role(&email, Role::User, at(0)).await.unwrap(), RoleChange::Made);
        let other = address("nobody");
        assert_eq!(db.set_role(&other, Role::Admin, at(0)).await.unwrap(), RoleChange::NoAccount);
        let user = db.user_of_mailbox(email.canonical()).await.unwrap().unwrap();
        db.verify_account(user.uid, &email, at(0)).await.unwrap();
        assert_eq!(db.set_role(&email, Role::Admin, at(0)).await.unwrap(), RoleChange::Made);
    })
    .await;
}

#[tokio::test]
async fn one_mailbox_gets_twenty_sign_ups_a_day_whatever_follows_its_plus() {
    on_both("one_mailbox_gets_twenty_sign_ups_a_day_whatever_follows_its_plus", async |db: Db| {
        let email = address("victim");
        let many = (0..50).map(|n| beside(&email, &format!("victim+{n}")));
        let many: Vec<EmailAddress> = many.collect();
        let created = many.iter().map(|email| create(&db, email, CreatedVia::SignUp, 0));
        let created = futures_util::future::join_all(created).await;
        let count = created.iter().filter(|creation| matches!(creation, Creation::Created(..))).count();
        assert_eq!(count, 20);
        let Creation::TooManyForMailbox(wait) = create(&db, &email, CreatedVia::SignUp, 23).await else {
            panic!("the plus makes no difference")
        };
        assert_eq!(wait, TimeDelta::hours(1));
        sign_up(&db, &beside(&email, "other"), 23).await;
        sign_up(&db, &email, 24).await;
    })
    .await;
}

#[tokio::test]
async fn a_change_of_address_counts_for_its_mailbox_too_and_is_silently_dropped() {
    on_both("a_change_of_address_counts_for_its_mailbox_too", async |db: Db| {
        let user = verified(&db, &address("ann"), 0).await;
        let actor = log_in(&db, &user, 0).await;
        let victim = address("victim");
        let mut queued = Vec::new();
        for n in 0..22 {
            let new_email = beside(&victim, &format!("victim+{n}"));
            let email =
                NewEmail::new(EmailKind::ChangeEmail, &new_email, at(0)).about(user.uid, user.auth_version);
            let limits = MailboxLimits { per_quarter_hour: 3, per_day: 10 };
            let request = EmailRequest { email, along: Vec::new(), limits, lifetime: TimeDelta::hours(1) };
            let request = EmailChangeRequest {
                actor: &actor,
                request,
                new_email: &new_email,
                base_mailbox_limit: LIMIT,
                store: None,
            };
            queued.push(db.request_email_change(&request).await.unwrap());
        }
        assert_eq!(queued[..20], [Checked::Done(true); 20]);
        assert_eq!(queued[20..], [Checked::Done(false); 2]);
    })
    .await;
}

#[tokio::test]
async fn the_limit_of_a_mailbox_holds_for_any_24_hours() {
    on_both("the_limit_of_a_mailbox_holds_for_any_24_hours", async |db: Db| {
        let base = address("any");
        let mut tag = 0;
        let mut sign_ups = async |count: i32, hours| {
            for _ in 0..count {
                tag += 1;
                sign_up(&db, &beside(&base, &format!("any+{tag}")), hours).await;
            }
            match create(&db, &beside(&base, "any+more"), CreatedVia::SignUp, hours).await {
                Creation::TooManyForMailbox(wait) => Some(wait.num_hours()),
                Creation::Created(..) => None,
                Creation::AddressTaken => panic!("taken"),
            }
        };
        assert_eq!(sign_ups(9, 0).await, None, "the tenth is possible");
        assert_eq!(sign_ups(10, 20).await, Some(4));
        // A day after the first ten, these count no more, and the later ones do.
        let refused = async |hours| create(&db, &beside(&base, "any+x"), CreatedVia::SignUp, hours).await;
        assert!(matches!(refused(23).await, Creation::TooManyForMailbox(_)));
        assert_eq!(sign_ups(10, 24).await, Some(20));
        assert_eq!(sign_ups(10, 44).await, Some(4));
    })
    .await;
}

#[tokio::test]
async fn a_sign_up_that_makes_no_account_does_not_count_for_its_mailbox() {
    on_both("a_sign_up_that_makes_no_account_does_not_count_for_its_mailbox", async |db: Db| {
        let (taken, reserved) = (address("ann"), address("bob"));
        verified(&db, &taken, 0).await;
        let user = verified(&db, &reserved, 0).await;
        moved(&db, &user, &beside(&reserved, "other"), 0).await;
        for email in [&taken, &reserved] {
            for _ in 0..2 * LIMIT {
                assert!(matches!(create(&db, email, CreatedVia::SignUp, 1).await, Creation::AddressTaken));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_change_by_an_account_needs_its_session_and_its_version() {
    on_both("a_change_by_an_account_needs_its_session_and_its_version", async |db: Db| {
        let email = address("ann");
        let user = verified(&db, &email, 0).await;
        let welcome = || [NewEmail::new(EmailKind::Welcome, &address("bob"), at(0))];
        let queue = async |actor: &Actor, hours| {
            db.insert_emails_by(actor, &welcome(), None, at(hours)).await.unwrap()
        };
        let actor = log_in(&db, &user, 0).await;
        assert_eq!(queue(&actor, 0).await, Checked::Done(()));
        assert_eq!(queue(&actor, 48).await, Checked::Revoked, "the session is too old");
        db.set_role(&email, Role::Admin, at(0)).await.unwrap();
        assert_eq!(queue(&actor, 0).await, Checked::Revoked, "the role changed");
        let actor = Actor { auth_version: actor.auth_version + 1, ..actor };
        assert_eq!(queue(&actor, 0).await, Checked::Done(()));
        db.end_session(actor.sid).await.unwrap();
        assert_eq!(queue(&actor, 0).await, Checked::Revoked, "the session ended");
    })
    .await;
}

#[tokio::test]
async fn an_undone_change_restores_the_address_once_and_ends_everything_later() {
    on_both("an_undone_change_restores_the_address_once_and_ends_everything_later", async |db: Db| {
        let (home, thief, last) = (address("home"), address("thief"), address("last"));
        let user = verified(&db, &home, 0).await;
        let (user, first) = moved(&db, &user, &thief, 1).await;
        let (user, second) = moved(&db, &user, &last, 2).await;
        let session = log_in(&db, &user, 2).await;
        assert!(matches!(undo(&db, second, Uuid::new_v4(), 3).await, Change::Stale), "another account's");
        let Change::Made(queued) = undo(&db, first, user.uid, 3).await else { panic!("not undone") };
        let restored = now(&db, user.uid).await;
        assert_eq!(restored.email, home.as_str());
        assert_eq!(restored.password_hash, "unknown");
        assert!(restored.is_verified && restored.auth_version > user.auth_version);
        assert!(matches!(db.bearer(user.uid, session.sid, at(3)).await.unwrap(), Bearer::Ended));
        let claimed = db.claim_due(ClaimLimits::of(100), "test", at(3)).await.unwrap();
        let of = |kind| claimed.iter().find(|email| email.kind == kind && queued.contains(&email.id));
        let reset = of(EmailKind::ResetPassword).expect("a reset is queued");
        assert_eq!(reset.recipient, home.as_str());
        assert_eq!(reset.auth_version, Some(restored.auth_version));
        let notice = of(EmailKind::EmailChanged).expect("who loses the account is told");
        assert_eq!(notice.recipient, last.as_str());
        assert_eq!(notice.context.masked_address, Some(home.masked()));
        assert_eq!(notice.context.email_change, None, "there is nothing that it could undo");
        for used in [first, second] {
            assert!(matches!(undo(&db, used, user.uid, 4).await, Change::Stale));
        }
    })
    .await;
}

#[tokio::test]
async fn an_earlier_change_can_be_undone_after_a_later_one_was() {
    on_both("an_earlier_change_can_be_undone_after_a_later_one_was", async |db: Db| {
        let (home, thief, last) = (address("home"), address("thief"), address("last"));
        let user = verified(&db, &home, 0).await;
        let (user, first) = moved(&db, &user, &thief, 1).await;
        let (user, second) = moved(&db, &user, &last, 2).await;
        assert!(matches!(undo(&db, second, user.uid, 3).await, Change::Made(_)));
        assert_eq!(now(&db, user.uid).await.email, thief.as_str());
        assert!(matches!(undo(&db, first, user.uid, 4).await, Change::Made(_)));
        assert_eq!(now(&db, user.uid).await.email, home.as_str());
        // An account that has the address already loses none.
        let (user, away) = moved(&db, &now(&db, user.uid).await, &thief, 5).await;
        let (user, _) = moved(&db, &user, &home, 6).await;
        let Change::Made(queued) = undo(&db, away, user.uid, 7).await else { panic!("not undone") };
        assert_eq!(queued.len(), 1, "the reset alone");
    })
    .await;
}

#[tokio::test]
async fn while_a_change_can_be_undone_nobody_else_gets_the_old_address() {
    on_both("while_a_change_can_be_undone_nobody_else_gets_the_old_address", async |db: Db| {
        let (home, new) = (address("home"), address("new"));
        let user = verified(&db, &home, 0).await;
        let other = verified(&db, &address("other"), 0).await;
        let (user, change) = moved(&db, &user, &new, 0).await;
        assert!(matches!(create(&db, &home, CreatedVia::SignUp, 71).await, Creation::AddressTaken));
        assert!(matches!(change_email(&db, &other, &home, 71).await, Change::AddressTaken));
        let taken = async |of: &User, address: &EmailAddress, hours| {
            db.is_taken_for(of.uid, address.canonical(), at(hours)).await.unwrap()
        };
        assert!(
            taken(&other, &home, 71).await
                && !taken(&user, &home, 71).await
                && !taken(&other, &home, 72).await
        );
        assert!(taken(&other, &new, 99).await && !taken(&user, &new, 99).await, "an account has it");
        assert!(db.email_change(change, user.uid, at(71)).await.unwrap().is_some());
        assert!(db.email_change(change, user.uid, at(72)).await.unwrap().is_none());
        assert!(matches!(undo(&db, change, user.uid, 72).await, Change::Stale));
        sign_up(&db, &home, 72).await;
        // The owner may go back at any time.
        let (home, new) = (address("home"), address("new"));
        let user = verified(&db, &home, 0).await;
        let (user, _) = moved(&db, &user, &new, 0).await;
        moved(&db, &user, &home, 1).await;
    })
    .await;
}

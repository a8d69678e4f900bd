//! How often codes may be tried, and with which emails one is compared: on both databases, with times chosen by the
//! tests.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bookly_shared::db::Db;
use bookly_shared::db::code_tries::{CandidateEmail, Subject};
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::users::{Creation, FIRST_AUTH_VERSION, User};
use bookly_shared::domain::closing_reason::NO_ACCOUNT;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};
use uuid::Uuid;

use scratch::{new_account, on_both};

const LIFETIME: TimeDelta = TimeDelta::hours(1);
const RESET: EmailKind = EmailKind::ResetPassword;

fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::minutes(minutes)
}

fn address() -> EmailAddress {
    EmailAddress::parse(&format!("ann@{}.example.org", Uuid::new_v4().simple())).unwrap()
}

async fn sign_up(db: &Db, email: &EmailAddress) -> User {
    let account = new_account(email);
    let mail = |uid| NewEmail::new(EmailKind::VerifyEmail, email, at(0)).about(uid, FIRST_AUTH_VERSION);
    match db.create_account_and_store_answer(&account, mail, None, at(0)).await.unwrap() {
        Creation::Created(user, _) => *user,
        other => panic!("{other:?}"),
    }
}

/// Queues an email and begins an attempt at it.
async fn attempted(db: &Db, email: NewEmail, minutes: i64) -> Uuid {
    let id = email.id;
    db.insert_emails(&[email]).await.unwrap();
    let claimed = db.claim_due(ClaimLimits::of(100), "test", at(minutes)).await.unwrap();
    assert!(claimed.iter().any(|claimed| claimed.id == id), "the email is claimed");
    id
}

async fn reset(db: &Db, email: &EmailAddress, minutes: i64) -> Uuid {
    attempted(db, NewEmail::new(RESET, email, at(minutes)), minutes).await
}

/// Tries a wrong code; returns the emails that it was compared with, or none where no try was left.
async fn try_wrong(db: &Db, subject: Subject<'_>, minutes: i64) -> Option<Vec<Uuid>> {
    let compared = Mutex::new(None);
    let find = |_: Option<&User>, emails: &[CandidateEmail]| {
        *compared.lock().unwrap() = Some(emails.iter().map(|email| email.id).collect());
        None
    };
    assert!(db.try_code(subject, LIFETIME, at(minutes), find).await.unwrap().found.is_none());
    compared.into_inner().unwrap()
}

/// Tries a code that is the newest email's.
async fn try_right(db: &Db, subject: Subject<'_>, minutes: i64) -> Option<Uuid> {
    let find = |_: Option<&User>, emails: &[CandidateEmail]| (!emails.is_empty()).then_some(0);
    db.try_code(subject, LIFETIME, at(minutes), find).await.unwrap().found.map(|(_, email)| email.id)
}

async fn five_hundred_at_once(apis: &[Db]) {
    let email = address();
    sign_up(&apis[0], &email).await;
    reset(&apis[0], &email, 0).await;
    let (judged, compared) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let find = |_: Option<&User>, emails: &[CandidateEmail]| {
        judged.fetch_add(1, Ordering::Relaxed);
        compared.fetch_add(emails.len(), Ordering::Relaxed);
        None
    };
    let tries = (0..500).map(|number| {
        apis[number % apis.len()].try_code(Subject::Address(&email, RESET), LIFETIME, at(1), find)
    });
    for tried in join_all(tries).await {
        assert!(tried.unwrap().found.is_none());
    }
    assert_eq!((compared.into_inner(), judged.into_inner()), (5, 10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_five_hundred_tries_at_once_five_are_compared_with_the_email_and_ten_are_made() {
    let dir = tempfile::tempdir().unwrap();
    five_hundred_at_once(&[Db::sqlite(dir.path()).await.unwrap()]).await;
    let name = "of_five_hundred_tries_at_once_five_are_compared_with_the_email_and_ten_are_made";
    let Some(postgres) = scratch::Postgres::create(name).await else { return };
    let other = postgres.open_again().await;
    five_hundred_at_once(&[postgres.db.clone(), other.clone()]).await;
    other.close().await;
    postgres.remove().await;
}

#[tokio::test]
async fn after_five_wrong_codes_an_email_is_compared_with_none_and_another_one_is() {
    on_both("after_five_wrong_codes_an_email_is_compared_with_none_and_another_one_is", async |db: Db| {
        let email = address();
        sign_up(&db, &email).await;
        let subject = Subject::Address(&email, RESET);
        let first = reset(&db, &email, 0).await;
        for _ in 0..2 {
            assert_eq!(try_wrong(&db, subject, 1).await, Some(vec![first]));
        }
        let second = reset(&db, &email, 2).await;
        for _ in 0..3 {
            assert_eq!(try_wrong(&db, subject, 3).await, Some(vec![second, first]));
        }
        assert_eq!(try_wrong(&db, subject, 4).await, Some(vec![second]));
        assert_eq!(try_right(&db, subject, 5).await, Some(second));
        assert_eq!(try_wrong(&db, subject, 6).await, Some(vec![second]));
        assert_eq!(try_right(&db, subject, 7).await, None, "five wrong codes for each of the two");
    })
    .await;
}

#[tokio::test]
async fn a_right_code_counts_nothing() {
    on_both("a_right_code_counts_nothing", async |db: Db| {
        let email = address();
        sign_up(&db, &email).await;
        let id = reset(&db, &email, 0).await;
        for _ in 0..30 {
            assert_eq!(try_right(&db, Subject::Address(&email, RESET), 1).await, Some(id));
        }
    })
    .await;
}

#[tokio::test]
async fn an_address_has_ten_wrong_codes_an_hour_known_or_not_and_however_it_is_spelt() {
    on_both("an_address_has_ten_wrong_codes_an_hour", async |db: Db| {
        let (known, unknown) = (address(), address());
        sign_up(&db, &known).await;
        for email in [known, unknown] {
            let loud = EmailAddress::parse(&email.as_str().to_uppercase()).unwrap();
            let subjects = [Subject::Address(&email, RESET), Subject::Address(&loud, EmailKind::VerifyEmail)];
            for number in 0..10 {
                // The last wrong code is the one that counts, so these 54 minutes are one hour.
                assert!(try_wrong(&db, subjects[number % 2], 6 * number as i64).await.is_some());
            }
            for minutes in [54, 60, 113] {
                assert!(try_wrong(&db, subjects[0], minutes).await.is_none(), "{minutes}");
            }
            for _ in 0..10 {
                assert!(try_wrong(&db, subjects[0], 114).await.is_some());
            }
            assert!(try_wrong(&db, subjects[0], 114).await.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_code_is_compared_with_attempted_emails_of_its_kind_mailbox_and_lifetime() {
    on_both("a_code_is_compared_with_attempted_emails_of_its_kind_mailbox_and_lifetime", async |db: Db| {
        let (email, other) = (address(), address());
        let user = sign_up(&db, &email).await;
        let subject = Subject::Address(&email, RESET);
        let old = reset(&db, &email, 0).await;
        reset(&db, &other, 10).await;
        assert_eq!(try_right(&db, subject, 59).await, Some(old));
        assert_eq!(try_right(&db, subject, 60).await, None, "an hour after the attempt");
        let again = reset(&db, &email, 70).await;
        let waits = NewEmail::new(RESET, &email, at(70));
        db.insert_emails(&[waits]).await.unwrap();
        assert_eq!(try_right(&db, subject, 71).await, Some(again), "the one that waits has no attempt");
        let verify = Subject::Address(&email, EmailKind::VerifyEmail);
        assert_ne!(try_right(&db, verify, 30).await, Some(again));
        // A change of address is found by the account, whatever the new address is.
        let change = NewEmail::new(EmailKind::ChangeEmail, &other, at(80)).about(user.uid, 0);
        let change = attempted(&db, change, 80).await;
        assert_eq!(try_right(&db, Subject::Account(&user), 81).await, Some(change));
        let stranger = sign_up(&db, &other).await;
        assert_eq!(try_right(&db, Subject::Account(&stranger), 81).await, None);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_address_has_the_same_emails_to_compare_and_no_account() {
    on_both("an_unknown_address_has_the_same_emails_to_compare_and_no_account", async |db: Db| {
        let email = address();
        let id = reset(&db, &email, 0).await;
        assert_eq!(try_wrong(&db, Subject::Address(&email, RESET), 1).await, Some(vec![id]));
        assert_eq!(try_right(&db, Subject::Address(&email, RESET), 1).await, None);
    })
    .await;
}

/// The beginnings of the statements that sqlx logs in this thread.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Statements {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            event.record(&mut Summary(&self.0));
        }
    }
}

struct Summary<'a>(&'a Mutex<Vec<String>>);

impl Visit for Summary<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "summary" {
            self.0.lock().unwrap().push(format!("{value:?}").replace('"', ""));
        }
    }
}

#[tokio::test]
async fn a_wrong_code_takes_as_many_statements_for_ten_emails_as_for_one_or_none() {
    let name = "a_wrong_code_takes_as_many_statements_for_ten_emails_as_for_one_or_none";
    let Some(postgres) = scratch::Postgres::create(name).await else { return };
    let db = &postgres.db;
    let mut counts = Vec::new();
    for emails in [0, 1, 10] {
        let email = address();
        for _ in 0..emails {
            reset(db, &email, 0).await;
        }
        let statements = Statements::default();
        let logged = tracing::subscriber::set_default(Registry::default().with(statements.clone()));
        let compared = try_wrong(db, Subject::Address(&email, RESET), 1).await;
        drop(logged);
        assert_eq!(compared.map(|compared| compared.len()), Some(emails));
        // A connection that is new or was returned has statements of its own.
        let statements = statements.0.lock().unwrap();
        let of_the_session =
            |summary: &&String| ["SHOW ", "SET "].iter().any(|verb| summary.starts_with(verb));
        counts.push(statements.iter().filter(|summary| !of_the_session(summary)).count());
    }
    assert!(counts[0] > 3, "the statements are logged: {counts:?}");
    assert_eq!(counts, [counts[0]; 3]);
    postgres.remove().await;
}

#[tokio::test]
async fn a_request_for_an_unknown_address_stays_as_long_as_a_code_is_good() {
    on_both("a_request_for_an_unknown_address_stays_as_long_as_a_code_is_good", async |db: Db| {
        let days = TimeDelta::days;
        db.insert_emails(&[NewEmail::new(RESET, &address(), at(0))]).await.unwrap();
        let claimed = db.claim_due(ClaimLimits::of(1), "test", at(0)).await.unwrap();
        db.cancel(&claimed[0], NO_ACCOUNT, at(0)).await.unwrap();
        let purge = async |lifetime, hours: i64| db.purge(days(30), lifetime, at(60 * hours)).await.unwrap();
        assert_eq!(purge(days(2), 25).await, 0);
        assert_eq!(purge(LIFETIME, 23).await, 0, "a day at least");
        assert_eq!(purge(days(2), 49).await, 1);
    })
    .await;
}

#[tokio::test]
async fn counts_are_purged_when_they_no_longer_matter() {
    on_both("counts_are_purged_when_they_no_longer_matter", async |db: Db| {
        let email = address();
        let subject = Subject::Address(&email, RESET);
        reset(&db, &email, 0).await;
        assert!(try_wrong(&db, subject, 1).await.is_some());
        let keep = TimeDelta::days(30);
        let purge = async |minutes| db.purge(keep, LIFETIME, at(minutes)).await.unwrap();
        assert_eq!(purge(60).await, 0);
        assert_eq!(purge(62).await, 1, "the count of the address");
        assert_eq!(purge(7 * 24 * 60).await, 0, "a link may be valid for so long");
        assert_eq!(purge(9 * 24 * 60).await, 1, "the count of the email");
    })
    .await;
}

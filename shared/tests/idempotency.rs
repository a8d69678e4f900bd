//! Requests with an `Idempotency-Key`: on both databases, with times chosen by the tests.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use bookly_shared::config::MailboxLimits;
use bookly_shared::db::Db;
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::emails::on_request::EmailRequest;
use bookly_shared::db::idempotency::{
    AnswerToStore, BodyMac, KEYS_PER_CALLER, KeyReservation, RequestKey, Reserved, StoredAnswer,
};
use bookly_shared::db::users::{Creation, FIRST_AUTH_VERSION, User};
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use sqlx::{Connection, Executor, SqliteConnection};
use uuid::Uuid;

use crate::scratch::{Postgres, new_account, on_both};

const BODY: BodyMac = BodyMac { current: [1; 32], previous: None };
const OTHER: BodyMac = BodyMac { current: [2; 32], previous: None };

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap() + TimeDelta::seconds(seconds)
}

fn reservation_of(caller: &str, operation: &str, key: &str) -> KeyReservation {
    KeyReservation::new(RequestKey { caller: caller.into(), operation: operation.into(), key: key.into() })
}

/// A further request with the same key.
fn request() -> KeyReservation {
    reservation_of("network 192.0.2.1", "POST /signup", "k")
}

fn answer(body: &str) -> StoredAnswer {
    let headers = vec![("content-type".to_owned(), "text/plain".to_owned())];
    StoredAnswer { status: 201, headers, body: body.to_owned() }
}

async fn reserve(db: &Db, reservation: &KeyReservation, seconds: i64) -> Reserved {
    db.reserve_key(reservation, &BODY, at(seconds)).await.unwrap()
}

#[tokio::test]
async fn the_first_request_has_the_key_and_the_next_ones_get_its_answer() {
    on_both("the_first_request_has_the_key_and_the_next_ones_get_its_answer", async |db: Db| {
        let first = request();
        assert_eq!(reserve(&db, &first, 0).await, Reserved::First);
        assert_eq!(reserve(&db, &request(), 1).await, Reserved::UnderWay);
        assert_eq!(db.reserve_key(&request(), &OTHER, at(1)).await.unwrap(), Reserved::OtherBody);
        db.store_answer(&first, &answer("one")).await.unwrap();
        assert_eq!(reserve(&db, &request(), 2).await, Reserved::Answered(answer("one")));
        assert_eq!(db.reserve_key(&request(), &OTHER, at(2)).await.unwrap(), Reserved::OtherBody);
        db.store_answer(&first, &answer("two")).await.unwrap();
        assert_eq!(reserve(&db, &request(), 3).await, Reserved::Answered(answer("one")), "stored once");
    })
    .await;
}

#[tokio::test]
async fn another_caller_operation_or_key_is_another_request() {
    on_both("another_caller_operation_or_key_is_another_request", async |db: Db| {
        for (caller, operation, key) in [("a", "b", "c"), ("x", "b", "c"), ("a", "x", "c"), ("a", "b", "x")] {
            let reserved = reserve(&db, &reservation_of(caller, operation, key), 0).await;
            assert_eq!(reserved, Reserved::First, "{caller} {operation} {key}");
        }
    })
    .await;
}

#[tokio::test]
async fn after_a_change_of_the_secret_the_body_is_known_by_the_previous_one() {
    on_both("after_a_change_of_the_secret_the_body_is_known_by_the_previous_one", async |db: Db| {
        let first = request();
        assert_eq!(reserve(&db, &first, 0).await, Reserved::First);
        db.store_answer(&first, &answer("one")).await.unwrap();
        let changed = BodyMac { current: [3; 32], previous: Some([1; 32]) };
        let again = db.reserve_key(&request(), &changed, at(1)).await.unwrap();
        assert_eq!(again, Reserved::Answered(answer("one")));
    })
    .await;
}

#[tokio::test]
async fn an_answer_is_stored_for_24_hours() {
    on_both("an_answer_is_stored_for_24_hours", async |db: Db| {
        let first = request();
        assert_eq!(reserve(&db, &first, 0).await, Reserved::First);
        db.store_answer(&first, &answer("one")).await.unwrap();
        let day = 24 * 3600;
        assert_eq!(reserve(&db, &request(), day - 1).await, Reserved::Answered(answer("one")));
        let purged =
            async |seconds| db.purge(TimeDelta::days(30), TimeDelta::hours(1), at(seconds)).await.unwrap();
        assert_eq!(purged(day - 1).await, 0);
        let later = request();
        assert_eq!(db.reserve_key(&later, &OTHER, at(day)).await.unwrap(), Reserved::First);
        db.store_answer(&later, &answer("two")).await.unwrap();
        let again = db.reserve_key(&request(), &OTHER, at(day + 1)).await.unwrap();
        assert_eq!(again, Reserved::Answered(answer("two")), "the older answer is gone");
        assert_eq!(purged(2 * day + 1).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_request_under_way_is_forgotten_after_a_minute_and_changes_nothing_later() {
    let name = "a_request_under_way_is_forgotten_after_a_minute_and_changes_nothing_later";
    on_both(name, async |db: Db| {
        let (lost, next) = (request(), request());
        assert_eq!(reserve(&db, &lost, 0).await, Reserved::First);
        assert_eq!(reserve(&db, &next, 59).await, Reserved::UnderWay);
        assert_eq!(reserve(&db, &next, 60).await, Reserved::First);
        // The first request had not ended; it was only slow.
        let email = address();
        assert!(db.insert_on_request_once(&reset(&email), &store(&lost, "late")).await.is_err());
        db.release_key(&lost).await.unwrap();
        db.store_answer(&lost, &answer("late")).await.unwrap();
        assert_eq!(reserve(&db, &request(), 61).await, Reserved::UnderWay);
        assert!(db.insert_on_request_once(&reset(&email), &store(&next, "next")).await.unwrap());
        assert_eq!(reserve(&db, &request(), 62).await, Reserved::Answered(answer("next")));
        let due = db.claim_due(ClaimLimits::of(100), "test", at(100)).await.unwrap();
        assert_eq!(due.len(), 1, "the email of the silent request is not queued");
    })
    .await;
}

#[tokio::test]
async fn a_key_that_is_given_back_can_be_claimed_and_an_answered_one_is_not_given_back() {
    let name = "a_key_that_is_given_back_can_be_claimed_and_an_answered_one_is_not_given_back";
    on_both(name, async |db: Db| {
        let (refused, first) = (request(), request());
        assert_eq!(reserve(&db, &refused, 0).await, Reserved::First);
        db.release_key(&refused).await.unwrap();
        assert_eq!(reserve(&db, &first, 1).await, Reserved::First);
        db.store_answer(&first, &answer("one")).await.unwrap();
        db.release_key(&first).await.unwrap();
        assert_eq!(reserve(&db, &request(), 2).await, Reserved::Answered(answer("one")));
    })
    .await;
}

/// Copies of the key `0` of `a`, each a millisecond later than the one before, until the caller has a thousand keys.
macro_rules! copies {
    ($later:literal) => {
        concat!(
            "INSERT INTO idempotency_keys
             WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < 998)
             SELECT caller, operation, CAST(n AS text), body_mac, reservation, ",
            $later,
            ", status, headers, body
             FROM idempotency_keys, copy WHERE caller = 'a' AND key = '0'"
        )
    };
}
const COPIES_POSTGRES: &str = copies!("reserved_at + n * interval '1 millisecond'");
const COPIES_SQLITE: &str =
    copies!("strftime('%Y-%m-%dT%H:%M:%f', reserved_at, (n / 1000.0) || ' seconds') || '000+00:00'");

async fn the_oldest_go_first(db: &Db, copy: impl AsyncFnOnce()) {
    assert_eq!(KEYS_PER_CALLER, 1_000);
    let key = |key: &str| reservation_of("a", "b", key);
    let of_another = reservation_of("x", "b", "0");
    assert_eq!(reserve(db, &of_another, 0).await, Reserved::First);
    db.store_answer(&of_another, &answer("another")).await.unwrap();
    assert_eq!(reserve(db, &key("under way"), 0).await, Reserved::First);
    let oldest = key("0");
    assert_eq!(reserve(db, &oldest, 1).await, Reserved::First);
    db.store_answer(&oldest, &answer("stored")).await.unwrap();
    copy().await;
    assert_eq!(reserve(db, &key("new"), 30).await, Reserved::First);
    assert_eq!(reserve(db, &key("0"), 30).await, Reserved::Answered(answer("stored")));
    assert_eq!(reserve(db, &key("newer"), 31).await, Reserved::First);
    assert_eq!(reserve(db, &key("1"), 32).await, Reserved::Answered(answer("stored")));
    assert_eq!(reserve(db, &key("0"), 32).await, Reserved::First, "it went for a newer one");
    assert_eq!(reserve(db, &key("1"), 33).await, Reserved::First, "then this one");
    assert_eq!(reserve(db, &key("3"), 34).await, Reserved::Answered(answer("stored")));
    assert_eq!(reserve(db, &key("under way"), 34).await, Reserved::UnderWay, "whatever its age");
    assert_eq!(reserve(db, &reservation_of("x", "b", "0"), 34).await, Reserved::Answered(answer("another")));
}

#[tokio::test]
async fn beyond_a_thousand_keys_the_oldest_of_a_caller_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::sqlite(dir.path()).await.unwrap();
    the_oldest_go_first(&db, async || {
        let file = format!("sqlite://{}", dir.path().join("bookly.sqlite").display());
        SqliteConnection::connect(&file).await.unwrap().execute(COPIES_SQLITE).await.unwrap();
    })
    .await;
    let name = "beyond_a_thousand_keys_the_oldest_of_a_caller_go_first";
    let Some(postgres) = Postgres::create(name).await else { return };
    let copy = async || {
        postgres.connect().await.execute(COPIES_POSTGRES).await.unwrap();
    };
    the_oldest_go_first(&postgres.db, copy).await;
    postgres.remove().await;
}

/// Of fifty requests at two processes one is the first.
async fn fifty_at_once(dbs: &[Db]) {
    for round in 0..5 {
        let key = round.to_string();
        let reservations: Vec<KeyReservation> = (0..50).map(|_| reservation_of("a", "b", &key)).collect();
        let all = reservations.iter().enumerate();
        let reserved =
            join_all(all.map(|(number, one)| dbs[number % dbs.len()].reserve_key(one, &BODY, at(0)))).await;
        let reserved: Vec<Reserved> = reserved.into_iter().map(Result::unwrap).collect();
        let first = reserved.iter().filter(|one| **one == Reserved::First).count();
        let under_way = reserved.iter().filter(|one| **one == Reserved::UnderWay).count();
        assert_eq!((first, under_way), (1, 49));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_requests_at_once_one_is_the_first() {
    let dir = tempfile::tempdir().unwrap();
    fifty_at_once(&[Db::sqlite(dir.path()).await.unwrap()]).await;
    let Some(postgres) = Postgres::create("of_fifty_requests_at_once_one_is_the_first").await else {
        return;
    };
    let other = postgres.open_again().await;
    fifty_at_once(&[postgres.db.clone(), other.clone()]).await;
    other.close().await;
    postgres.remove().await;
}

fn address() -> EmailAddress {
    EmailAddress::parse(&format!("ann@{}.example.org", Uuid::new_v4().simple())).unwrap()
}

fn store(reservation: &KeyReservation, body: &str) -> AnswerToStore {
    AnswerToStore { reservation: reservation.clone(), answer: answer(body) }
}

fn reset(email: &EmailAddress) -> EmailRequest {
    EmailRequest {
        email: NewEmail::new(EmailKind::ResetPassword, email, at(0)),
        along: Vec::new(),
        limits: MailboxLimits { per_quarter_hour: 3, per_day: 10 },
        lifetime: TimeDelta::hours(1),
    }
}

#[tokio::test]
async fn an_account_is_made_with_its_answer_or_not_at_all() {
    on_both("an_account_is_made_with_its_answer_or_not_at_all", async |db: Db| {
        let (first, email) = (request(), address());
        let mail = |uid| NewEmail::new(EmailKind::VerifyEmail, &email, at(0)).about(uid, FIRST_AUTH_VERSION);
        let of = |user: &User| Some(store(&first, &user.uid.to_string()));
        let create =
            async || db.create_account_and_store_answer(&new_account(&email), mail, Some(&of), at(0)).await;
        assert!(create().await.is_err(), "the key is not reserved");
        assert!(db.user_of_mailbox(email.canonical()).await.unwrap().is_none());
        assert_eq!(reserve(&db, &first, 0).await, Reserved::First);
        let Creation::Created(user, _) = create().await.unwrap() else { panic!("not created") };
        assert_eq!(reserve(&db, &request(), 1).await, Reserved::Answered(answer(&user.uid.to_string())));
        assert_eq!(db.claim_due(ClaimLimits::of(100), "test", at(1)).await.unwrap().len(), 1, "one email");
    })
    .await;
}

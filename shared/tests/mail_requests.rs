//! How many emails a mailbox can get on request, tried with random groups of requests on both databases.
//!
//! Each result is compared with a reference that judges one request after the other. SQLite always runs, Postgres when
//! there is a server (`scratch`). `PROPTEST_CASES` sets the number of histories (128).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in tests a panic is the verdict")]

mod scratch;

use bookly_shared::config::MailboxLimits;
use bookly_shared::db::Db;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::emails::on_request::EmailRequest;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::runtime::Runtime;
use uuid::Uuid;

const HISTORIES: u32 = 128;
const LIMITS: MailboxLimits = MailboxLimits { per_quarter_hour: 2, per_day: 4 };
/// Longer than a quarter of an hour and shorter than a day, so that each of the three counts decides at times.
const LIFETIME: TimeDelta = TimeDelta::hours(1);
const KINDS: [EmailKind; 2] = [EmailKind::ResetPassword, EmailKind::VerifyEmail];

/// A step of a history.
#[derive(Clone, Debug)]
enum Op {
    /// Emails of these kinds are requested for these mailboxes, at the same time.
    Request(Vec<(usize, usize)>),
    /// The same, requested twice, as after a lost answer.
    RequestAgain(Vec<(usize, usize)>),
    /// A mailbox gets the notice of a new password.
    Changed(usize),
    Wait(TimeDelta),
}

fn histories() -> impl Strategy<Value = Vec<Op>> {
    let group = || prop::collection::vec((0..KINDS.len(), 0..2usize), 1..8);
    let times = [1, 14 * 60, 15 * 60, 50 * 60, 23 * 3600].map(TimeDelta::seconds);
    let op = prop_oneof![
        4 => group().prop_map(Op::Request),
        1 => group().prop_map(Op::RequestAgain),
        2 => (0..2usize).prop_map(Op::Changed),
        3 => prop::sample::select(times.to_vec()).prop_map(Op::Wait),
    ];
    prop::collection::vec(op, 1..16)
}

/// A queued email.
struct Queued {
    kind: EmailKind,
    mailbox: String,
    at: DateTime<Utc>,
}

struct Play<'a> {
    db: &'a Db,
    now: DateTime<Utc>,
    mailboxes: [EmailAddress; 2],
    queued: Vec<Queued>,
}

impl Play<'_> {
    async fn step(&mut self, op: &Op) {
        match op {
            Op::Wait(time) => self.now += *time,
            Op::Changed(mailbox) => {
                let notice = NewEmail::new(EmailKind::PasswordChanged, &self.mailboxes[*mailbox], self.now);
                self.db.insert_emails(&[notice]).await.unwrap();
                self.remember(EmailKind::PasswordChanged, *mailbox);
            }
            Op::Request(requested) => self.request(requested, 1).await,
            Op::RequestAgain(requested) => self.request(requested, 2).await,
        }
    }

    async fn request(&mut self, requested: &[(usize, usize)], times: usize) {
        let requests: Vec<EmailRequest> = requested
            .iter()
            .map(|&(kind, mailbox)| EmailRequest {
                email: NewEmail::new(KINDS[kind], &self.mailboxes[mailbox], self.now),
                along: Vec::new(),
                limits: LIMITS,
                lifetime: LIFETIME,
            })
            .collect();
        let expected: Vec<bool> =
            requested.iter().map(|&(kind, mailbox)| self.judge(KINDS[kind], mailbox)).collect();
        for time in 1..=times {
            let results = requests.iter().map(|request| self.db.insert_on_request(request.clone()));
            let results: Vec<bool> = join_all(results).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(results, expected, "request number {time}");
        }
        for (request, queued) in requests.iter().zip(expected) {
            let row = self.db.email(request.email.id).await.unwrap();
            assert_eq!(row.is_some(), queued, "the row exists when the result is true");
        }
    }

    /// Whether an email is queued; if so, it is remembered.
    fn judge(&mut self, kind: EmailKind, mailbox: usize) -> bool {
        let name = self.mailboxes[mailbox].canonical();
        let at = |kind: EmailKind| -> Vec<DateTime<Utc>> {
            let own = self.queued.iter().filter(|email| email.kind == kind && email.mailbox == name);
            own.map(|email| email.at).collect()
        };
        let sent = at(kind);
        // A new password gives back the share of reset links only.
        let notice = (kind == EmailKind::ResetPassword)
            .then(|| at(EmailKind::PasswordChanged).into_iter().max())
            .flatten();
        let within = |time| sent.iter().filter(|at| **at > self.now - time).count();
        let alive =
            sent.iter().any(|at| *at > self.now - LIFETIME && notice.is_none_or(|notice| *at >= notice));
        let few = within(TimeDelta::minutes(15)) < 2 && within(TimeDelta::days(1)) < 4;
        let room = few || !alive;
        if room {
            self.remember(kind, mailbox);
        }
        room
    }

    fn remember(&mut self, kind: EmailKind, mailbox: usize) {
        let mailbox = self.mailboxes[mailbox].canonical().to_owned();
        self.queued.push(Queued { kind, mailbox, at: self.now });
    }
}

/// Each history has mailboxes of its own.
async fn play(db: &Db, history: &[Op]) {
    let mailbox =
        |name: &str| EmailAddress::parse(&format!("{name}-{}@example.org", Uuid::new_v4().simple())).unwrap();
    let mailboxes = ["ann", "bob"].map(mailbox);
    let now = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
    let mut play = Play { db, now, mailboxes, queued: Vec::new() };
    for op in history {
        play.step(op).await;
    }
}

fn obeys_the_reference(runtime: &Runtime, db: &Db) {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = HISTORIES;
    }
    let played = TestRunner::new(config).run(&histories(), |history| {
        runtime.block_on(play(db, &history));
        Ok(())
    });
    played.unwrap_or_else(|difference| panic!("{difference}"));
}

#[test]
fn requests_at_the_same_time_are_judged_as_if_one_by_one_on_sqlite() {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let db = runtime.block_on(Db::sqlite(dir.path())).unwrap();
    obeys_the_reference(&runtime, &db);
}

#[test]
fn requests_at_the_same_time_are_judged_as_if_one_by_one_on_postgres() {
    let runtime = Runtime::new().unwrap();
    let created = scratch::Postgres::create("requests_at_the_same_time_are_judged_as_if_one_by_one");
    let Some(postgres) = runtime.block_on(created) else { return };
    obeys_the_reference(&runtime, &postgres.db);
    runtime.block_on(postgres.remove());
}

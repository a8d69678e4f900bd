//! The worker on SQLite with the file transport: a queued email is sent, or its row says why it is not.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::db::emails::attempts::{AttemptOutcome, Reason};
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::insert::{NewEmail, RequestOrigin};
use bookly_shared::db::emails::list::{EmailFilter, EmailRow};
use bookly_shared::db::emails::retry::Retry;
use bookly_shared::db::suppressions::NewSuppression;
use bookly_shared::db::users::{Change, Creation, FIRST_AUTH_VERSION, NewAccount};
use bookly_shared::domain::{CreatedVia, EmailAddress, EmailKind, EmailState, MailServer, SuppressionReason};
use bookly_shared::queue::JobQueue;
use bookly_shared::trace::Tracer;
use bookly_worker::transport::read_mail;
use bookly_worker::{JobSource, Worker};
use chrono::{DateTime, Utc};
use mail_parser::MessageParser;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct TestWorker {
    dir: tempfile::TempDir,
    db: Db,
    clock: Clock,
    jobs: JobQueue,
    stop: CancellationToken,
}

impl TestWorker {
    /// A running worker on an empty database.
    async fn start() -> TestWorker {
        TestWorker::start_in(tempfile::tempdir().unwrap(), &[]).await
    }

    /// A running worker on the database in this folder, with more settings.
    async fn start_in(dir: tempfile::TempDir, more: &[(&str, &str)]) -> TestWorker {
        let settings = settings_with(dir.path(), more);
        let db = Db::sqlite(dir.path()).await.unwrap();
        let clock = Clock::synchronised(&db).await.unwrap();
        let (jobs, wake) = JobQueue::in_process();
        let worker =
            Worker::new(&settings, db.clone(), clock.clone(), JobSource::InProcess(wake), Tracer::off())
                .unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(worker.run(stop.clone()));
        TestWorker { dir, db, clock, jobs, stop }
    }

    async fn sign_up(&self, email: &str) -> Uuid {
        let email = EmailAddress::parse(email).unwrap();
        let account = NewAccount {
            first_name: "Ann".into(),
            last_name: "Reader".into(),
            username: "ann".into(),
            email: email.clone(),
            password_hash: "$argon2id$".into(),
            created_via: CreatedVia::SignUp,
            locale: None,
            replaces: None,
            base_mailbox_limit: 20,
        };
        let now = self.clock.now();
        let mail = |uid| NewEmail::new(EmailKind::VerifyEmail, &email, now).about(uid, FIRST_AUTH_VERSION);
        let created = self.db.create_account_and_store_answer(&account, mail, None, now).await.unwrap();
        let Creation::Created(_, id) = created else { panic!("{created:?}") };
        self.jobs.enqueue(id);
        id
    }

    async fn queue(&self, kind: EmailKind, email: &str) -> Uuid {
        let mail = NewEmail::new(kind, &EmailAddress::parse(email).unwrap(), self.clock.now());
        self.db.insert_emails(std::slice::from_ref(&mail)).await.unwrap();
        self.jobs.enqueue(mail.id);
        mail.id
    }

    /// Queues so many welcome emails.
    async fn queue_welcomes(&self, number: usize) -> Vec<Uuid> {
        let mails = welcomes(number, self.clock.now());
        self.db.insert_emails(&mails).await.unwrap();
        self.jobs.enqueue(mails[0].id);
        mails.iter().map(|mail| mail.id).collect()
    }

    async fn suppress(&self, address: &str, reason: SuppressionReason) {
        self.db.suppress(&NewSuppression::new(address, reason, "test", self.clock.now())).await.unwrap();
    }

    /// Queues an email; returns its state and its reason when it is completed.
    async fn result_of(&self, kind: EmailKind, email: &str) -> (String, Option<String>) {
        let id = self.queue(kind, email).await;
        let row = self.completed(id).await;
        (row.state, row.last_error)
    }

    /// Waits until the worker has completed a row.
    async fn completed(&self, id: Uuid) -> EmailRow {
        let look = async {
            loop {
                let row = self.db.email(id).await.unwrap().unwrap();
                if row.closed_at.is_some() {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), look).await.expect("the row is not completed")
    }
}

impl Drop for TestWorker {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn settings(dir: &Path) -> Settings {
    settings_with(dir, &[])
}

fn settings_with(dir: &Path, more: &[(&str, &str)]) -> Settings {
    let dir = dir.display().to_string();
    let vars = [("DATA_DIR", dir.as_str())].into_iter().chain(more.iter().copied());
    let vars: HashMap<_, _> = vars.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Settings::from_vars(vars).unwrap()
}

fn welcomes(number: usize, now: DateTime<Utc>) -> Vec<NewEmail> {
    let to = |n| EmailAddress::parse(&format!("n{n}@example.org")).unwrap();
    (0..number).map(|n| NewEmail::new(EmailKind::Welcome, &to(n), now)).collect()
}

#[tokio::test]
async fn a_sign_up_sends_the_verification_email_with_its_link_in_text_and_html() {
    let worker = TestWorker::start().await;
    let id = worker.sign_up("ann@example.org").await;
    let row = worker.completed(id).await;
    assert_eq!((row.state.as_str(), row.attempts), ("sent", 1), "{row:?}");
    let bytes = read_mail(&worker.dir.path().join("mail"), id).await.unwrap().unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.subject(), Some("Verify your email"));
    assert_eq!(
        mail.message_id(),
        Some(
            format!(
                "{id}@{}",
                mail.from().unwrap().first().unwrap().address().unwrap().split_once('@').unwrap().1
            )
            .as_str()
        )
    );
    let link = "http://localhost:8000/api/v1/auth/verify/ey";
    assert!(mail.body_text(0).unwrap().contains(link));
    assert!(mail.body_html(0).unwrap().contains(link));
}

#[tokio::test]
async fn a_reset_for_an_address_without_an_account_is_cancelled_with_the_reason() {
    let worker = TestWorker::start().await;
    let id = worker.queue(EmailKind::ResetPassword, "nobody@example.org").await;
    let row = worker.completed(id).await;
    assert_eq!(row.state, "cancelled");
    assert_eq!(row.last_error.as_deref(), Some("no account has this address"));
}

#[tokio::test]
async fn a_link_to_an_address_that_another_account_can_take_back_is_cancelled() {
    let worker = TestWorker::start().await;
    let account = async |email: &str| {
        worker.completed(worker.sign_up(email).await).await;
        worker.db.user_of_mailbox(email).await.unwrap().unwrap()
    };
    let (ann, bob) = (account("ann@example.org").await, account("bob@example.org").await);
    let new = EmailAddress::parse("new@example.org").unwrap();
    let (origin, now) = (RequestOrigin::default(), worker.clock.now());
    let moved = worker.db.change_email(&ann, &new, None, origin, now).await.unwrap();
    assert!(matches!(moved, Change::Made(_)), "{moved:?}");
    let former = EmailAddress::parse("ann@example.org").unwrap();
    let link = NewEmail::new(EmailKind::ChangeEmail, &former, now).about(bob.uid, bob.auth_version);
    worker.db.insert_emails(std::slice::from_ref(&link)).await.unwrap();
    worker.jobs.enqueue(link.id);
    let row = worker.completed(link.id).await;
    assert_eq!(row.state, "cancelled");
    assert_eq!(
        row.last_error.as_deref(),
        Some("the new address has an account already, or one can still take it back")
    );
}

#[tokio::test]
async fn an_email_to_a_suppressed_mailbox_is_cancelled_with_the_reason() {
    let worker = TestWorker::start().await;
    let welcome = EmailKind::Welcome;
    for (address, reason) in [
        ("ann@example.org", SuppressionReason::Operator),
        ("bob@example.org", SuppressionReason::Unsubscribe),
        ("cid@example.org", SuppressionReason::Complaint),
    ] {
        worker.suppress(address, reason).await;
        let expected = ("cancelled".to_owned(), Some(format!("suppressed: {reason}")));
        assert_eq!(worker.result_of(welcome, address).await, expected);
        let verification = worker.sign_up(address).await;
        let state = worker.completed(verification).await.state;
        let stops_all = reason == SuppressionReason::Operator;
        assert_eq!(state, if stops_all { "cancelled" } else { "sent" }, "{reason}");
    }
    assert_eq!(worker.result_of(welcome, "ann+tag@example.org").await, ("sent".to_owned(), None));
}

#[tokio::test]
async fn a_bounce_lets_one_reset_and_one_verification_a_day_pass() {
    let worker = TestWorker::start().await;
    worker.suppress("ann@example.org", SuppressionReason::Bounce).await;
    let (verify, reset) = (EmailKind::VerifyEmail, EmailKind::ResetPassword);
    let no_account = ("cancelled".to_owned(), Some("no account has this address".to_owned()));
    assert_eq!(
        worker.result_of(reset, "ann@example.org").await,
        no_account,
        "not wanted, so it uses up nothing"
    );
    let first = worker.sign_up("ann@example.org").await;
    assert_eq!(worker.completed(first).await.state, "sent");
    let (sent, suppressed) =
        (("sent".to_owned(), None), ("cancelled".to_owned(), Some("suppressed: bounce".to_owned())));
    assert_eq!(worker.result_of(verify, "ann@example.org").await, suppressed);
    assert_eq!(worker.result_of(reset, "ANN@example.org").await, sent);
    assert_eq!(worker.result_of(reset, "ann@example.org").await, suppressed);
    assert_eq!(worker.result_of(EmailKind::Welcome, "ann@example.org").await, suppressed);
}

#[tokio::test]
async fn with_a_rate_the_next_turn_is_a_resets_whatever_bulk_waits() {
    let worker = TestWorker::start_in(tempfile::tempdir().unwrap(), &[("WORKER_RATE", "50")]).await;
    let account = worker.sign_up("ann@example.org").await;
    worker.completed(account).await;
    let bulk: Vec<Uuid> = worker.queue_welcomes(100).await;
    worker.completed(bulk[0]).await;
    let welcomes = EmailFilter { kind: Some("welcome".to_owned()), ..EmailFilter::default() };
    for _ in 0..3 {
        let reset = worker.queue(EmailKind::ResetPassword, "ann@example.org").await;
        let (rows, _) = worker.db.list_emails(&welcomes, 100).await.unwrap();
        let ahead: Vec<Uuid> = rows.iter().filter(|row| row.attempts > 0).map(|row| row.id).collect();
        assert_eq!(worker.completed(reset).await.state, "sent");
        let claimed_at = worker.db.attempts_of(reset).await.unwrap()[0].started_at;
        for id in &bulk {
            let attempts = worker.db.attempts_of(*id).await.unwrap();
            let overtook =
                attempts.iter().any(|attempt| attempt.started_at < claimed_at) && !ahead.contains(id);
            assert!(!overtook, "a welcome email took a turn that came after the reset was queued");
        }
    }
    let last = worker.db.email(bulk[99]).await.unwrap().unwrap();
    assert_eq!(last.attempts, 0, "the resets were to come while welcome emails wait");
}

#[tokio::test]
async fn a_reset_email_goes_to_the_accounts_own_spelling_of_the_address() {
    let worker = TestWorker::start().await;
    let first = worker.sign_up("Ann@example.org").await;
    worker.completed(first).await;
    let id = worker.queue(EmailKind::ResetPassword, "ANN@EXAMPLE.ORG").await;
    assert_eq!(worker.completed(id).await.state, "sent");
    let bytes = read_mail(&worker.dir.path().join("mail"), id).await.unwrap().unwrap();
    let mail = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("Ann@example.org"));
}

/// The fallback was taken out of the settings.
#[tokio::test]
async fn an_email_that_only_the_fallback_was_to_get_is_sent_by_the_only_server() {
    let dir = tempfile::tempdir().unwrap();
    let (db, now) = (Db::sqlite(dir.path()).await.unwrap(), Clock::local().now());
    db.insert_emails(&welcomes(1, now)).await.unwrap();
    let claimed = db.claim_due(ClaimLimits::of(1), "an earlier worker", now).await.unwrap();
    let lost = Retry {
        due_at: now,
        outcome: AttemptOutcome::Retried,
        reason: Reason {
            smtp_code: None,
            text: "closed after the final dot",
            server: Some(MailServer::Fallback),
        },
        counts: true,
        answer_lost: true,
        bound_to: Some(MailServer::Fallback),
    };
    assert!(db.retry_later(&claimed[0], &lost, now).await.unwrap());
    db.close().await;
    let worker = TestWorker::start_in(dir, &[]).await;
    let row = worker.completed(claimed[0].id).await;
    assert_eq!((row.state.as_str(), row.attempts, row.lost_answers), ("sent", 2, 1));
}

#[tokio::test]
async fn emails_that_were_queued_before_the_worker_started_are_sent() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::sqlite(dir.path()).await.unwrap();
    db.insert_emails(&welcomes(40, Clock::local().now())).await.unwrap();
    db.close().await;
    let settings = settings(dir.path());
    let db = Db::sqlite(dir.path()).await.unwrap();
    let (_jobs, wake) = JobQueue::in_process();
    let worker =
        Worker::new(&settings, db.clone(), Clock::local(), JobSource::InProcess(wake), Tracer::off())
            .unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    let sent = EmailFilter { state: Some(EmailState::Sent), ..EmailFilter::default() };
    let all = async {
        while db.list_emails(&sent, 100).await.unwrap().0.len() < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("not all emails were sent");
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await.expect("the worker does not stop").unwrap();
}

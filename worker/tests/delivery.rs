//! The worker on SQLite with the file transport: a queued email is sent, or its row says why it is not.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::Settings;
use bookly_shared::db::Db;
use bookly_shared::db::emails::admin::{EmailFilter, EmailRow};
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::db::suppressions::NewSuppression;
use bookly_shared::db::users::{Creation, FIRST_AUTH_VERSION, NewAccount};
use bookly_shared::domain::{CreatedVia, EmailAddress, EmailKind, EmailState, SuppressionReason};
use bookly_shared::queue::JobQueue;
use bookly_shared::trace::Tracer;
use bookly_worker::transport::read_mail;
use bookly_worker::{JobSource, Worker};
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
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
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
        let created = self.db.create_account(&account, mail, now).await.unwrap();
        let Creation::Created(_, id) = created else { panic!("{created:?}") };
        self.jobs.enqueue(id);
        id
    }

    async fn queue(&self, kind: EmailKind, email: &str) -> Uuid {
        let mail = NewEmail::new(kind, &EmailAddress::parse(email).unwrap(), self.clock.now());
        self.db.enqueue_emails(std::slice::from_ref(&mail)).await.unwrap();
        self.jobs.enqueue(mail.id);
        mail.id
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
    let vars = HashMap::from([("DATA_DIR".to_owned(), dir.display().to_string())]);
    Settings::from_vars(vars).unwrap()
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

#[tokio::test]
async fn emails_that_were_queued_before_the_worker_started_are_sent() {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::sqlite(dir.path()).await.unwrap();
    let now = Clock::local().now();
    let mails: Vec<NewEmail> = (0..40)
        .map(|n| {
            NewEmail::new(
                EmailKind::Welcome,
                &EmailAddress::parse(&format!("n{n}@example.org")).unwrap(),
                now,
            )
        })
        .collect();
    db.enqueue_emails(&mails).await.unwrap();
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
        while db.list_emails(&sent, 100).await.unwrap().len() < 40 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("not all emails were sent");
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await.expect("the worker does not stop").unwrap();
}

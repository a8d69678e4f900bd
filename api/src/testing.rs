//! An application on a fresh SQLite, and requests to it without a network.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use bookly_shared::config::Settings;
use bookly_shared::db::accounts::RoleChange;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::users::{Creation, FIRST_AUTH_VERSION, NewAccount, User};
use bookly_shared::domain::{CreatedVia, EmailAddress, EmailKind, Role};
use bookly_shared::metrics::Exporter;
use chrono::TimeDelta;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

use crate::app::App;
use crate::jwt::TokenUser;
use crate::serve::Limits;
use crate::state::AppState;

/// The application and the folder that it lives in.
pub(crate) struct TestApp {
    pub(crate) app: App,
    _dir: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A session that a test opened.
pub(crate) struct Login {
    pub(crate) user: User,
    pub(crate) sid: Uuid,
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl TestApp {
    pub(crate) async fn new() -> TestApp {
        TestApp::with(&[], Limits::default()).await
    }

    /// With further settings.
    pub(crate) async fn with(settings: &[(&str, &str)], limits: Limits) -> TestApp {
        TestApp::measured_by(Exporter::detached().unwrap().1, settings, limits).await
    }

    /// With an exporter whose recorder the test has in hand.
    pub(crate) async fn measured_by(
        exporter: Exporter,
        settings: &[(&str, &str)],
        limits: Limits,
    ) -> TestApp {
        let dir = TempDir::new().unwrap();
        let mut vars = vec![("DATA_DIR".to_owned(), dir.path().display().to_string())];
        vars.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let settings = Settings::from_vars(vars).unwrap();
        TestApp { app: App::with_limits(settings, exporter, limits).await.unwrap(), _dir: dir }
    }

    pub(crate) fn state(&self) -> &AppState {
        self.app.state()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        send_to(self.app.router(), request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path)).await
    }

    /// An account with an open session.
    pub(crate) async fn log_in(&self, email: &str, role: Role, verified: bool) -> Login {
        let (db, now) = (&self.state().db, self.state().now());
        let email = EmailAddress::parse(email).unwrap();
        let account = NewAccount {
            first_name: "Ann".into(),
            last_name: "Smith".into(),
            username: "ann".into(),
            email: email.clone(),
            password_hash: "none".into(),
            created_via: CreatedVia::SignUp,
            locale: None,
            replaces: None,
            base_mailbox_limit: 20,
        };
        let mail = |uid| NewEmail::new(EmailKind::VerifyEmail, &email, now).about(uid, FIRST_AUTH_VERSION);
        let created = db.create_account_and_store_answer(&account, mail, None, now).await.unwrap();
        let Creation::Created(user, _) = created else { panic!("{created:?}") };
        if verified {
            db.verify_account(user.uid, &email, now).await.unwrap();
        }
        assert_eq!(db.set_role(&email, role, now).await.unwrap(), RoleChange::Made);
        self.open_session(db.user(user.uid).await.unwrap().unwrap()).await
    }

    async fn open_session(&self, user: User) -> Login {
        let (state, sid) = (self.state(), Uuid::new_v4());
        let (now, ends) = (state.now(), state.now() + TimeDelta::days(2));
        assert!(state.db.open_session(sid, &user, now, ends).await.unwrap());
        let whose = TokenUser { email: user.email.clone(), user_uid: user.uid, role: user.role };
        let access = state.tokens.access(&whose, sid, now).unwrap();
        let refresh = state.tokens.refresh(&whose, sid, now, ends).unwrap();
        Login { user, sid, access, refresh }
    }
}

/// A request from this machine, without a body.
pub(crate) fn request(method: Method, path: &str) -> Request<Body> {
    let peer: SocketAddr = "127.0.0.1:50000".parse().unwrap();
    Request::builder().method(method).uri(path).extension(ConnectInfo(peer)).body(Body::empty()).unwrap()
}

/// The same with a header.
pub(crate) fn with_header(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// The same with a body of a content type.
pub(crate) fn with_body(request: Request<Body>, content_type: &str, body: impl Into<Body>) -> Request<Body> {
    with_header(request, "content-type", content_type).map(|_| body.into())
}

/// The same with a bearer token.
pub(crate) fn with_token(request: Request<Body>, token: &str) -> Request<Body> {
    with_header(request, "authorization", &format!("Bearer {token}"))
}

/// Sends a request to any router.
pub(crate) async fn send_to(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

/// What is logged.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what this thread logs at these levels, until the guard is dropped.
    pub(crate) fn of_this_thread(level: tracing::Level) -> (Log, tracing::subscriber::DefaultGuard) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_max_level(level).with_ansi(false);
        let subscriber = subscriber.with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Status and error code.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status.as_u16(), self.json()["error_code"].as_str().unwrap_or_default().to_owned())
    }

    /// The fields that were refused.
    pub(crate) fn refused_fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}

//! The service with all providers, and calls in the form of each provider's documentation, with invented addresses.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bookly_shared::db::emails::claim::ClaimLimits;
use bookly_shared::db::emails::complete::SentEmail;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind};
use bookly_shared::metrics::Exporter;
use hmac::{Hmac, KeyInit, Mac};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::Sha256;
use uuid::Uuid;

use crate::serve::Limits;
use crate::testing::{Answer, TestApp, request, send_to, with_body, with_header};

pub(super) const TO: &str = "Ann+news@Example.org";
pub(super) const CREDENTIALS: &str = "postmark:a-long-password";
const MAILGUN_KEY: &str = "a-signing-key-of-mailgun";
const SVIX_KEY: &[u8] = b"a key of 24 bytes, or so";
const GONE: &str = "550 5.1.1 The email account that you tried to reach does not exist";

/// The service with all providers, an email that was sent, and SendGrid's key.
pub(super) struct World {
    pub(super) app: TestApp,
    routes: Router,
    pub(super) email: Uuid,
    pub(super) sendgrid: EcdsaKeyPair,
}

impl World {
    pub(super) async fn new() -> World {
        World::measured_by(Exporter::detached().unwrap().1).await
    }

    pub(super) async fn measured_by(exporter: Exporter) -> World {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let sendgrid =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap();
        let head = BASE64_STANDARD.decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAA").unwrap();
        let der = [&head[..26], sendgrid.public_key().as_ref()].concat();
        let (public_key, secret) =
            (BASE64_STANDARD.encode(der), format!("whsec_{}", BASE64_STANDARD.encode(SVIX_KEY)));
        let settings = [
            ("BOUNCE_POSTMARK_CREDENTIALS", CREDENTIALS),
            ("BOUNCE_MAILGUN_SIGNING_KEY", MAILGUN_KEY),
            ("BOUNCE_SENDGRID_PUBLIC_KEY", public_key.as_str()),
            ("BOUNCE_RESEND_SECRET", secret.as_str()),
        ];
        let app = TestApp::measured_by(exporter, &settings, Limits::default()).await;
        let email = sent(&app).await;
        World { routes: app.app.router(), app, email, sendgrid }
    }

    pub(super) async fn send(&self, call: Request<Body>) -> Answer {
        send_to(self.routes.clone(), call).await
    }

    pub(super) fn now(&self) -> i64 {
        self.app.state().now().timestamp()
    }

    /// The state of the email, and how many reports it has.
    pub(super) async fn state(&self) -> (String, usize) {
        let db = &self.app.state().db;
        let row = db.email(self.email).await.unwrap().unwrap();
        (row.state, db.reports_of(self.email).await.unwrap().len())
    }

    pub(super) async fn words(&self) -> String {
        let reports = self.app.state().db.reports_of(self.email).await.unwrap();
        reports.last().unwrap().reply.clone()
    }

    pub(super) async fn postmark(&self, event: &Value, credentials: &str) -> Answer {
        let call = post("postmark", event.to_string());
        let basic = format!("Basic {}", BASE64_STANDARD.encode(credentials));
        self.send(with_header(call, "authorization", &basic)).await
    }

    pub(super) async fn mailgun(&self, event: &Value, token: &str, timestamp: i64) -> Answer {
        let mac = Hmac::<Sha256>::new_from_slice(MAILGUN_KEY.as_bytes()).unwrap();
        let mac = mac.chain_update(format!("{timestamp}{token}")).finalize().into_bytes();
        let signature: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = json!({"timestamp": timestamp.to_string(), "token": token, "signature": signature});
        let document = json!({"signature": signature, "event-data": event});
        self.send(post("mailgun", document.to_string())).await
    }

    pub(super) async fn sendgrid(&self, body: &str, timestamp: i64) -> Answer {
        let signed = format!("{timestamp}{body}");
        let signature = self.sendgrid.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        let call = post("sendgrid", body.to_owned());
        let signature = BASE64_STANDARD.encode(signature);
        let call = with_header(call, "x-twilio-email-event-webhook-signature", &signature);
        let timestamp = timestamp.to_string();
        self.send(with_header(call, "x-twilio-email-event-webhook-timestamp", &timestamp)).await
    }

    pub(super) async fn resend(&self, event: &Value, timestamp: i64) -> Answer {
        let (id, body) = ("msg_2W2D3qXLS5fOaPja1GDg7rF2CwB", event.to_string());
        let mac = Hmac::<Sha256>::new_from_slice(SVIX_KEY).unwrap();
        let mac = mac.chain_update(format!("{id}.{timestamp}.{body}")).finalize().into_bytes();
        // While a secret changes there are two signatures.
        let signatures = format!("v1,{} v1,{}", BASE64_STANDARD.encode([7; 32]), BASE64_STANDARD.encode(mac));
        let call = with_header(post("resend", body), "svix-id", id);
        let call = with_header(call, "svix-timestamp", &timestamp.to_string());
        self.send(with_header(call, "svix-signature", &signatures)).await
    }

    pub(super) fn hard_bounce_of_postmark(&self) -> Value {
        json!({
            "RecordType": "Bounce", "MessageStream": "outbound", "ID": 4323372036854775807_i64,
            "Type": "HardBounce", "TypeCode": 1, "Name": "Hard bounce", "Tag": "Test",
            "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Metadata": {"bookly-email-id": self.email},
            "ServerID": 23, "Description": "The server was unable to deliver your message",
            "Details": format!("smtp;{GONE}"), "Email": TO, "From": "books@example.net",
            "BouncedAt": "2026-11-26T10:00:00Z", "DumpAvailable": true, "Inactive": true, "CanActivate": true,
        })
    }

    pub(super) fn hard_bounce_of_mailgun(&self) -> Value {
        json!({
            "event": "failed", "severity": "permanent", "reason": "bounce", "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "timestamp": 1521233195.375624, "log-level": "error", "recipient": "ann+news@example.org",
            "delivery-status": {
                "tls": true, "mx-host": "mx.example.org", "attempt-no": 1, "description": "", "code": 550,
                "message": "5.1.1 The email account that you tried to reach\n5.1.1 does not exist",
            },
            "message": {"headers": {"to": TO, "message-id": format!("{}@example.net", self.email)}},
            "user-variables": {"bookly_email_id": self.email},
        })
    }

    pub(super) fn hard_bounce_of_sendgrid(&self) -> Value {
        json!({
            "email": TO, "timestamp": 1461095250, "smtp-id": format!("<{}@example.net>", self.email),
            "event": "bounce", "type": "bounce", "status": "5.1.1", "reason": GONE,
            "bounce_classification": "Invalid Address", "ip": "192.0.2.25", "tls": 1,
            "sg_event_id": "lC0Rc-FuQmKbnxCWxX1jRQ", "sg_message_id": "Lli-03HcQ5.filter0077p1las1.0",
            "bookly_email_id": self.email,
        })
    }

    pub(super) fn hard_bounce_of_resend(&self) -> Value {
        json!({
            "type": "email.bounced", "created_at": "2026-11-26T10:00:00.126Z",
            "data": {
                "email_id": "56761188-7520-42d8-8898-ff6fc54ce618", "from": "Books <books@example.net>",
                "to": [format!("Ann <{TO}>")], "subject": "Welcome to our app",
                "headers": [{"name": "x-bookly-email-id", "value": self.email}],
                "bounce": {"type": "Permanent", "subType": "General", "message": "not specified",
                           "diagnosticCode": [format!("smtp; {GONE}")]},
            },
        })
    }
}

/// An email that a mail server accepted.
async fn sent(app: &TestApp) -> Uuid {
    let (db, now) = (&app.state().db, app.state().now());
    let email = NewEmail::new(EmailKind::Welcome, &EmailAddress::parse(TO).unwrap(), now);
    db.insert_emails(std::slice::from_ref(&email)).await.unwrap();
    let claimed = db.claim_due(ClaimLimits::of(1), "mail-1", now).await.unwrap();
    db.complete_sent(SentEmail::new(&claimed[0], Some(250), "250 taken".into(), now)).await.unwrap();
    email.id
}

pub(super) fn post(provider: &str, body: String) -> Request<Body> {
    let call = request(Method::POST, &format!("/api/v1/bounces/{provider}"));
    with_body(call, "application/json; charset=utf-8", body)
}

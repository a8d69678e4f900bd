//! The proof of a call: what is refused, what is limited, and what uses a proof up.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use serde_json::{Value, json};
use uuid::Uuid;

use super::world::{CREDENTIALS, World, post};
use crate::testing::{Answer, with_header};

#[tokio::test]
async fn a_call_without_its_proof_changes_nothing() {
    let world = World::new().await;
    let (now, bounce) = (world.now(), world.hard_bounce_of_sendgrid());
    let refused = |answer: &Answer| assert_eq!(answer.error(), (401, "invalid_signature".into()));
    for credentials in ["", "postmark", "postmark:a-long-passwor", "Postmark:a-long-password"] {
        let answer = world.postmark(&world.hard_bounce_of_postmark(), credentials).await;
        refused(&answer);
        assert_eq!(answer.header("www-authenticate"), Some("Basic realm=\"reports\""));
        assert!(answer.json()["resolution"].as_str().unwrap().contains("basic"), "{}", answer.text);
    }
    for provider in ["postmark", "mailgun", "sendgrid", "resend"] {
        refused(&world.send(post(provider, "{}".into())).await);
    }
    let mailgun = world.hard_bounce_of_mailgun();
    refused(&world.mailgun(&mailgun, "t0ken", now - 12 * 3_600 - 9).await);
    refused(&world.mailgun(&mailgun, "t0ken", now + 309).await);
    refused(&world.mailgun(&mailgun, "", now).await);
    for time in [now - 309, now + 309] {
        refused(&world.sendgrid(&json!([bounce]).to_string(), time).await);
        refused(&world.resend(&world.hard_bounce_of_resend(), time).await);
    }
    let other = World::new().await;
    let signature = other.sendgrid.sign(&SystemRandom::new(), format!("{now}[]").as_bytes()).unwrap();
    let call = with_header(
        post("sendgrid", "[]".into()),
        "x-twilio-email-event-webhook-signature",
        &BASE64_STANDARD.encode(signature),
    );
    let call = with_header(call, "x-twilio-email-event-webhook-timestamp", &now.to_string());
    refused(&world.send(call).await);
    assert_eq!(world.state().await, ("sent".into(), 0));
}

#[tokio::test]
async fn a_token_of_mailgun_counts_once_whatever_comes_with_it() {
    let world = World::new().await;
    let mut soft = world.hard_bounce_of_mailgun();
    soft["severity"] = json!("temporary");
    assert_eq!(world.mailgun(&soft, "t0ken", world.now()).await.status, 200);
    assert_eq!(world.mailgun(&world.hard_bounce_of_mailgun(), "t0ken", world.now()).await.status, 200);
    assert_eq!(world.state().await, ("sent".into(), 1), "the signature does not cover the event");
}

#[tokio::test]
async fn a_token_of_mailgun_is_used_up_by_a_call_that_changes_nothing() {
    let world = World::new().await;
    let bounce = world.hard_bounce_of_mailgun();
    let changed = |field: &str, value: Value| {
        let mut event = bounce.clone();
        event[field] = value;
        event
    };
    let mut of_nobody = changed("message", Value::Null);
    of_nobody["user-variables"] = Value::Null;
    let calls = [
        ("another kind", changed("event", json!("delivered"))),
        ("no email", of_nobody),
        ("another recipient", changed("recipient", json!("eve@example.org"))),
        ("no row", changed("user-variables", json!({"bookly_email_id": Uuid::now_v7()}))),
        ("malformed", Value::Null),
    ];
    for (token, event) in calls {
        let status = world.mailgun(&event, token, world.now()).await.status.as_u16();
        assert_eq!(status, if event.is_null() { 400 } else { 200 }, "{token}");
        assert_eq!(world.mailgun(&bounce, token, world.now()).await.status, 200);
        assert_eq!(world.state().await, ("sent".into(), 0), "{token}");
    }
    assert_eq!(world.mailgun(&bounce, "fresh", world.now()).await.status, 200);
    assert_eq!(world.state().await, ("bounced".into(), 1));
}

#[tokio::test]
async fn only_wrong_proofs_are_limited() {
    let world = World::new().await;
    let none = json!({"RecordType": "Delivery"});
    for _ in 0..crate::rate_limit::BURST + 5 {
        assert_eq!(world.postmark(&none, CREDENTIALS).await.status, 200);
    }
    let mut last = world.postmark(&none, "wrong:password").await;
    assert_eq!(last.status, 401);
    for _ in 0..crate::rate_limit::BURST + 5 {
        last = world.postmark(&none, "wrong:password").await;
    }
    assert_eq!(last.error(), (429, "too_many_requests".into()));
    assert_eq!(world.postmark(&none, CREDENTIALS).await.status, 200);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_for_its_proof_counts_as_a_wrong_one() {
    let world = World::new().await;
    let mut last = world.send(post("mailgun", "no JSON".into())).await;
    assert_eq!(last.error(), (400, "malformed_body".into()));
    for _ in 0..crate::rate_limit::BURST + 5 {
        last = world.send(post("mailgun", "no JSON".into())).await;
    }
    assert_eq!(last.error(), (429, "too_many_requests".into()));
}

#[tokio::test]
async fn a_body_without_its_password_is_not_read() {
    let world = World::new().await;
    let large = " ".repeat(1024 * 1024 + 1);
    let answer = world.send(post("postmark", large)).await;
    assert_eq!(answer.error(), (401, "invalid_signature".into()));
}

#[tokio::test]
async fn a_call_is_not_refused_for_its_origin() {
    let world = World::new().await;
    let call = with_header(post("postmark", "{}".into()), "origin", "https://provider.example");
    assert_eq!(world.send(call).await.error(), (401, "invalid_signature".into()));
}

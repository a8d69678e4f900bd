//! What a provider's call does.

mod proof;
mod world;

use axum::http::Method;
use bookly_shared::metrics::Exporter;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::testing::{Answer, Log, TestApp, request, with_header};

use world::{CREDENTIALS, TO, World, post};

#[tokio::test]
async fn a_hard_bounce_of_each_provider_closes_the_email_once() {
    for provider in ["postmark", "mailgun", "sendgrid", "resend"] {
        let world = World::new().await;
        for _ in 0..2 {
            let answer = match provider {
                "postmark" => world.postmark(&world.hard_bounce_of_postmark(), CREDENTIALS).await,
                "mailgun" => {
                    world.mailgun(&world.hard_bounce_of_mailgun(), "t0ken", world.now() - 39_600).await
                }
                "sendgrid" => {
                    let events = json!([{"email": TO, "event": "open"}, world.hard_bounce_of_sendgrid()]);
                    world.sendgrid(&events.to_string(), world.now()).await
                }
                _ => world.resend(&world.hard_bounce_of_resend(), world.now()).await,
            };
            assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"message": "Accepted"})));
        }
        assert_eq!(world.state().await, ("bounced".into(), 1), "{provider}");
        let words = world.words().await;
        assert!(words.contains("550 5.1.1 The email account"), "{provider}: {words}");
    }
}

#[tokio::test]
async fn the_call_in_the_documents_is_a_bounce() {
    let documents = include_str!("../../../../docs/operations.md");
    let (_, example) = documents.split_once("/api/v1/bounces/postmark -u user:password").unwrap();
    let (_, body) = example.split_once("-d '").unwrap();
    let body = body.split_once("'\n").unwrap().0;
    let world = World::new().await;
    let body = body.replace("<id>", &world.email.to_string()).replace("ada@example.org", TO);
    assert_eq!(world.postmark(&serde_json::from_str(&body).unwrap(), CREDENTIALS).await.status, 200);
    assert_eq!(world.state().await, ("bounced".into(), 1), "{body}");
}

#[tokio::test]
async fn a_complaint_of_each_provider_beats_a_bounce() {
    for provider in ["postmark", "mailgun", "sendgrid", "resend"] {
        let world = World::new().await;
        let id = world.email;
        world.postmark(&world.hard_bounce_of_postmark(), CREDENTIALS).await;
        let message_id = format!("<{id}@example.net>");
        let answer = match provider {
            "postmark" => {
                let complaint = json!({"RecordType": "SpamComplaint", "Type": "SpamComplaint", "ID": 42,
                    "Email": TO, "Metadata": {"Bookly-Email-Id": id}});
                world.postmark(&complaint, CREDENTIALS).await
            }
            "mailgun" => {
                let headers = json!({"message-id": format!("{id}@example.net")});
                let complaint =
                    json!({"event": "complained", "recipient": TO, "message": {"headers": headers}});
                world.mailgun(&complaint, "t0ken", world.now()).await
            }
            "sendgrid" => {
                let complaint = json!([{"event": "spamreport", "email": TO, "smtp-id": message_id,
                    "sg_event_id": "1"}]);
                world.sendgrid(&complaint.to_string(), world.now()).await
            }
            _ => {
                let data = json!({"to": [TO], "message_id": message_id});
                world.resend(&json!({"type": "email.complained", "data": data}), world.now()).await
            }
        };
        assert_eq!(answer.status, 200);
        assert_eq!(world.state().await, ("complained".into(), 2), "{provider}");
    }
}

#[tokio::test]
async fn what_names_no_email_of_this_service_or_another_recipient_is_accepted_and_changes_nothing() {
    let world = World::new().await;
    let mut events = Vec::new();
    for (field, value) in [
        ("Email", json!("eve@example.org")),
        ("Email", json!("ann@example.org")),
        ("Metadata", json!({"bookly-email-id": Uuid::now_v7()})),
        ("Metadata", Value::Null),
        ("RecordType", json!("Delivery")),
    ] {
        let mut event = world.hard_bounce_of_postmark();
        event[field] = value;
        events.push(event);
    }
    events.push(json!({}));
    for event in events {
        assert_eq!(world.postmark(&event, CREDENTIALS).await.status, 200, "{event}");
    }
    assert_eq!(world.state().await, ("sent".into(), 0));
}

#[tokio::test]
async fn a_report_without_effect_leaves_a_line_that_says_why_and_holds_no_address() {
    let world = World::new().await;
    let bounce = world.hard_bounce_of_postmark();
    assert_eq!(world.postmark(&bounce, CREDENTIALS).await.status, 200);
    let mut other = bounce.clone();
    other["Email"] = json!("eve@example.org");
    // What a button at the provider sends: an id of theirs, or none.
    let trial =
        json!({"RecordType": "Bounce", "Type": "HardBounce", "Email": "john@example.com", "MessageID": "0"});
    let delivered = json!([{"event": "delivered", "email": TO}, {"event": "open", "email": TO}]);
    let cases = [
        (&bounce, "it was recorded before"),
        (&other, "there is no such email to this recipient"),
        (&trial, "it names no email of this service"),
    ];
    for (event, reason) in cases {
        let (log, guard) = Log::of_this_thread(tracing::Level::INFO);
        assert_eq!(world.postmark(event, CREDENTIALS).await.status, 200, "{reason}");
        drop(guard);
        let text = log.text();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("a report has no effect")).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert!(lines[0].contains(reason) && lines[0].contains("postmark"), "{text}");
        for address in ["eve@", "john@", "ann+news@"] {
            assert!(!text.to_lowercase().contains(address), "{text}");
        }
    }
    for (body, words) in [(delivered, ["events=2", "no bounce"]), (json!([]), ["events=0", "no event"])] {
        let (log, guard) = Log::of_this_thread(tracing::Level::INFO);
        assert_eq!(world.sendgrid(&body.to_string(), world.now()).await.status, 200);
        drop(guard);
        assert!(words.iter().all(|word| log.text().contains(word)), "{}", log.text());
    }
}

#[tokio::test]
async fn soft_bounces_stand_in_the_history_without_our_secrets() {
    let world = World::new().await;
    let token = "eyJlbWFpbCI6ImFubkBleGFtcGxlLm9yZyJ9.ZVPxAA.pq2Mt2osImralYRZ5rcHZISkntMgG36ErftAw4OeZVc";
    let mut event = world.hard_bounce_of_postmark();
    event["Type"] = json!("Blocked");
    event["Details"] = json!(format!("554 5.7.1 http://localhost/api/v1/auth/verify/{token} is\r\nspam"));
    assert_eq!(world.postmark(&event, CREDENTIALS).await.status, 200);
    assert_eq!(world.state().await, ("sent".into(), 1));
    assert_eq!(world.words().await, "Bounce Blocked: 554 5.7.1 [redacted] is spam");
}

#[tokio::test]
async fn malformed_bodies_are_refused_and_large_ones_are_read_up_to_a_mebibyte() {
    let world = World::new().await;
    let malformed = |answer: &Answer| assert_eq!(answer.error(), (400, "malformed_body".into()));
    malformed(&world.postmark(&json!([]), CREDENTIALS).await);
    malformed(&world.send(post("mailgun", "no JSON".into())).await);
    malformed(&world.mailgun(&Value::Null, "t0ken", world.now()).await);
    for body in ["no JSON", "{}", "[7]"] {
        malformed(&world.sendgrid(body, world.now()).await);
    }
    malformed(&world.resend(&json!({"type": "email.bounced"}), world.now()).await);
    let padded = |length: usize| format!("[{}]", " ".repeat(length - 2));
    assert_eq!(world.sendgrid(&padded(1024 * 1024), world.now()).await.status, 200);
    let answer = world.sendgrid(&padded(1024 * 1024 + 1), world.now()).await;
    assert_eq!(answer.error(), (413, "body_too_large".into()));
}

#[tokio::test]
async fn a_provider_without_its_setting_does_not_exist() {
    let app = TestApp::new().await;
    for provider in ["postmark", "mailgun", "sendgrid", "resend", "other"] {
        assert_eq!(
            app.send(post(provider, "{}".into())).await.error(),
            (404, "not_found".into()),
            "{provider}"
        );
    }
}

#[tokio::test]
async fn an_automatic_reply_is_accepted_and_not_stored_and_a_delay_is_no_bounce() {
    let world = World::new().await;
    for kind in ["AutoResponder", "Subscribe", "Unsubscribe", "AddressChange"] {
        let mut reply = world.hard_bounce_of_postmark();
        reply["Type"] = json!(kind);
        assert_eq!(world.postmark(&reply, CREDENTIALS).await.status, 200);
        assert_eq!(world.state().await, ("sent".into(), 0), "{kind}");
    }
    let mut late = world.hard_bounce_of_sendgrid();
    (late["event"], late["type"]) = (json!("deferred"), Value::Null);
    assert_eq!(world.sendgrid(&json!([late]).to_string(), world.now()).await.status, 200);
    let reports = world.app.state().db.reports_of(world.email).await.unwrap();
    assert_eq!(reports.iter().map(|row| row.outcome.as_str()).collect::<Vec<_>>(), ["delayed"]);
}

#[tokio::test]
async fn a_database_that_is_away_lets_the_provider_try_again() {
    let world = World::new().await;
    world.app.state().db.close().await;
    let answer = world.postmark(&world.hard_bounce_of_postmark(), CREDENTIALS).await;
    assert_eq!(answer.error(), (503, "unavailable".into()));
}

#[tokio::test]
async fn reports_are_counted_by_their_provider_and_by_what_followed() {
    let (recorder, exporter) = Exporter::detached().unwrap();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world = World::measured_by(exporter).await;
    crate::routes::metrics::start_series(world.app.state());
    let mut events = Vec::new();
    for change in [
        json!({"event": "deferred", "status": "4.7.0", "sg_event_id": "1"}),
        json!({"event": "dropped", "sg_event_id": "2"}),
        json!({}),
        json!({}),
        json!({"email": "eve@example.org", "sg_event_id": "3"}),
        json!({"bookly_email_id": "of another application", "smtp-id": "", "sg_event_id": "4"}),
        json!({"event": "delivered", "sg_event_id": "5"}),
        json!({"event": "spamreport", "sg_event_id": "6"}),
    ] {
        let mut event = world.hard_bounce_of_sendgrid();
        for (field, value) in change.as_object().unwrap() {
            event[field] = value.clone();
        }
        events.push(event);
    }
    assert_eq!(world.sendgrid(&Value::Array(events).to_string(), world.now()).await.status, 200);
    assert_eq!(world.postmark(&world.hard_bounce_of_postmark(), "postmark:wrong").await.status, 401);
    let scrape = with_header(request(Method::GET, "/metrics"), "host", "localhost:8000");
    let text = world.send(scrape).await.text;
    let counted = |source: &str, effect: &str| {
        let series = format!(r#"bookly_email_reports_total{{source="{source}",effect="{effect}"}} "#);
        text.lines().find_map(|line| line.strip_prefix(&series)).map(str::to_owned).unwrap_or_default()
    };
    for (effect, number) in [
        ("bounced", "1"),
        ("complained", "1"),
        ("soft_bounced", "1"),
        ("delayed", "1"),
        ("no_effect", "1"),
        ("not_ours", "2"),
        ("refused", "0"),
    ] {
        assert_eq!(counted("sendgrid", effect), number, "{effect}: {text}");
    }
    assert_eq!([counted("postmark", "refused"), counted("postmark", "bounced")], ["1", "0"], "{text}");
}

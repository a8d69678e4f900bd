//! The table of 5xx replies, row by row.

use bookly_shared::domain::SmtpReply;

use super::super::error::SendError;
use super::super::failure::{FailureKind, REFUSALS, Stage};

const SESSION: [Stage; 4] = [Stage::Connect, Stage::Hello, Stage::Tls, Stage::Auth];
const FROM_RCPT_ON: [Stage; 3] = [Stage::RcptTo, Stage::Data, Stage::FinalDot];
const FROM_DATA_ON: [Stage; 2] = [Stage::Data, Stage::FinalDot];

/// Every reply at every stage is of this kind.
fn assert_kind(kind: FailureKind, stages: &[Stage], replies: &[&str]) {
    for stage in stages {
        for reply in replies {
            let (code, text) = reply.split_at(3);
            let reply = SmtpReply::new(code.parse().unwrap(), text);
            assert_eq!(SendError::from_reply(*stage, reply.clone()).kind(), kind, "{reply} at {stage}");
        }
    }
}

#[test]
fn a_refused_session_concerns_all_emails() {
    let replies = ["550 5.1.1 no", "552 5.3.4 too big", "554 blocked", "535 5.7.8 login", "504", "530"];
    assert_kind(FailureKind::ServerUnavailable, &SESSION, &replies);
}

#[test]
fn a_refused_sender_concerns_all_emails() {
    let replies = [
        "550 5.4.5 Daily user sending limit exceeded",
        "553 5.7.1 not owned by user",
        "530 5.7.0 log in first",
        "550 5.1.1 no such sender",
        "554",
        "501 5.1.7",
        "552 over quota",
    ];
    assert_kind(FailureKind::ServerUnavailable, &[Stage::MailFrom], &replies);
}

#[test]
fn a_refused_sender_after_mail_from_concerns_all_emails() {
    let replies = [
        "534",
        "535",
        "538",
        "553 5.1.7 bad sender",
        "550 5.1.8 sender unknown",
        "550 5.4.5 Daily user sending limit exceeded",
        "550 5.7.60 SendAsDenied",
        "552 5.4.5 quota",
    ];
    assert_kind(FailureKind::ServerUnavailable, &FROM_RCPT_ON, &replies);
    assert_kind(FailureKind::ServerUnavailable, &FROM_DATA_ON, &["530 5.7.0 log in first"]);
}

#[test]
fn a_refused_recipient_fails_its_email_at_once() {
    let replies = [
        "550 5.1.1 no such user",
        "550 5.1.2 no such host",
        "553 5.1.3 bad syntax",
        "551 5.1.6 moved",
        "550 5.1.10 null MX",
        "550 5.2.1 disabled",
        "552 5.2.2 full",
        "554 5.1.1 no such user",
        "550 no such user",
        "551 moved",
        "553 bad name",
    ];
    assert_kind(FailureKind::Permanent, &[Stage::RcptTo], &replies);
}

#[test]
fn refused_content_fails_its_email_at_once() {
    let replies = ["554 5.2.3 too long", "552 5.3.4 too big", "554 5.6.0 media", "550 5.6.7", "552 content"];
    assert_kind(FailureKind::Permanent, &FROM_RCPT_ON, &replies);
    assert_kind(FailureKind::Permanent, &[Stage::MailFrom], &["552 5.3.4 too big", "554 5.3.4 too big"]);
}

#[test]
fn any_other_refusal_could_be_about_one_email_or_all() {
    let replies = [
        "504 5.5.2 need fully-qualified hostname",
        "554 5.7.1 spam",
        "550 5.7.1 relaying denied",
        "500",
        "571 blocked",
        "550 5.3.0",
        "550 4.1.1 contradiction",
        "554",
    ];
    assert_kind(FailureKind::Ambiguous, &FROM_RCPT_ON, &replies);
    // A server may want a login for some recipients only.
    assert_kind(FailureKind::Ambiguous, &[Stage::RcptTo], &["530 5.7.0 log in first", "530"]);
    // After RCPT TO these do not say which of the two it is.
    assert_kind(
        FailureKind::Ambiguous,
        &FROM_DATA_ON,
        &["550 5.1.1 no", "550 no", "551", "553", "550 5.2.1 no"],
    );
}

#[test]
fn the_manual_has_the_same_table() {
    let manual = include_str!("../../../../docs/operations.md");
    let mut table = "| reply | it is about | what follows | what to do |\n|---|---|---|---|\n".to_owned();
    for rule in &REFUSALS {
        let follows = match rule.kind {
            FailureKind::ServerUnavailable => "the circuit opens; emails wait, and no attempt counts",
            FailureKind::Permanent => "the email is `failed` at once",
            FailureKind::Ambiguous => {
                "the email is retried like after a 4xx; the circuit opens only if no email is accepted for 60 s"
            }
            kind => panic!("{kind:?} is not the kind of a refusal"),
        };
        table += &format!("| {} | {} | {follows} | {} |\n", rule.replies, rule.subject, rule.remedy);
    }
    assert!(manual.contains(&table), "docs/operations.md should hold this table:\n{table}");
}

//! What follows from an error, by stage and reply.

use std::time::Duration;

use bookly_shared::domain::SmtpReply;

use super::super::error::SendError;
use super::super::failure::{FailureKind, Stage};

const TRANSACTION: [Stage; 4] = [Stage::MailFrom, Stage::RcptTo, Stage::Data, Stage::FinalDot];
const SESSION: [Stage; 4] = [Stage::Connect, Stage::Hello, Stage::Tls, Stage::Auth];

fn refused(stage: Stage, code: u16) -> FailureKind {
    SendError::from_reply(stage, SmtpReply::new(code, "words")).kind()
}

#[test]
fn an_error_before_mail_from_concerns_the_server_and_counts_no_attempt() {
    for stage in SESSION {
        for code in [421, 450, 454, 500, 530, 534, 535, 538, 550, 554] {
            assert_eq!(refused(stage, code), FailureKind::ServerUnavailable, "{stage:?} {code}");
        }
        assert_eq!(SendError::broken(stage, "gone").kind(), FailureKind::ServerUnavailable);
        let timed_out = SendError::timed_out(stage, Duration::from_secs(1));
        assert_eq!(timed_out.kind(), FailureKind::ServerUnavailable);
        assert_eq!(SendError::unsupported(stage, "no").kind(), FailureKind::ServerUnavailable);
    }
}

#[test]
fn a_4xx_is_temporary_at_each_stage_of_an_email() {
    for stage in TRANSACTION {
        for code in [421, 450, 451, 452, 454] {
            assert_eq!(refused(stage, code), FailureKind::Temporary, "{stage:?} {code}");
        }
    }
}

#[test]
fn an_address_that_the_server_cannot_take_concerns_all_emails_only_if_it_is_the_senders() {
    let unsupported = |stage| SendError::unsupported(stage, "no SMTPUTF8").kind();
    assert_eq!(unsupported(Stage::MailFrom), FailureKind::ServerUnavailable);
    assert_eq!(unsupported(Stage::RcptTo), FailureKind::Permanent);
}

#[test]
fn a_lost_connection_is_temporary_until_the_final_dot_and_unknown_after_it() {
    for (stage, kind) in [
        (Stage::MailFrom, FailureKind::Temporary),
        (Stage::RcptTo, FailureKind::Temporary),
        (Stage::Data, FailureKind::Temporary),
        (Stage::FinalDot, FailureKind::OutcomeUnknown),
    ] {
        assert_eq!(SendError::broken(stage, "reset").kind(), kind);
        assert_eq!(SendError::timed_out(stage, Duration::from_secs(1)).kind(), kind);
    }
}

#[test]
fn an_error_text_is_one_line_of_500_characters() {
    let error = SendError::broken(Stage::Hello, format!("a\r\nb\u{7}\tc{}", "é".repeat(600)));
    let text = error.cause.to_string();
    assert!(text.starts_with("a b cé"));
    assert_eq!(text.chars().count(), 500);
}

#[test]
fn the_text_of_an_error_reads_as_a_sentence() {
    let error = SendError::from_reply(Stage::RcptTo, SmtpReply::new(550, "5.1.1 no such\nuser"));
    assert_eq!(error.to_string(), "RCPT TO: 550 5.1.1 no such user");
}

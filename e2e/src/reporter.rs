//! Who reports what became of emails: Postmark and SendGrid by calls, a mail server by email.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::RequestBuilder;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use crate::client::{Answer, Api, Expect};
use crate::poll::LIMIT;
use crate::process::{Finished, Process, Settings, binary};
use crate::smtp_server::ReceivedMail;
use crate::stack::{Stack, StackOptions};

const USER: &str = "postmark";
const PASSWORD: &str = "a-long-password-of-the-webhook";
/// What a public key on P-256 begins with in its DER form: this is base64 of the first 26 bytes.
const P256_HEAD: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=";
const NO_SUCH_USER: &str = "550 5.1.1 no such user";
/// The time after which a provider repeats a call. Real ones wait longer.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    HardBounce,
    Complaint,
}

/// The providers, with their secrets.
#[derive(Debug)]
pub struct Reporter {
    sendgrid: EcdsaKeyPair,
}

impl Reporter {
    pub fn new() -> anyhow::Result<Reporter> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
        let key = key.map_err(anyhow::Error::msg)?;
        let sendgrid = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random);
        let sendgrid = sendgrid.map_err(anyhow::Error::msg)?;
        Ok(Reporter { sendgrid })
    }

    /// The settings by which a stack knows them.
    pub fn known_to(&self, options: StackOptions) -> anyhow::Result<StackOptions> {
        let key = [BASE64_STANDARD.decode(P256_HEAD)?, self.sendgrid.public_key().as_ref().to_vec()].concat();
        let options = options.with("BOUNCE_POSTMARK_CREDENTIALS", format!("{USER}:{PASSWORD}"));
        Ok(options.with("BOUNCE_SENDGRID_PUBLIC_KEY", BASE64_STANDARD.encode(key)))
    }

    /// A call of Postmark about one email.
    pub fn postmark(&self, api: &Api, mail: &ReceivedMail, verdict: Verdict) -> RequestBuilder {
        let id = id_of(mail);
        let (record_type, kind) = match verdict {
            Verdict::HardBounce => ("Bounce", "HardBounce"),
            Verdict::Complaint => ("SpamComplaint", "SpamComplaint"),
        };
        let event = json!({"RecordType": record_type, "Type": kind, "ID": format!("{kind} {id}"),
            "Email": mail.to[0], "Details": format!("smtp;{NO_SUCH_USER}"), "Metadata": {"bookly-email-id": id}});
        api.post("/bounces/postmark").basic_auth(USER, Some(PASSWORD)).json(&event)
    }

    /// A call of SendGrid with these events.
    pub fn sendgrid(&self, api: &Api, events: &[Value]) -> anyhow::Result<RequestBuilder> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().to_string();
        let body = serde_json::to_string(events)?;
        let signature = self.sendgrid.sign(&SystemRandom::new(), format!("{now}{body}").as_bytes());
        let signature = signature.map_err(anyhow::Error::msg)?;
        let call = api.post("/bounces/sendgrid").header("Content-Type", "application/json").body(body);
        let call = call.header("X-Twilio-Email-Event-Webhook-Timestamp", now);
        Ok(call.header("X-Twilio-Email-Event-Webhook-Signature", BASE64_STANDARD.encode(signature)))
    }
}

/// A hard bounce, as SendGrid writes it.
pub fn sendgrid_bounce(mail: &ReceivedMail) -> Value {
    let id = id_of(mail);
    json!({"email": mail.to[0], "timestamp": 1_461_095_250, "smtp-id": format!("<{id}@bookly.test>"),
        "event": "bounce", "type": "bounce", "status": "5.1.1", "reason": NO_SUCH_USER, "ip": "192.0.2.25", "tls": 1,
        "bounce_classification": "Invalid Address", "sg_event_id": format!("bounce-{id}"),
        "sg_message_id": format!("{id}.filter0077p1las1.0"), "bookly_email_id": id})
}

/// The id of an email's row, which is in its Message-ID.
fn id_of(mail: &ReceivedMail) -> String {
    let id = mail.message_id().unwrap_or_default();
    id.split('@').next().unwrap_or_default().to_owned()
}

/// Repeats a call until it is answered with 200. Returns how often it was not; the only other answer is 503.
pub async fn until_taken(call: impl Fn() -> anyhow::Result<RequestBuilder>) -> anyhow::Result<usize> {
    let mut refusals = 0;
    loop {
        match call()?.answer().await {
            Ok(Answer { status, .. }) if status == 200 => return Ok(refusals),
            Ok(answer) => ensure!(answer.status == 503, "a report is refused: {answer:?}"),
            // The connection was refused, or broke.
            Err(_) => {}
        }
        refusals += 1;
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

/// A report by email (RFC 3464): the email could not be delivered.
pub fn report_by_email(recipient: &str, status: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mail.test\nTo: bounces@bookly.test\nMessage-ID: <report-{status}@mail.test>\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\n\n\
         --B\nContent-Type: text/plain\n\nI am sorry\n\n--B\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mail.test\n\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: {status}\n\
         Diagnostic-Code: smtp; 550 {status} no such user\n\n--B--\n"
    )
}

/// Runs `bookly-worker bounce` with these words after it, by the shell as a mail server's alias does, and gives it an
/// email for a recipient.
pub async fn bounce(
    stack: &Stack,
    settings: &Settings,
    words: &str,
    recipient: &str,
    email: &str,
) -> anyhow::Result<Finished> {
    let file = stack.folder().join(format!("report-{}.eml", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, email)?;
    let mut command = Command::new("bash");
    command.args(["-c", &format!("set -o pipefail; \"$0\" bounce <\"$1\" {words}")]);
    command.arg(binary("bookly-worker")?).arg(&file).current_dir(stack.folder());
    command.env_clear().envs(settings).env("ORIGINAL_RECIPIENT", recipient);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    Process::run(command, &file.with_extension("log"))?.finished(LIMIT).await
}

/// The exit code, and all that a command said.
pub fn exit_of(finished: &Finished) -> anyhow::Result<(i32, String)> {
    let code = finished.status.code().context("an exit code")?;
    Ok((code, format!("{}{}", finished.output, finished.log)))
}

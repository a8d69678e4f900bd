//! The big list of naughty strings (Max Woolf, MIT licence: `e2e/data/blns/`) in every place where a client may send a
//! text: no 5xx, every answer is a success or an error of the contract, and every accepted name is unchanged in the
//! email.
#![allow(clippy::print_stdout, reason = "which answers came is worth reading beside the verdict")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use bookly_e2e::document::{Operation, operations};
use bookly_e2e::person::{new_address, new_password};
use bookly_e2e::prelude::*;
use bookly_e2e::smtp_server::ReceivedMail;
use futures_util::{StreamExt, TryStreamExt, stream};
use mail_parser::MessageParser;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::RequestBuilder;

/// Requests at a time: fewer than may wait for a hash.
const AT_ONCE: usize = 16;
/// A string in an otherwise valid body can cost a hash, so only one in this many strings is sent in such a body.
const HASHED: usize = 8;
/// The two stacks share what is judged before a database is asked: every second string is sent one way to one stack, and the
/// other way to the other.
fn is_first_of_two_ways(stack: &Stack, index: usize) -> bool {
    (stack.kind() == Kind::Full) == index.is_multiple_of(2)
}

/// Fewer than the list has, also in later versions.
const AT_LEAST: usize = 500;

fn naughty() -> Result<Vec<String>> {
    let list: Vec<String> = serde_json::from_str(include_str!("../../data/blns/blns.json"))?;
    ensure!(list.len() >= AT_LEAST, "only {} strings", list.len());
    Ok(list)
}

/// Sends it, and takes any answer that the contract knows; returns its status.
async fn harmless(request: RequestBuilder, what: &str, text: &str) -> Result<u16> {
    let answer = request.answer().await.with_context(|| format!("{what}: {text:?}"))?;
    let status = answer.status.as_u16();
    let fine = match status {
        200..400 => true,
        400..500 if what.starts_with("HEAD ") => answer.body.is_empty(),
        400..500 if answer.header("content-type").starts_with("text/html") => {
            answer.body.starts_with("<!doctype html>")
        }
        400..500 => answer.json().is_ok_and(|body| {
            body["error_code"].is_string() && body["message"].is_string() && body["detail"] == body["message"]
        }),
        _ => false,
    };
    ensure!(fine, "{what}: {text:?}: {answer:?}");
    Ok(status)
}

/// How often each status came.
#[derive(Default)]
struct Statuses(Mutex<BTreeMap<u16, usize>>);

impl Statuses {
    fn count(&self, status: u16) {
        let mut statuses = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *statuses.entry(status).or_default() += 1;
    }
}

/// Sends all of them, a few at a time.
async fn send_all(
    requests: impl Iterator<Item = (RequestBuilder, String, String)>,
) -> Result<BTreeMap<u16, usize>> {
    let statuses = Statuses::default();
    let sent = requests.map(async |(request, what, text)| {
        statuses.count(harmless(request, &what, &text).await?);
        Ok::<_, anyhow::Error>(())
    });
    stream::iter(sent).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
    Ok(statuses.0.into_inner().unwrap_or_default())
}

/// A valid body but for one field, with an address that no request had before.
fn whole(operation: &Operation, field: &str, text: &str) -> Value {
    let mut body = operation.body_with(field, text);
    if body.contains_key("email") && field != "email" {
        body.insert("email".into(), new_address().into());
    }
    body.into()
}

/// Whether the service hashes something when the rest of the body is valid.
fn hashes(operation: &Operation) -> bool {
    operation.fields.keys().any(|field| field.contains("password"))
}

both! {
    async fn in_every_field_of_every_body_json_and_form(stack: &Stack) {
        let admin = stack.admin().await?;
        let (operations, strings) = (operations(stack.api()).await?, naughty()?);
        let request = |operation: &Operation| {
            let path = operation.path_with(&uuid::Uuid::nil().to_string());
            stack.api().request(operation.method.clone(), &path).bearer_auth(&admin.tokens.access)
        };
        let mut requests = Vec::new();
        for operation in operations.iter().filter(|operation| !operation.fields.is_empty()) {
            for field in operation.fields.keys() {
                let what = format!("{} {} {field}", operation.method, operation.path);
                for (index, text) in strings.iter().enumerate() {
                    let body = if hashes(operation) && index % HASHED != 0 {
                        json!({field.as_str(): operation.value(field, text)})
                    } else {
                        whole(operation, field, text)
                    };
                    if operation.takes.form && is_first_of_two_ways(stack, index) {
                        let form = request(operation).header("Sec-Fetch-Site", "same-origin").form(&body);
                        requests.push((form, format!("{what} in a form"), text.clone()));
                    } else {
                        requests.push((request(operation).json(&body), what.clone(), text.clone()));
                    }
                }
            }
        }
        let count = requests.len();
        ensure!(count > 20 * strings.len(), "only {count} requests");
        let statuses = send_all(requests.into_iter()).await?;
        println!("{count} requests with naughty strings in their bodies: {statuses:?}");
        stack.settled().await?;
    }

    async fn in_paths_queries_and_headers(stack: &Stack) {
        let admin = stack.admin().await?;
        let (operations, strings) = (operations(stack.api()).await?, naughty()?);
        let mut requests = Vec::new();
        let mut unsendable = 0;
        for (index, text) in strings.iter().enumerate() {
            let accept = if is_first_of_two_ways(stack, index) { "application/json" } else { "text/html" };
            let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            for operation in operations.iter().filter(|operation| operation.has_path_parameter()) {
                let path = operation.path_with(&encoded);
                let request = stack.api().request(operation.method.clone(), &path).bearer_auth(&admin.tokens.access);
                let what = format!("{} {}", operation.method, operation.path);
                requests.push((request.header("Accept", accept), what, text.clone()));
            }
            let mails = ["to", "state", "kind", "since", "before"].map(|field| format!("/admin/emails?{field}="));
            let others = ["/admin/suppressions?address=", "/admin/suppressions?reason=", "/books?limit=", "/books?offset=", "/books?", "//inbox/", "//", "//metrics?", "/docs/"];
            for path in mails.into_iter().chain(others.map(str::to_owned)) {
                let request = stack.api().get(&format!("{path}{encoded}")).bearer_auth(&admin.tokens.access);
                requests.push((request, path, text.clone()));
            }
            for name in ["authorization", "accept", "content-type", "x-request-id", "x-forwarded-for", "origin", "if-none-match"] {
                let value = if name == "authorization" { format!("Bearer {text}") } else { text.clone() };
                // A header takes no control characters: no client can send such a one.
                let Ok(value) = header::HeaderValue::from_bytes(value.as_bytes()) else { unsendable += 1; continue };
                let request = stack.api().post("/auth/logout").header(name, &value);
                requests.push((request, name.to_owned(), text.clone()));
                let request = stack.api().post("/auth/password-reset-request").header(name, &value).body("{}");
                requests.push((request, name.to_owned(), text.clone()));
            }
        }
        let count = requests.len();
        let statuses = send_all(requests.into_iter()).await?;
        println!("{count} requests with naughty strings in paths, queries and headers: {statuses:?}; \
                  {unsendable} header values cannot be sent");
        ensure!(!statuses.contains_key(&500) && unsendable < strings.len(), "{statuses:?}");
    }

    async fn a_name_that_is_accepted_comes_out_as_it_is_in_answers_and_mails(stack: &Stack) {
        let strings = naughty()?;
        let sign_ups = strings.iter().map(async |name| {
            let person = Person { first_name: name.clone(), last_name: name.clone(), ..Person::new() };
            let answer = stack.api().post("/auth/signup").json(&person).answer().await?;
            match answer.status.as_u16() {
                201 => Ok(Some((person, answer.json()?["user"]["first_name"].as_str().unwrap_or_default().to_owned()))),
                422 => Ok(None),
                _ => Err(anyhow::anyhow!("{name:?}: {answer:?}")),
            }
        });
        let answers: Vec<_> = stream::iter(sign_ups).buffer_unordered(AT_ONCE).try_collect().await?;
        let accepted: Vec<_> = answers.into_iter().flatten().collect();
        stack.settled().await?;
        let mails = stack.mails()?;
        for (person, name) in &accepted {
            let own: Vec<&ReceivedMail> = mails.iter().filter(|mail| mail.is_to(&person.email)).collect();
            ensure!(own.len() == 1, "{} mails for {name:?}", own.len());
            check_mail(own[0], person, name).with_context(|| format!("{name:?}"))?;
        }
        println!("{} of {} naughty strings are accepted as names, and mailed", accepted.len(), strings.len());
        ensure!(accepted.len() > strings.len() / 2, "only {} are accepted", accepted.len());
    }

    async fn a_password_that_is_accepted_logs_in(stack: &Stack) {
        let strings = naughty()?;
        let passwords = strings.iter().filter(|text| text.chars().count() >= 8).step_by(HASHED / 2);
        let attempts = passwords.map(async |password| {
            let person = Person::new().with_password(password);
            let signed_up = stack.api().post("/auth/signup").json(&person).answer().await?;
            if signed_up.status == 422 {
                return Ok(0);
            }
            ensure!(signed_up.status == 201, "{password:?}: {signed_up:?}");
            stack.log_in(&person).await.with_context(|| format!("{password:?}"))?;
            let other = person.with_password(&new_password());
            stack.log_in_as(&other).refused(400, "invalid_email_or_password").await?;
            Ok(1)
        });
        let accepted: Vec<usize> = stream::iter(attempts).buffer_unordered(AT_ONCE).try_collect().await?;
        let count: usize = accepted.iter().sum();
        ensure!(count > accepted.len() / 4, "{count} of {} are accepted", accepted.len());
    }
}

/// The headers that a mail has, whatever a name says.
const HEADERS: [&str; 10] = [
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "x-auto-response-suppress",
    "feedback-id",
    "mime-version",
    "content-type",
];

fn check_mail(mail: &ReceivedMail, person: &Person, name: &str) -> Result<()> {
    ensure!(mail.to == [person.email.clone()], "to {:?}", mail.to);
    ensure!(mail.subject().as_deref() == Some("Verify your email"), "{:?}", mail.subject());
    let message = MessageParser::default().parse(&mail.data).context("a message")?;
    for header in message.headers() {
        let name = header.name().to_lowercase();
        ensure!(HEADERS.contains(&name.as_str()), "a header {name}");
    }
    ensure!(mail.data.is_ascii(), "the mail is ASCII");
    let (text, html) = (mail.text().context("text")?, mail.html().context("HTML")?);
    // A name that mail clients would make a link of is left out of the greeting.
    let greeting = text.lines().next().unwrap_or_default();
    ensure!(greeting == "Hello," || greeting.contains(name), "{greeting:?}");
    for tag in ["<script", "<img", "<svg", "<iframe", "onerror=", "<marquee", "<plaintext"] {
        ensure!(!html.to_lowercase().contains(tag) || !is_markup(&html, tag), "{tag} in {html}");
    }
    Ok(())
}

/// Whether a word that is harmless as text stands in a tag.
fn is_markup(html: &str, word: &str) -> bool {
    let html = html.to_lowercase();
    html.match_indices(word).any(|(index, _)| {
        let (open, close) = (html[..=index].rfind('<'), html[..index].rfind('>'));
        open > close
    })
}

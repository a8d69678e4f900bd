//! Every text field of every call, as the service's own document lists them.

use bookly_e2e::document::{Operation, operations};
use bookly_e2e::forge;
use bookly_e2e::prelude::*;
use bookly_shared::domain::prints_nothing;
use futures_util::{StreamExt, TryStreamExt, stream};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Requests at a time.
const AT_ONCE: usize = 16;

/// What has no place in any text: Unicode Cc, line separators, what changes the writing direction.
fn control_characters() -> Vec<char> {
    let ranges = ['\0'..='\u{1f}', '\u{7f}'..='\u{9f}', '\u{2028}'..='\u{202e}', '\u{2066}'..='\u{2069}'];
    ranges.into_iter().flatten().chain(['\u{61c}', '\u{200e}', '\u{200f}']).collect()
}

/// Whether a field ignores a character: a code may be pasted with what stands around it in an email.
fn is_ignored(field: &str, c: char) -> bool {
    field == "code" && (c.is_whitespace() || prints_nothing(c))
}

/// The character in front of a good value, in it, and behind it, where a parser that trims would lose it.
fn spoilt(good: &str, evil: char) -> [String; 3] {
    let middle = good.char_indices().nth(2).map_or(good.len(), |(index, _)| index);
    let (begin, end) = good.split_at(middle);
    [format!("{evil}{good}"), format!("{begin}{evil}{end}"), format!("{good}{evil}")]
}

/// What protected calls need: a session, and an unused link with its code.
struct Caller {
    access: String,
    link: String,
    email: String,
    code: String,
}

impl Caller {
    async fn new(stack: &Stack) -> Result<Caller> {
        let admin = stack.admin().await?;
        stack.ask_for_reset(&admin.person.email).expect(200).await?;
        let link = stack.link(&admin.person.email, "Reset Your Password").await?;
        let code = stack.code(&admin.person.email, "Reset Your Password").await?;
        let (access, email) = (admin.tokens.access, admin.person.email);
        Ok(Caller { access, link: forge::token_of(&link).to_owned(), email, code })
    }

    /// A valid body with another text in one field. A password is judged only beside a right code.
    fn body(&self, operation: &Operation, field: &str, text: &str) -> serde_json::Map<String, Value> {
        let mut body = operation.body_with(field, text);
        if operation.path.ends_with("/password-reset-confirm") {
            for (name, right) in [("email", &self.email), ("code", &self.code)] {
                if name != field {
                    body.insert(name.to_owned(), right.as_str().into());
                }
            }
        }
        body
    }

    fn request(&self, stack: &Stack, operation: &Operation) -> reqwest::RequestBuilder {
        let parameter = if operation.path.contains("{token}") {
            self.link.clone()
        } else {
            uuid::Uuid::nil().to_string()
        };
        let path = operation.path_with(&parameter);
        stack.api().request(operation.method.clone(), &path).bearer_auth(&self.access)
    }
}

async fn refused(request: reqwest::RequestBuilder, field: &str, text: &str) -> Result<()> {
    let refusal =
        request.refused(422, "validation_error").await.with_context(|| format!("{field} {text:?}"))?;
    let errors = refusal["errors"].as_array().context("errors")?;
    let fields: Vec<_> = errors.iter().filter_map(|error| error["field"].as_str()).collect();
    ensure!(fields == [field], "{field} {text:?}: {refusal}");
    Ok(())
}

/// What a page says of such a field.
fn said_on_a_page(field: &str) -> &'static str {
    match field {
        "email" => "The address must not contain spaces or invisible characters.",
        "code" => "The code must have 8 digits.",
        _ => "The new password must not contain control characters.",
    }
}

async fn refused_form(request: reqwest::RequestBuilder, field: &str, text: &str) -> Result<()> {
    let page = request
        .header("Sec-Fetch-Site", "same-origin")
        .page(422)
        .await
        .with_context(|| format!("{text:?}"))?;
    ensure!(page.contains(said_on_a_page(field)), "{field} {text:?}: {page}");
    Ok(())
}

both! {
    async fn control_characters_are_refused_in_every_text_field_of_every_call_and_the_field_is_named(stack: &Stack) {
        let caller = &Caller::new(stack).await?;
        let operations = operations(stack.api()).await?;
        let fields: Vec<(&Operation, &str)> =
            operations.iter().flat_map(|operation| operation.texts().into_iter().map(move |field| (operation, field))).collect();
        // Sign-up, login, two requests, reset, two changes, the greeting, and books twice.
        ensure!(fields.len() >= 24, "only {} fields are documented: {fields:?}", fields.len());
        let cases = fields.iter().flat_map(|(operation, field)| {
            let evil = control_characters().into_iter().filter(|evil| !is_ignored(field, *evil));
            let texts = evil.flat_map(|evil| spoilt(&operation.example(field), evil));
            texts.map(move |text| (*operation, *field, text))
        });
        let requests = cases.map(|(operation, field, text)| async move {
            let body = caller.body(operation, field, &text);
            refused(caller.request(stack, operation).json(&body), &operation.refused_as(field), &text).await?;
            if operation.takes.form {
                refused_form(caller.request(stack, operation).form(&body), field, &text).await?;
            }
            Ok::<_, anyhow::Error>(())
        });
        stream::iter(requests).buffer_unordered(AT_ONCE).try_for_each(|()| async { Ok(()) }).await?;
    }

    async fn control_characters_are_refused_in_every_field_of_every_query(stack: &Stack) {
        let caller = &Caller::new(stack).await?;
        let mut found = 0;
        for operation in operations(stack.api()).await? {
            for field in &operation.query {
                found += 1;
                for text in control_characters().into_iter().flat_map(|evil| spoilt("12", evil)) {
                    let value = utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string();
                    let path = format!("{}?{field}={value}", operation.path_with(&uuid::Uuid::nil().to_string()));
                    let request = stack.api().request(operation.method.clone(), &path).bearer_auth(&caller.access);
                    refused(request, field, &text).await?;
                }
            }
        }
        ensure!(found >= 2, "no fields in queries");
    }
}

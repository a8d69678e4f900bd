//! Renders an email's templates: subject, text and HTML.

use std::fmt;
use std::path::Path;

use bookly_shared::domain::EmailKind;
use bookly_shared::templates::{RenderError, TemplateError, environment};
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;

use super::body::EmailBody;

/// Renders emails. Made once, at the start.
pub struct MailRenderer {
    env: Environment<'static>,
    app_name: String,
    public_url: String,
}

/// An email's content, before headers and encodings.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The text part, lines ended by LF.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// The templates of an email, under `mail/<kind>/`.
pub(super) const PARTS: [&str; 3] = ["subject.txt", "body.txt", "body.html"];

/// What every template gets: the values of its kind and these two.
#[derive(Serialize)]
struct Context<'a> {
    app_name: &'a str,
    public_url: &'a str,
    #[serde(flatten)]
    body: &'a EmailBody,
}

impl MailRenderer {
    /// Loads the templates and renders every kind once with sample values, so that a template that uses an unknown
    /// variable stops the start and not the first email. `public_url` is `DOMAIN` as a whole URL.
    ///
    /// # Errors
    /// The first template that cannot be read, parsed or rendered, with file and line.
    pub fn new(
        template_folder: Option<&Path>,
        app_name: &str,
        public_url: &str,
    ) -> Result<Self, TemplateError> {
        let mut renderer = Self::for_samples(environment(template_folder)?, app_name, public_url);
        for kind in EmailKind::ALL {
            renderer
                .try_render(&EmailBody::sample(kind))
                .map_err(|error| TemplateError::broken(&error, template_folder))?;
        }
        renderer.env.set_debug(false);
        Ok(renderer)
    }

    /// For sample values only: errors contain the values of variables.
    pub(super) fn for_samples(mut env: Environment<'static>, app_name: &str, public_url: &str) -> Self {
        env.set_debug(true);
        let public_url = public_url.trim_end_matches('/').to_owned();
        Self { env, app_name: app_name.to_owned(), public_url }
    }

    /// Renders one email.
    ///
    /// # Errors
    /// A template met a value that the samples did not have; another attempt gives the same error.
    pub fn render(&self, body: &EmailBody) -> Result<Rendered, RenderError> {
        Ok(self.try_render(body)?)
    }

    fn try_render(&self, body: &EmailBody) -> Result<Rendered, minijinja::Error> {
        let [subject, text, html] = PARTS;
        Ok(Rendered {
            subject: one_line(&self.part(body, subject)?),
            text: format!("{}\n", self.part(body, text)?.trim()),
            html: self.part(body, html)?.trim_start().to_owned(),
        })
    }

    pub(super) fn part(&self, body: &EmailBody, file: &str) -> Result<String, minijinja::Error> {
        let context =
            Value::from(Serde(Context { app_name: &self.app_name, public_url: &self.public_url, body }));
        self.env.get_template(&format!("mail/{}/{file}", body.kind()))?.render(&context)
    }
}

/// The text on one line: runs of white space and control characters become one space.
pub(super) fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

impl fmt::Debug for MailRenderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailRenderer").field("app_name", &self.app_name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Rendered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rendered").field("subject", &self.subject).finish_non_exhaustive()
    }
}

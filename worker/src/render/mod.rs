//! Turns what a mail is about into its subject, text and HTML.

mod body;
mod check;
mod composer;
mod message;
mod quoted_printable;
mod words;

use std::fmt;
use std::path::Path;

use bookly_shared::domain::EmailKind;
pub use bookly_shared::templates::RenderError;
use bookly_shared::templates::{TemplateError, environment};
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;

pub use body::EmailBody;
pub use check::{TemplateReport, check};
pub use composer::{CannotCompose, Composer, ComposerError, Outgoing};
pub use message::{ComposeError, MessageFacts, compose};
pub use words::moment;

/// Renders mails. Made once, at the start.
pub struct MailRenderer {
    env: Environment<'static>,
    app_name: String,
    public_url: String,
}

/// A mail's content, before headers and encodings.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line, without control characters.
    pub subject: String,
    /// The text part, lines ended by LF.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// The templates of a mail, under `mail/<kind>/`.
const PARTS: [&str; 3] = ["subject.txt", "body.txt", "body.html"];

/// What every template sees: its own values and these two.
#[derive(Serialize)]
struct Context<'a> {
    app_name: &'a str,
    public_url: &'a str,
    #[serde(flatten)]
    body: &'a EmailBody<'a>,
}

impl MailRenderer {
    /// Loads the templates and renders every kind once with sample values, so that a template that asks for what
    /// it is not given stops the start, not the first mail. `public_url` is `DOMAIN` as a whole URL.
    ///
    /// # Errors
    /// The first template that cannot be read, parsed or rendered, with file and line.
    pub fn new(
        template_folder: Option<&Path>,
        app_name: &str,
        public_url: &str,
    ) -> Result<Self, TemplateError> {
        let mut renderer = Self::trial(environment(template_folder)?, app_name, public_url);
        for kind in EmailKind::ALL {
            renderer
                .try_render(&EmailBody::sample(kind))
                .map_err(|error| TemplateError::broken(&error, template_folder))?;
        }
        renderer.env.set_debug(false);
        Ok(renderer)
    }

    /// Only for sample values: errors name variables.
    fn trial(mut env: Environment<'static>, app_name: &str, public_url: &str) -> Self {
        env.set_debug(true);
        let public_url = public_url.trim_end_matches('/').to_owned();
        Self { env, app_name: app_name.to_owned(), public_url }
    }

    /// Renders one mail.
    ///
    /// # Errors
    /// A template met a value that the samples did not have; another attempt gives the same error.
    pub fn render(&self, mail: &EmailBody<'_>) -> Result<Rendered, RenderError> {
        Ok(self.try_render(mail)?)
    }

    fn try_render(&self, mail: &EmailBody<'_>) -> Result<Rendered, minijinja::Error> {
        let [subject, text, html] = PARTS;
        Ok(Rendered {
            subject: words::one_line(&self.part(mail, subject)?),
            text: format!("{}\n", self.part(mail, text)?.trim()),
            html: self.part(mail, html)?.trim_start().to_owned(),
        })
    }

    fn part(&self, mail: &EmailBody<'_>, file: &str) -> Result<String, minijinja::Error> {
        let context = Value::from(Serde(Context {
            app_name: &self.app_name,
            public_url: &self.public_url,
            body: mail,
        }));
        self.env.get_template(&format!("mail/{}/{file}", mail.kind()))?.render(&context)
    }
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

#[cfg(test)]
mod tests;

//! The pages that people see: plain HTML, without JavaScript. This module renders them; the routes are elsewhere.

mod admin;
mod headers;
mod page;
mod plot;
mod problem;
mod samples;

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bookly_shared::config::{LinkSettings, ProductSettings};
use bookly_shared::domain::{EmailAddress, Palette};
use bookly_shared::locale::Locale;
use bookly_shared::templates::{self, RenderError, TemplateError, Templates};
use http::{HeaderName, HeaderValue};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub use admin::{
    Board, EmailHistory, EmailLine, EmailSearch, ServerLine, SuppressionLine, SuppressionSearch,
};
pub use page::{AccountSummary, InboxEntry, Language, Page, RequestForm};
pub use plot::Plot;
pub use problem::Problem;

/// The lengths of a password that the form's hint names.
const PASSWORD_LENGTH: (usize, usize) = (8, 128);

/// Renders pages. Made once, when the service starts.
pub struct Pages {
    templates: Templates,
    warnings: Vec<String>,
    content_security_policy: String,
    product: ProductSettings,
    initial: String,
    links: LinkSettings,
}

/// The values of every template: those of its page, the product's name and these. `keep_lang` stands behind the path of
/// links and forms: `?lang=de` or nothing.
#[derive(Serialize)]
struct Context<'a> {
    verification_action: &'static str,
    password_reset_action: &'static str,
    verification_code_action: &'static str,
    password_reset_code_action: &'static str,
    keep_lang: &'a str,
    initial: &'a str,
    home_url: Option<&'a str>,
    logo_url: Option<&'a str>,
    support_email: Option<&'a str>,
    colors: &'a Palette,
    after_verify_url: Option<&'a str>,
    after_reset_url: Option<&'a str>,
    min_length: usize,
    max_length: usize,
    #[serde(flatten)]
    page: &'a Page<'a>,
}

impl Pages {
    /// Loads the templates and renders every page once with sample values: a template that uses an unknown value stops
    /// the start. The built-in ones are tested in every language, so only templates of a folder are tried in each.
    ///
    /// # Errors
    /// The first template that cannot be read, parsed or rendered, with file and line.
    pub fn new(
        template_folder: Option<&Path>,
        product: &ProductSettings,
        links: &LinkSettings,
    ) -> Result<Self, TemplateError> {
        let mut inspection = templates::inspect(template_folder)?;
        let warnings = std::mem::take(&mut inspection.warnings);
        let mut templates = inspection.usable()?;
        let broken = |error| TemplateError::broken(&error, template_folder);
        let colors = context! { colors => Value::from(Serde(product.colors)) };
        let css = templates.of(Locale::En).get_template("page/style.css");
        let style = css.and_then(|css| css.render(colors)).map_err(broken)?;
        let content_security_policy =
            headers::content_security_policy(&hash_source(&style), product.logo.as_ref());
        let style = Value::from_safe_string(style);
        templates.change(|env| {
            env.add_global("style", style.clone());
            // Every message can use it, also in a macro.
            env.add_global("app_name", product.name.as_str());
            // Errors may name values only here, where the values are samples.
            env.set_debug(true);
        });
        let (product, initial, links) = (product.clone(), product.initial(), links.clone());
        let mut pages = Self { templates, warnings, content_security_policy, product, initial, links };
        let locales = if template_folder.is_some() { &Locale::ALL[..] } else { &[Locale::En] };
        for locale in locales.iter().copied() {
            for page in Page::samples() {
                pages.try_render(Language { locale, ..Language::ENGLISH }, &page).map_err(broken)?;
            }
        }
        pages.templates.change(|env| env.set_debug(false));
        Ok(pages)
    }

    /// What is probably a mistake in the folder, with file and line.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Renders one page in a language.
    ///
    /// # Errors
    /// When a template fails with a value that the samples do not have.
    pub fn render(&self, language: Language, page: &Page<'_>) -> Result<String, RenderError> {
        Ok(self.try_render(language, page)?)
    }

    /// The policy of all pages: their own style and forms, the product's logo, and nothing else.
    #[must_use]
    pub fn content_security_policy(&self) -> &str {
        &self.content_security_policy
    }

    /// The headers of a page with this HTML, apart from its content type.
    #[must_use]
    pub fn headers(&self, page: &Page<'_>, html: &str) -> [(HeaderName, HeaderValue); 4] {
        let frames = matches!(page, Page::InboxEmail { .. });
        headers::page_headers(&self.content_security_policy, frames, html.contains("<form"))
    }

    /// The headers of an email's HTML as a separate page: `/inbox/{id}/html`.
    #[must_use]
    pub fn email_headers(&self) -> [(HeaderName, HeaderValue); 4] {
        headers::email_headers(self.product.logo.as_ref())
    }

    fn try_render(&self, language: Language, page: &Page<'_>) -> Result<String, minijinja::Error> {
        let keep_lang = if language.by_query { format!("?lang={}", language.locale) } else { String::new() };
        let context = Context {
            verification_action: RequestForm::Verification.path(),
            password_reset_action: RequestForm::PasswordReset.path(),
            verification_code_action: RequestForm::Verification.code_path(),
            password_reset_code_action: RequestForm::PasswordReset.code_path(),
            keep_lang: &keep_lang,
            initial: &self.initial,
            home_url: self.product.home_url.as_deref(),
            logo_url: self.product.logo.as_ref().map(|logo| &*logo.url),
            support_email: self.product.support_email.as_ref().map(EmailAddress::as_str),
            colors: &self.product.colors,
            after_verify_url: self.links.after_verify.as_deref(),
            after_reset_url: self.links.after_reset.as_deref(),
            min_length: PASSWORD_LENGTH.0,
            max_length: PASSWORD_LENGTH.1,
            page,
        };
        let template = self.templates.of(language.locale).get_template(page.template())?;
        let html = template.render(Value::from(Serde(context)))?;
        Ok(html.trim_start().to_owned())
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// `'sha256-…'`, as a policy allows an inline style (CSP Level 3 §2.3.1).
fn hash_source(style: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))
}

#[cfg(test)]
mod tests;

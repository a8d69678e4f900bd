//! Renders every email with sample values and reports every fault and every probable mistake. A fault stops the start of a
//! worker, and `bookly-worker templates check` fails.

use std::path::Path;

use bookly_shared::config::ProductSettings;
use bookly_shared::domain::{EmailKind, one_line};
use bookly_shared::locale::Locale;
use bookly_shared::templates::{self, TemplateError};

use super::body::{EmailBody, HEADER_LIMIT, MailRenderer, PARTS};

/// The result of rendering all templates.
#[derive(Debug)]
pub struct TemplateReport {
    /// How many parts of emails were rendered, with each sample.
    pub rendered: usize,
    /// How many templates of pages were compiled; `bookly-api` renders them when it starts.
    pub compiled: usize,
    /// The templates that files override.
    pub overridden: Vec<String>,
    /// Faults: with them an email cannot be made, or is useless.
    pub problems: Vec<TemplateError>,
    /// What can be sent but is probably a mistake, with the file's name.
    pub warnings: Vec<String>,
}

/// Checks all templates in all languages. `public_url` is `DOMAIN` as a whole URL.
///
/// # Errors
/// The folder cannot be read.
pub fn check(
    template_folder: Option<&Path>,
    product: &ProductSettings,
    public_url: &str,
) -> Result<TemplateReport, TemplateError> {
    Ok(try_all(template_folder, product, public_url, &Locale::ALL)?.1)
}

impl MailRenderer {
    /// Loads the templates and renders every kind once with sample values, so that a template that uses an unknown
    /// variable stops the start and not the first email. The built-in ones are tested in every language, so only templates
    /// of a folder are tried in each. Logs what is probably a mistake. `public_url` is `DOMAIN` as a whole URL.
    ///
    /// # Errors
    /// The first fault, with file and line.
    pub fn new(
        template_folder: Option<&Path>,
        product: &ProductSettings,
        public_url: &str,
    ) -> Result<Self, TemplateError> {
        let locales = if template_folder.is_some() { &Locale::ALL[..] } else { &[Locale::En] };
        let (renderer, report) = try_all(template_folder, product, public_url, locales)?;
        templates::log_warnings(&report.warnings);
        match report.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(renderer.for_mail()),
        }
    }
}

fn try_all(
    folder: Option<&Path>,
    product: &ProductSettings,
    public_url: &str,
    locales: &[Locale],
) -> Result<(MailRenderer, TemplateReport), TemplateError> {
    let inspection = templates::inspect(folder)?;
    let renderer = MailRenderer::for_samples(inspection.templates, product, public_url);
    let mut report = TemplateReport {
        rendered: 0,
        compiled: templates::names().filter(|name| name.starts_with("page/")).count(),
        overridden: inspection.overridden,
        problems: inspection.problems,
        warnings: inspection.warnings,
    };
    for (locale, kind) in locales.iter().flat_map(|locale| EmailKind::ALL.map(|kind| (*locale, kind))) {
        for (part, sample) in
            PARTS.into_iter().flat_map(|part| EmailBody::samples(kind).map(|body| (part, body)))
        {
            report.check_part(&renderer, locale, &sample, part, folder);
        }
    }
    Ok((renderer, report))
}

impl TemplateReport {
    fn check_part(
        &mut self,
        renderer: &MailRenderer,
        locale: Locale,
        body: &EmailBody,
        part: &str,
        folder: Option<&Path>,
    ) {
        self.rendered += 1;
        let text = match renderer.part(locale, body, part) {
            Ok(text) => text,
            Err(error) => return self.add(TemplateError::broken(&error, folder)),
        };
        let file = self.file_of(locale, body.kind(), part);
        if let Some(reason) = fault(body, part, &text) {
            self.add(TemplateError::Broken { file, line: 0, reason });
        } else if let Some(doubt) = doubt(body, part, &text) {
            self.warn(format!("{file}: {doubt}"));
        }
    }

    /// The file that made a part of an email what it is: of the folder, if it has one. The subject is a message.
    fn file_of(&self, locale: Locale, kind: EmailKind, part: &str) -> String {
        let own = format!("mail/{kind}/{part}");
        let other = match part.strip_prefix("body") {
            Some(extension) => format!("mail/base{extension}"),
            None => format!("locales/{locale}.ftl"),
        };
        let is_overridden =
            |name: &&String| self.overridden.iter().any(|file| file.eq_ignore_ascii_case(name));
        match [&own, &other].into_iter().find(is_overridden) {
            Some(file) => format!("TEMPLATE_FOLDER/{file}"),
            None => format!("templates/{own}"),
        }
    }

    /// Adds a warning once: most come in every language.
    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Adds a fault once: one in the base template comes with every email.
    fn add(&mut self, problem: TemplateError) {
        let text = problem.to_string();
        if self.problems.iter().all(|known| known.to_string() != text) {
            self.problems.push(problem);
        }
    }
}

/// Why such a part is not sent.
fn fault(body: &EmailBody, part: &str, text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("it is empty".into());
    }
    if part == "subject.txt" {
        let is_too_long = one_line(text).len() > HEADER_LIMIT;
        return is_too_long.then(|| format!("the subject is longer than {HEADER_LIMIT} bytes"));
    }
    let link = link_of(body).filter(|link| !has(text, link))?;
    Some(format!(
        "it does not contain the link, which is what the email is for ({{{{ link }}}}, here {link})"
    ))
}

/// Why such a part is probably a mistake.
fn doubt(body: &EmailBody, part: &str, text: &str) -> Option<String> {
    if part == "subject.txt" {
        return None;
    }
    if reset_url_of(body).is_some_and(|url| !has(text, url)) {
        return Some("it does not contain the link to a new password ({{ reset_url }})".into());
    }
    let code = body.code().filter(|code| !text.contains(code))?;
    Some(format!("it does not contain the code ({code}), for people who cannot open the link"))
}

/// Whether a text has a URL, as it is or as HTML writes it.
fn has(text: &str, url: &str) -> bool {
    text.contains(url) || text.contains(&url.replace('&', "&amp;"))
}

/// The link with a token, which the email is for.
fn link_of(body: &EmailBody) -> Option<&str> {
    match body {
        EmailBody::VerifyEmail { link, .. }
        | EmailBody::ResetPassword { link, .. }
        | EmailBody::ChangeEmail { link, .. } => Some(link.as_str()),
        EmailBody::EmailChanged { link, .. } => link.as_ref().map(|link| link.as_str()),
        EmailBody::PasswordChanged { .. }
        | EmailBody::EmailChangeRequested { .. }
        | EmailBody::Welcome { .. } => None,
    }
}

/// Where a notice leads people who want a new password.
fn reset_url_of(body: &EmailBody) -> Option<&str> {
    match body {
        EmailBody::PasswordChanged { reset_url, .. } | EmailBody::EmailChangeRequested { reset_url, .. } => {
            Some(reset_url)
        }
        EmailBody::VerifyEmail { .. }
        | EmailBody::ResetPassword { .. }
        | EmailBody::ChangeEmail { .. }
        | EmailBody::EmailChanged { .. }
        | EmailBody::Welcome { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn report_of(files: &[(&str, &str)]) -> TemplateReport {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        check(Some(folder.path()), &ProductSettings::named("Bookly"), "https://books.example.org").unwrap()
    }

    #[test]
    fn the_built_in_templates_have_no_fault() {
        let report = check(None, &ProductSettings::named("Bookly"), "https://books.example.org").unwrap();
        assert_eq!(report.rendered, Locale::ALL.len() * EmailKind::ALL.len() * PARTS.len() * 2);
        assert!(report.problems.is_empty() && report.warnings.is_empty(), "{report:?}");
    }

    #[test]
    fn every_fault_is_reported_and_one_in_the_base_only_once() {
        let report = report_of(&[
            ("mail/base.txt", "Hello\n{{ nobody }}\n{% block body %}{% endblock %}"),
            ("mail/welcome/subject.txt", "{{ link }}"),
            ("mail/welcome/body.html", "{% block"),
        ]);
        let mut said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        said.sort();
        let begin = [
            "TEMPLATE_FOLDER/mail/base.txt, line 2:",
            "TEMPLATE_FOLDER/mail/welcome/body.html, line 1:",
            "TEMPLATE_FOLDER/mail/welcome/subject.txt, line 1:",
        ];
        assert_eq!(said.len(), begin.len(), "{said:#?}");
        assert!(said.iter().zip(begin).all(|(said, begin)| said.starts_with(begin)), "{said:#?}");
    }

    #[test]
    fn what_is_said_to_people_without_a_name_is_tried_too() {
        let report = report_of(&[("locales/de.ftl", "greeting = Guten Tag { -nobody }\n")]);
        let said: String = report.problems.iter().map(ToString::to_string).collect();
        assert!(said.contains("mail/base.txt") && said.contains("greeting"), "{report:#?}");
        let body = "{{ first_name.nothing }} {{ link }} {{ code }}";
        let report = report_of(&[("mail/reset_password/body.txt", body)]);
        assert_eq!(report.problems.len(), 1, "{report:#?}");
    }

    #[test]
    fn an_email_without_its_link_or_its_subject_is_a_fault() {
        let report = report_of(&[
            ("mail/verify_email/body.txt", "Hello!"),
            ("mail/email_changed/body.html", "<p>Hello!"),
            ("mail/welcome/subject.txt", " "),
            ("locales/ja.ftl", "reset-password-subject = { \"\" }\n"),
        ]);
        let said: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        let begin = [
            "TEMPLATE_FOLDER/mail/verify_email/body.txt: it does not contain the link",
            "TEMPLATE_FOLDER/mail/email_changed/body.html: it does not contain the link",
            "TEMPLATE_FOLDER/mail/welcome/subject.txt: it is empty",
            "TEMPLATE_FOLDER/locales/ja.ftl: it is empty",
        ];
        assert_eq!(said.len(), begin.len(), "{said:#?}");
        for begin in begin {
            assert!(said.iter().any(|said| said.starts_with(begin)), "{begin} in {said:#?}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("mail/welcome")).unwrap();
        fs::write(folder.path().join("mail/welcome/subject.txt"), "").unwrap();
        let start =
            MailRenderer::new(Some(folder.path()), &ProductSettings::named("Bookly"), "https://b.example");
        assert_eq!(start.unwrap_err().to_string(), "TEMPLATE_FOLDER/mail/welcome/subject.txt: it is empty");
    }

    #[test]
    fn probable_mistakes_are_warnings() {
        let report = report_of(&[
            ("mail/reset_password/body.txt", "{{ link }}"),
            ("mail/password_changed/body.txt", "Write to us."),
            ("mail/verify-email/body.txt", "Hello!"),
            ("notes.md", "to do"),
        ]);
        assert!(report.problems.is_empty(), "{report:?}");
        assert_eq!(
            report.warnings,
            [
                "TEMPLATE_FOLDER/mail/verify-email/body.txt: overrides nothing; is mail/verify_email/body.txt meant?",
                "TEMPLATE_FOLDER/notes.md: overrides nothing, no template has this name",
                "TEMPLATE_FOLDER/mail/reset_password/body.txt: it does not contain the code (1234 5678), for people who cannot open the link",
                "TEMPLATE_FOLDER/mail/password_changed/body.txt: it does not contain the link to a new password ({{ reset_url }})",
            ]
        );
    }
}

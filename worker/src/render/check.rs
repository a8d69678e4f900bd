//! Renders every email with sample values and reports every fault. The start of a worker stops at the first one.

use std::path::Path;

use bookly_shared::config::ProductSettings;
use bookly_shared::domain::{EmailKind, one_line};
use bookly_shared::locale::Locale;
use bookly_shared::templates::{self, TemplateError, TemplateInspection};

use super::body::{EmailBody, MailRenderer, PARTS};
use super::message::HEADER_LIMIT;

/// The result of rendering all templates.
#[derive(Debug)]
pub struct TemplateReport {
    /// How many parts of emails were rendered, with each sample.
    pub rendered: usize,
    /// How many templates of pages were compiled; `bookly-api` renders them when it starts.
    pub compiled: usize,
    /// The templates that files override.
    pub overridden: Vec<String>,
    /// Faults: with them an email cannot be made.
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
    let TemplateInspection { templates, overridden, unused, problems, mut warnings } =
        templates::inspect(template_folder)?;
    warnings.splice(..0, unused.iter().map(|file| unused_file(file)));
    let renderer = MailRenderer::for_samples(templates, product, public_url);
    let mut report = TemplateReport {
        rendered: 0,
        compiled: templates::names().filter(|name| name.starts_with("page/")).count(),
        overridden,
        problems,
        warnings,
    };
    for (locale, kind) in Locale::ALL.into_iter().flat_map(|locale| EmailKind::ALL.map(|kind| (locale, kind)))
    {
        for (part, sample) in
            PARTS.into_iter().flat_map(|part| EmailBody::samples(kind).map(|body| (part, body)))
        {
            report.check_part(&renderer, locale, &sample, part, template_folder);
        }
    }
    Ok(report)
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
        match renderer.part(locale, body, part) {
            Ok(text) if is_too_long(part, &text) => self.add(TemplateError::Broken {
                file: format!("TEMPLATE_FOLDER/mail/{}/{part}", body.kind()),
                line: 1,
                reason: format!("the subject is longer than {HEADER_LIMIT} bytes"),
            }),
            Ok(text) => self.warn(warning(body, part, &text)),
            Err(error) => self.add(TemplateError::broken(&error, folder)),
        }
    }

    /// Adds a warning once: most come in every language.
    fn warn(&mut self, warning: Option<String>) {
        self.warnings.extend(warning.filter(|text| !self.warnings.contains(text)));
    }

    /// Adds a fault once: one in the base template comes with every email.
    fn add(&mut self, problem: TemplateError) {
        let text = problem.to_string();
        if self.problems.iter().all(|known| known.to_string() != text) {
            self.problems.push(problem);
        }
    }
}

/// Such an email would not be sent.
fn is_too_long(part: &str, text: &str) -> bool {
    part == "subject.txt" && one_line(text).len() > HEADER_LIMIT
}

fn warning(body: &EmailBody, part: &str, text: &str) -> Option<String> {
    let file = format!("mail/{}/{part}", body.kind());
    if text.trim().is_empty() {
        return Some(format!("{file}: it is empty"));
    }
    let url = url_of(body).filter(|_| part != "subject.txt")?;
    let in_html = url.replace('&', "&amp;");
    if !text.contains(url) && !text.contains(&in_html) {
        return Some(format!("{file}: it does not contain the link, which is what the email is for"));
    }
    let code = body.code().filter(|code| !text.contains(code))?;
    Some(format!("{file}: it does not contain the code ({code}), for people who cannot open the link"))
}

/// The URL that the email must contain; a welcome has none.
fn url_of(body: &EmailBody) -> Option<&str> {
    match body {
        EmailBody::VerifyEmail { link, .. }
        | EmailBody::ResetPassword { link, .. }
        | EmailBody::ChangeEmail { link, .. }
        | EmailBody::EmailChanged { link, .. } => Some(link.as_str()),
        EmailBody::PasswordChanged { reset_url, .. } | EmailBody::EmailChangeRequested { reset_url, .. } => {
            Some(reset_url)
        }
        EmailBody::Welcome {} => None,
    }
}

/// Names that differ in more letters than this are not misspelt ones.
const MISSPELT: usize = 4;

fn unused_file(file: &str) -> String {
    let near = templates::names().min_by_key(|name| strsim::damerau_levenshtein(name, file));
    match near.filter(|name| strsim::damerau_levenshtein(name, file) <= MISSPELT) {
        Some(name) => format!("{file}: overrides nothing; is {name} meant?"),
        None => format!("{file}: overrides nothing, no template has this name"),
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
    fn probable_mistakes_are_warnings() {
        let report = report_of(&[
            ("mail/verify_email/body.txt", "Hello!"),
            ("mail/reset_password/body.txt", "{{ link }}"),
            ("mail/welcome/subject.txt", " "),
            ("mail/verify-email/body.txt", "Hello!"),
            ("notes.md", "to do"),
        ]);
        assert!(report.problems.is_empty(), "{report:?}");
        assert_eq!(
            report.warnings,
            [
                "mail/verify-email/body.txt: overrides nothing; is mail/verify_email/body.txt meant?",
                "notes.md: overrides nothing, no template has this name",
                "mail/verify_email/body.txt: it does not contain the link, which is what the email is for",
                "mail/reset_password/body.txt: it does not contain the code (1234 5678), for people who cannot open the link",
                "mail/welcome/subject.txt: it is empty",
            ]
        );
    }
}

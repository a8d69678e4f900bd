//! Renders every mail with sample values and says all that is wrong, where the start stops at the first fault.

use std::path::Path;

use bookly_shared::domain::EmailKind;
use bookly_shared::templates::{self, Inspection, TemplateError};

use super::message::HEADER_LIMIT;
use super::{EmailBody, MailRenderer, PARTS, words};

/// What a trial of all templates found.
#[derive(Debug)]
pub struct TemplateReport {
    /// How many parts of mails were rendered.
    pub rendered: usize,
    /// How many templates of pages were compiled; `bookly-api` renders them when it starts.
    pub compiled: usize,
    /// The templates that files take the place of.
    pub overridden: Vec<String>,
    /// What keeps a mail from being made.
    pub problems: Vec<TemplateError>,
    /// What can be sent and is hardly meant, with the file's name.
    pub doubts: Vec<String>,
}

/// Tries all templates. `public_url` is `DOMAIN` as a whole URL.
///
/// # Errors
/// The folder cannot be read.
pub fn check(
    template_folder: Option<&Path>,
    app_name: &str,
    public_url: &str,
) -> Result<TemplateReport, TemplateError> {
    let Inspection { env, overridden, unused, problems } = templates::inspect(template_folder)?;
    let renderer = MailRenderer::trial(env, app_name, public_url);
    let mut report = TemplateReport {
        rendered: 0,
        compiled: templates::names().filter(|name| name.starts_with("page/")).count(),
        overridden,
        problems,
        doubts: unused.iter().map(|file| useless(file)).collect(),
    };
    for kind in EmailKind::ALL {
        for part in PARTS {
            report.try_part(&renderer, &EmailBody::sample(kind), part, template_folder);
        }
    }
    Ok(report)
}

impl TemplateReport {
    fn try_part(&mut self, renderer: &MailRenderer, mail: &EmailBody<'_>, part: &str, folder: Option<&Path>) {
        self.rendered += 1;
        match renderer.part(mail, part) {
            Ok(text) if is_too_long(part, &text) => self.add(TemplateError::Broken {
                file: format!("TEMPLATE_FOLDER/mail/{}/{part}", mail.kind()),
                line: 1,
                reason: format!("the subject is longer than {HEADER_LIMIT} bytes"),
            }),
            Ok(text) => self.doubts.extend(doubt(mail, part, &text)),
            Err(error) => self.add(TemplateError::broken(&error, folder)),
        }
    }

    /// A fault in the base comes with every mail.
    fn add(&mut self, problem: TemplateError) {
        let words = problem.to_string();
        if self.problems.iter().all(|known| known.to_string() != words) {
            self.problems.push(problem);
        }
    }
}

/// Such a mail would not be sent.
fn is_too_long(part: &str, text: &str) -> bool {
    part == "subject.txt" && words::one_line(text).len() > HEADER_LIMIT
}

fn doubt(mail: &EmailBody<'_>, part: &str, text: &str) -> Option<String> {
    let file = format!("mail/{}/{part}", mail.kind());
    if text.trim().is_empty() {
        return Some(format!("{file}: nothing is in it"));
    }
    let link = mail.link().filter(|_| part != "subject.txt")?;
    (!text.contains(link))
        .then(|| format!("{file}: the link is not in it, without which the mail is of no use"))
}

/// More changed letters than this make another name, not a misspelt one.
const MISSPELT: usize = 4;

fn useless(file: &str) -> String {
    let near = templates::names().min_by_key(|name| strsim::damerau_levenshtein(name, file));
    match near.filter(|name| strsim::damerau_levenshtein(name, file) <= MISSPELT) {
        Some(name) => format!("{file}: replaces nothing; is {name} meant?"),
        None => format!("{file}: replaces nothing, no template has this name"),
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
        check(Some(folder.path()), "Bookly", "https://books.example.org").unwrap()
    }

    #[test]
    fn the_built_in_templates_are_beyond_reproach() {
        let report = check(None, "Bookly", "https://books.example.org").unwrap();
        assert_eq!(report.rendered, EmailKind::ALL.len() * PARTS.len());
        assert!(report.problems.is_empty() && report.doubts.is_empty(), "{report:?}");
    }

    #[test]
    fn every_fault_is_named_and_one_in_the_base_only_once() {
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
    fn what_is_hardly_meant_is_doubted() {
        let report = report_of(&[
            ("mail/verify_email/body.txt", "Hello!"),
            ("mail/welcome/subject.txt", " "),
            ("mail/verify-email/body.txt", "Hello!"),
            ("notes.md", "to do"),
        ]);
        assert!(report.problems.is_empty(), "{report:?}");
        assert_eq!(
            report.doubts,
            [
                "mail/verify-email/body.txt: replaces nothing; is mail/verify_email/body.txt meant?",
                "notes.md: replaces nothing, no template has this name",
                "mail/verify_email/body.txt: the link is not in it, without which the mail is of no use",
                "mail/welcome/subject.txt: nothing is in it",
            ]
        );
    }
}

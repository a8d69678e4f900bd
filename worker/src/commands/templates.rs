//! `bookly-worker templates check`.

use std::path::Path;
use std::process::ExitCode;

use bookly_shared::config::Settings;
use bookly_shared::templates::TemplateError;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::screen::{Colour, Screen};
use crate::render::{self, TemplateReport};

/// What can be asked of the templates.
#[derive(Debug, Subcommand)]
pub enum TemplatesCommand {
    /// Render every mail with sample values, and name each fault by file and line
    #[command(after_help = CHECK_HELP)]
    Check(Check),
}

/// How the answer comes.
#[derive(Debug, Args)]
pub struct Check {
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

const CHECK_HELP: &str = "\
Files of TEMPLATE_FOLDER take the place of built-in templates of the same name. What is checked: that each file is read
and well formed, that each mail can be rendered, that nothing is empty, that a mail carries its link, and that each file
replaces something. Pages are checked for their form only; bookly-api renders them when it starts.

Exit code 1 when a mail or page cannot be made; what is only doubtful is a warning.

JSON: {\"ok\", \"rendered\", \"compiled\", \"overridden\": [file], \"problems\": [{\"file\", \"line\", \"reason\"}], \"warnings\": [text]}

Example:
  TEMPLATE_FOLDER=mine bookly-worker templates check";

#[derive(Serialize)]
struct Document<'a> {
    ok: bool,
    rendered: usize,
    compiled: usize,
    overridden: &'a [String],
    problems: Vec<ProblemLine>,
    warnings: &'a [String],
}

#[derive(Serialize)]
struct ProblemLine {
    file: String,
    line: Option<usize>,
    reason: String,
}

impl TemplatesCommand {
    pub(super) fn run(self, settings: &Settings, screen: Screen) -> anyhow::Result<ExitCode> {
        let TemplatesCommand::Check(Check { json }) = self;
        let folder = settings.template_folder.as_deref();
        let report = render::check(folder, &settings.mail.from_name, settings.public_url.as_str())?;
        if json {
            screen.json(&document(&report))?
        } else {
            show(&report, folder, screen)?
        }
        Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn document(report: &TemplateReport) -> Document<'_> {
    Document {
        ok: report.problems.is_empty(),
        rendered: report.rendered,
        compiled: report.compiled,
        overridden: &report.overridden,
        problems: report.problems.iter().map(problem_line).collect(),
        warnings: &report.doubts,
    }
}

fn problem_line(problem: &TemplateError) -> ProblemLine {
    match problem {
        TemplateError::Broken { file, line, reason } => ProblemLine {
            file: file.clone(),
            line: Some(*line).filter(|line| *line > 0),
            reason: reason.clone(),
        },
        TemplateError::Unreadable { path, source } => {
            ProblemLine { file: path.display().to_string(), line: None, reason: source.to_string() }
        }
    }
}

fn show(report: &TemplateReport, folder: Option<&Path>, screen: Screen) -> std::io::Result<()> {
    for problem in &report.problems {
        screen.line(format_args!("{} {problem}", screen.paint(Colour::Red, "FAIL")))?;
    }
    for doubt in &report.doubts {
        screen.line(format_args!("{} {doubt}", screen.paint(Colour::Yellow, "warn")))?;
    }
    let (word, colour) =
        if report.problems.is_empty() { ("ok  ", Colour::Green) } else { ("FAIL", Colour::Red) };
    screen.line(format_args!("{} {}", screen.paint(colour, word), summary(report, folder)))
}

/// What was looked at, and what of it is whose.
pub(super) fn summary(report: &TemplateReport, folder: Option<&Path>) -> String {
    let whose = match folder {
        Some(folder) => format!("{} of them from {}", report.overridden.len(), folder.display()),
        None => "all built in".to_owned(),
    };
    format!("{} parts of mails rendered, {} pages compiled, {whose}", report.rendered, report.compiled)
}

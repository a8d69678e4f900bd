//! `bookly-worker templates check`.

use std::path::Path;
use std::process::ExitCode;

use bookly_shared::config::Settings;
use bookly_shared::templates::TemplateError;
use clap::{Args, Subcommand};
use serde::Serialize;

use super::screen::{GREEN, RED, YELLOW, print_json, print_line, styled};
use crate::render::{self, TemplateReport};

/// The commands about templates.
#[derive(Debug, Subcommand)]
pub enum TemplatesCommand {
    /// Render every email with sample values, and name each error by file and line
    #[command(after_help = CHECK_HELP)]
    Check(Check),
}

/// How the result is printed.
#[derive(Debug, Args)]
pub struct Check {
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

const CHECK_HELP: &str = "\
Files of TEMPLATE_FOLDER replace built-in templates of the same name; messages of locales/<tag>.ftl replace built-in ones. \
The checks: each file can be read and has the right syntax, each email can be rendered in each language, messages and their \
variables are those of the built-in templates, nothing is empty, an email contains its link, each file replaces a template. Pages are \
checked for syntax only; bookly-api renders them when it starts.

Exit code 1 when an email or page cannot be rendered, an email does not contain its link, or a part of it is empty: such \
templates stop the start, too. Anything doubtful is a warning, and is logged at every start.

JSON: {\"ok\", \"rendered\", \"compiled\", \"overridden\": [file], \"problems\": [{\"file\", \"line\", \"reason\"}], \"warnings\": [text]}

Example:
  TEMPLATE_FOLDER=mine bookly-worker templates check";

#[derive(Serialize)]
struct CheckDocument<'a> {
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
    pub(super) fn run(self, settings: &Settings) -> anyhow::Result<ExitCode> {
        let TemplatesCommand::Check(Check { json }) = self;
        let folder = settings.template_folder.as_deref();
        let report = render::check(folder, &settings.product, settings.public_url.as_str())?;
        if json {
            print_json(&document(&report))?
        } else {
            show(&report, folder)?
        }
        Ok(if report.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn document(report: &TemplateReport) -> CheckDocument<'_> {
    CheckDocument {
        ok: report.problems.is_empty(),
        rendered: report.rendered,
        compiled: report.compiled,
        overridden: &report.overridden,
        problems: report.problems.iter().map(problem_line).collect(),
        warnings: &report.warnings,
    }
}

fn problem_line(problem: &TemplateError) -> ProblemLine {
    match problem {
        TemplateError::Broken { file, line, reason } => ProblemLine {
            file: file.clone(),
            line: Some(*line).filter(|line| *line > 0),
            reason: reason.clone(),
        },
        TemplateError::UnreadableFile { file, source } => {
            ProblemLine { file: file.clone(), line: None, reason: source.to_string() }
        }
        TemplateError::Unreadable { path, source } => {
            ProblemLine { file: path.display().to_string(), line: None, reason: source.to_string() }
        }
    }
}

fn show(report: &TemplateReport, folder: Option<&Path>) -> std::io::Result<()> {
    for problem in &report.problems {
        print_line(format_args!("{} {problem}", styled(RED, "FAIL")))?;
    }
    for warning in &report.warnings {
        print_line(format_args!("{} {warning}", styled(YELLOW, "warn")))?;
    }
    let status = if report.problems.is_empty() { styled(GREEN, "ok  ") } else { styled(RED, "FAIL") };
    print_line(format_args!("{status} {}", summary(report, folder)))
}

/// What was checked, and how much of it is from `TEMPLATE_FOLDER`.
pub(super) fn summary(report: &TemplateReport, folder: Option<&Path>) -> String {
    let origin = match folder {
        Some(folder) => format!("{} of them from {}", report.overridden.len(), folder.display()),
        None => "all built in".to_owned(),
    };
    format!("{} parts of emails rendered, {} pages compiled, {origin}", report.rendered, report.compiled)
}

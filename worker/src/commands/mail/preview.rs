//! `mail preview`: every email as its reader sees it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use bookly_shared::config::Settings;
use bookly_shared::domain::EmailKind;
use bookly_shared::locale::Locale;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use crate::commands::screen::{BOLD, print_json, print_line, styled};
use crate::render::{EmailBody, MailRenderer};

/// Which emails to write, and where.
#[derive(Debug, Args)]
pub struct Preview {
    /// The kind of email
    #[arg(default_value = ALL, value_parser = kinds_parser())]
    kind: Kinds,
    /// The folder for the files; it is made when it is missing
    #[arg(long, value_name = "DIR", default_value = "mail-preview")]
    out: PathBuf,
    /// The language, such as de or pt-BR; DEFAULT_LOCALE when it is not named
    #[arg(long, value_name = "TAG", value_parser = Locale::nearest)]
    locale: Option<Locale>,
    /// Answer with one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) const HELP: &str = "\
Writes <kind>.html and <kind>.txt with sample names and tokens. Templates of TEMPLATE_FOLDER are used, and links lead where \
those of real emails do: to DOMAIN, or to VERIFY_URL and its siblings.

JSON: {\"emails\": [{\"kind\", \"subject\", \"html\": path, \"text\": path}]}

Examples:
  bookly-worker mail preview
  TEMPLATE_FOLDER=mine bookly-worker mail preview verify_email --out /tmp/mails
  bookly-worker mail preview --locale ar";

const ALL: &str = "all";

/// One kind, or all.
#[derive(Clone, Copy, Debug)]
enum Kinds {
    All,
    One(EmailKind),
}

fn kinds_parser() -> impl TypedValueParser<Value = Kinds> {
    let names: Vec<&str> = [ALL].into_iter().chain(EmailKind::ALL.map(EmailKind::as_str)).collect();
    PossibleValuesParser::new(names).try_map(|text| match text.as_str() {
        ALL => Ok(Kinds::All),
        name => name.parse().map(Kinds::One),
    })
}

#[derive(Serialize)]
struct PreviewDocument {
    emails: Vec<PreviewFiles>,
}

/// The two files of one email.
#[derive(Serialize)]
struct PreviewFiles {
    kind: &'static str,
    subject: String,
    html: PathBuf,
    text: PathBuf,
}

impl Preview {
    pub(super) fn run(self, settings: &Settings) -> anyhow::Result<()> {
        let folder = settings.template_folder.as_deref();
        let renderer = MailRenderer::new(folder, &settings.product, settings.public_url.as_str())?;
        let (out, locale) = (&self.out, self.locale.unwrap_or(settings.default_locale));
        std::fs::create_dir_all(out).with_context(|| format!("{} cannot be made", out.display()))?;
        let kinds = match self.kind {
            Kinds::All => EmailKind::ALL.to_vec(),
            Kinds::One(kind) => vec![kind],
        };
        let links = settings.links.templates(&settings.public_url);
        let sample = |kind| EmailBody::sample_with_links(kind, &links);
        let written = kinds.into_iter().map(|kind| write(&renderer, locale, &sample(kind), out));
        let emails = written.collect::<anyhow::Result<Vec<_>>>()?;
        if self.json {
            return Ok(print_json(&PreviewDocument { emails })?);
        }
        for email in &emails {
            print_line(styled(BOLD, &email.subject))?;
            print_line(format_args!("  {}\n  {}", email.html.display(), email.text.display()))?;
        }
        Ok(())
    }
}

fn write(
    renderer: &MailRenderer,
    locale: Locale,
    sample: &EmailBody,
    out: &Path,
) -> anyhow::Result<PreviewFiles> {
    let (mail, kind) = (renderer.render(locale, sample)?, sample.kind());
    let (html, text) = (out.join(format!("{kind}.html")), out.join(format!("{kind}.txt")));
    for (path, content) in [(&html, mail.html), (&text, mail.text)] {
        std::fs::write(path, content).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(PreviewFiles { kind: kind.as_str(), subject: mail.subject, html, text })
}

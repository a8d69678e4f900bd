//! Writes a sample of every mail to a folder, to look at: `cargo run -p bookly-worker --example preview_mails -- <dir>`.

use std::path::PathBuf;

use anyhow::Context;
use bookly_shared::domain::MailKind;
use bookly_worker::render::{MailBody, MailRenderer};

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).context("usage: preview_mails <dir>")?);
    std::fs::create_dir_all(&folder)?;
    let overrides = std::env::var_os("TEMPLATE_FOLDER").map(PathBuf::from);
    let renderer = MailRenderer::new(overrides.as_deref(), "Bookly", "https://books.example.org")?;
    for kind in MailKind::ALL {
        let mail = renderer.render(&MailBody::sample(kind))?;
        std::fs::write(folder.join(format!("{kind}.html")), mail.html)?;
        std::fs::write(
            folder.join(format!("{kind}.txt")),
            format!("Subject: {}\n\n{}", mail.subject, mail.text),
        )?;
    }
    Ok(())
}

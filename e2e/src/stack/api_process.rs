//! The start of an API process.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::log::Log;
use crate::poll::LIMIT;
use crate::process::{Process, Settings};

/// Starts the API and waits until it listens.
pub(super) async fn start_api(
    settings: &Settings,
    folder: &Path,
) -> anyhow::Result<(Arc<Process>, Arc<Log>)> {
    let api = Process::start("bookly-api", &[], settings, folder, "api")?;
    let address = settings.get("LISTEN").context("LISTEN is set")?;
    api.log().line(LIMIT, |line| line.contains("listen") && line.contains(address.as_str())).await?;
    let log = Arc::clone(api.log());
    Ok((Arc::new(api), log))
}

//! Emails a second by the fallback while the first mail server is away, against those by the first one.

use std::time::Duration;

use bookly_e2e::ports;

use super::Bench;
use super::worker::CONCURRENCY;
use crate::report::Section;
use crate::sink::Sink;
use crate::throughput::{LIMIT, watch};

/// Emails that meet the first server's absence come seconds later, and are not counted. More are not claimed before its
/// circuit opens.
const NOT_COUNTED: u64 = 4 * CONCURRENCY as u64;

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("Two mail servers");
    let (mut by_first, mut by_second, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let first = per_second(bench, "MAIL_PORT", "MAIL_FALLBACK_PORT", &mut section).await?;
        let second = per_second(bench, "MAIL_FALLBACK_PORT", "MAIL_PORT", &mut section).await?;
        by_first.push(first);
        by_second.push(second);
        ratio.push(100.0 * second / first);
    }
    section.row("by the first server", by_first, "mails/s", "");
    section.row("by the fallback, while the first server refuses connections", by_second, "mails/s", "");
    section.row("by the fallback, of the first server", ratio, "%", "≥ 90");
    section.note(format!(
        "One worker. The last {NOT_COUNTED} emails are not counted: those that met the first server's absence are \
         tried again seconds later."
    ));
    Ok(section)
}

/// The rate of a backlog at the server on the port of one setting; nothing listens on that of the other.
async fn per_second(bench: &Bench, up: &str, away: &str, section: &mut Section) -> anyhow::Result<f64> {
    let mails = bench.size(10_000, 100);
    let system = bench.system(Sink::start(Duration::ZERO).await?).await?;
    system.queue(mails).await?;
    let settings = [
        ("WORKER_CONCURRENCY", CONCURRENCY.to_string()),
        ("MAIL_FALLBACK_SERVER", "127.0.0.1".to_owned()),
        ("MAIL_FALLBACK_STARTTLS", "false".to_owned()),
        ("MAIL_FALLBACK_USE_CREDENTIALS", "false".to_owned()),
        (up, system.sink.port().to_string()),
        (away, ports::free()?.to_string()),
    ];
    let _worker = system.worker_with(&settings).await?;
    let measured = watch(&system.sink, 0, mails - NOT_COUNTED, async || Ok(())).await?;
    section.beside(measured.used.others);
    system.closed(LIMIT).await?;
    Ok(measured.per_second)
}

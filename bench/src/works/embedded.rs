//! The service in one process with SQLite: sign-ups against the hash alone, mails a second to files.

use super::{Bench, by_turns};
use crate::machine::Meter;
use crate::people;
use crate::report::Section;
use crate::throughput::LIMIT;

const CLIENTS: usize = 16;

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("All in one process (SQLite, mails as files)");
    let mails = bench.size(5_000, 50);
    let mut sign_ups = by_turns::RunsByTurns::default();
    let (mut rate, mut cpu_a_mail) = (Vec::new(), Vec::new());
    // The services and their files stay to the end: ext4 looks for inodes that were not freed shortly before, and a search
    // costs the next files more than their own writing.
    let mut running = Vec::new();
    for _ in 0..bench.runs {
        let service = bench.embedded().await?;
        let process = service.start().await?;
        people::sign_ups(&service.address, 4, bench.time(1)).run().await?.all(201)?;
        let own = ["bookly-api"];
        sign_ups.add(by_turns::measure(bench, &service.address, CLIENTS, &own, &mut section).await?);
        drop(process);
        running.push(service);

        let service = bench.embedded().await?;
        service.queue(mails).await?;
        let meter = Meter::start()?;
        let _process = service.start().await?;
        rate.push(service.closed_rate(mails, LIMIT).await?);
        let used = meter.read()?;
        cpu_a_mail.push(used.cpu_ms(&["bookly-api"]) / mails as f64);
        section.beside(used.others);
        running.push(service);
    }
    sign_ups.tell(CLIENTS, "the process", ("≥ 95", ""), &mut section);
    section.row("mails to files", rate, "mails/s", "≥ 1,000");
    section.row("mails to files, CPU of the process, its start included", cpu_a_mail, "ms a mail", "");
    Ok(section)
}

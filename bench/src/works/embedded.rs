//! The service in one process with SQLite: sign-ups against the hash alone, mails a second to files.

use super::Bench;
use crate::drain::LIMIT;
use crate::machine::Meter;
use crate::report::Section;
use crate::{hash, people};

/// Measures it.
pub(super) async fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section::new("All in one process (SQLite, mails as files)");
    let mails = bench.size(5_000, 50);
    let (mut limits, mut sign_ups, mut of_limit, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut rate, mut cpu_a_mail) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let service = bench.embedded().await?;
        let process = service.start().await?;
        people::sign_ups(&service.address, 4, bench.time(1)).run().await?.all(201)?;
        let limit = hash::on_all_cores(bench.time(5)).await?;
        let meter = Meter::start()?;
        let answers =
            people::sign_ups(&service.address, bench.clients(16), bench.time(8)).run().await?.all(201)?;
        let used = meter.read()?;
        limits.push(limit.per_second);
        sign_ups.push(answers.per_second());
        of_limit.push(100.0 * answers.per_second() / limit.per_second);
        cpu.push(used.cpu_ms(&["bookly-api"]) / answers.count() - limit.cpu_ms);
        section.beside(used.others);
        drop(process);

        let service = bench.embedded().await?;
        service.queue(mails).await?;
        let meter = Meter::start()?;
        let _process = service.start().await?;
        rate.push(service.drained(mails, LIMIT).await?);
        let used = meter.read()?;
        cpu_a_mail.push(used.cpu_ms(&["bookly-api"]) / mails as f64);
        section.beside(used.others);
    }
    section.row("the hash alone, a thread per core", limits, "hashes/s", "");
    section.row("16 clients", sign_ups, "sign-ups/s", "");
    section.row("16 clients, of the hash alone", of_limit, "%", "≥ 95");
    section.row("16 clients, CPU beside the hash", cpu, "ms a sign-up", "");
    section.row("mails to files", rate, "mails/s", "≥ 1,000");
    section.row("mails to files, CPU of the process, its start included", cpu_a_mail, "ms a mail", "");
    Ok(section)
}

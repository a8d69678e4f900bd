//! Measures the service: `cargo run --release -p bench`.
//!
//! Starts a throwaway Postgres (with fsync), a Redis, an SMTP sink and the binaries beside its own, runs each
//! comparison by turns in the same run, and prints medians with their spread. It builds nothing itself.

mod arguments;
mod embedded;
mod hash;
mod http;
mod machine;
mod peer;
mod people;
mod redis_stats;
mod report;
mod service;
mod sink;
mod system;
mod throughput;
mod works;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tokio::runtime::Builder;

use crate::arguments::{Arguments, Part};
use crate::report::Report;
use crate::works::{Bench, WORKS};

fn main() -> ExitCode {
    let mut arguments = Arguments::parse();
    let done = match arguments.part.take() {
        // One thread, because it should use little of the machine.
        Some(Part::Sink(options)) => on(&mut Builder::new_current_thread(), sink::server::serve(options)),
        None => on(&mut Builder::new_multi_thread(), run(arguments)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn on(runtime: &mut Builder, work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = runtime.enable_all().build()?;
    let done = runtime.block_on(work);
    // The thread that reads standard input may wait without end.
    runtime.shutdown_background();
    done
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    for name in &arguments.only {
        let names: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
        anyhow::ensure!(names.contains(&name.as_str()), "no work is called {name}; there are {names:?}");
    }
    let bench = Bench::start(&arguments).await?;
    let mut report = Report::new(&machine::versions(&bench.postgres_version().await?)?)?;
    for work in WORKS {
        if arguments.only.is_empty() || arguments.only.iter().any(|name| name == work.name) {
            let section = (work.measure)(&bench).await.with_context(|| work.name)?;
            report.add(section)?;
        }
    }
    match &arguments.write {
        Some(file) => report.write(file),
        None => Ok(()),
    }
}

//! Measures the service: `cargo run --release -p bench`.
//!
//! Starts a throwaway Postgres (with fsync), a Redis, an SMTP sink and the binaries beside its own, runs each
//! comparison by turns in the same run, and prints medians with their spread. It builds nothing itself.

mod hash;
mod http;
mod machine;
mod people;
mod report;
mod sink;
mod system;
mod works;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;
use crate::works::{Bench, WORKS};

/// Measures the service with servers of its own, and ends them.
#[derive(Parser, Debug)]
#[command(name = "bench", version)]
struct Arguments {
    /// Only the work with this name; may be given several times.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// How often each figure is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// The folder with the binaries to be measured; the one with this program when not given.
    #[arg(long, value_name = "DIR")]
    bin: Option<PathBuf>,
    /// Tiny numbers: shows within seconds that everything runs. The figures mean nothing.
    #[arg(long)]
    smoke: bool,
    /// Writes the tables between the two marks of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "smoke")]
    write: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    for name in &arguments.only {
        let names: Vec<&str> = WORKS.iter().map(|work| work.name).collect();
        anyhow::ensure!(names.contains(&name.as_str()), "no work is called {name}; there are {names:?}");
    }
    let bench = Bench::start(&arguments).await?;
    let mut report = Report::new()?;
    for work in WORKS {
        if arguments.only.is_empty() || arguments.only.iter().any(|name| name == work.name) {
            report.add((work.measure)(&bench).await?)?;
        }
    }
    match &arguments.write {
        Some(file) => report.write(file),
        None => Ok(()),
    }
}

//! What the program is called with.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::sink::server::Options;

/// Measures the service with servers of its own, and ends them.
#[derive(Parser, Debug)]
#[command(name = "bench", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) part: Option<Part>,
    /// Only the works with these names.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// How often each figure is measured.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) runs: u16,
    /// The folder with the binaries to be measured; the one with this program when not given.
    #[arg(long, value_name = "DIR")]
    pub(crate) bin: Option<PathBuf>,
    /// Measures the systems in this folder, too (see peer.rs for what it must hold).
    #[arg(long, value_name = "DIR")]
    pub(crate) peer: Option<PathBuf>,
    /// Where the peers' packages are installed and kept; a temporary folder when not given.
    #[arg(long, value_name = "DIR", requires = "peer")]
    pub(crate) cache: Option<PathBuf>,
    /// A million rows where otherwise a hundred thousand serve.
    #[arg(long)]
    pub(crate) full: bool,
    /// Tiny numbers, to see within seconds that everything runs. The figures have no meaning.
    #[arg(long)]
    pub(crate) smoke: bool,
    /// Writes the tables between the two marks of this file.
    #[arg(long, value_name = "FILE", conflicts_with = "smoke")]
    pub(crate) write: Option<PathBuf>,
}

/// What this program starts itself again for.
#[derive(Subcommand, Debug)]
pub(crate) enum Part {
    /// The mail server that the systems are measured with.
    #[command(hide = true)]
    Sink(Options),
}

//! A throwaway Postgres for a run of all tests: prints its URL, and runs until its standard input is closed.
#![allow(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::io::Read;

use bookly_e2e::postgres::Postgres;
use clap::Parser;

/// A throwaway Postgres for a run of all tests: prints its URL, and runs until its standard input is closed.
#[derive(Parser)]
struct Arguments {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments {} = Arguments::parse();
    let server = Postgres::start().await?;
    println!("{}", server.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

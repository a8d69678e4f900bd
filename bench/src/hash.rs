//! What the password hash alone gives: the limit of every sign-up.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use argon2::{Argon2, Block};

use crate::machine;

/// Hashes alone, a thread per core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hashes {
    /// How many.
    pub(crate) count: f64,
    /// In so many seconds.
    pub(crate) seconds: f64,
    /// For so many milliseconds of CPU.
    pub(crate) cpu_ms: f64,
}

/// Hashes for `time` with a thread on each core: the service's call and its parameters, in memory that is kept.
pub(crate) async fn on_all_cores(time: Duration) -> anyhow::Result<Hashes> {
    let meter = machine::Meter::start()?;
    let threads: Vec<_> =
        (0..machine::cores()).map(|_| tokio::task::spawn_blocking(move || hash_for(time))).collect();
    let mut count = 0.0;
    for thread in threads {
        count += thread.await??.len() as f64;
    }
    let used = meter.read()?;
    Ok(Hashes { count, seconds: used.seconds, cpu_ms: used.cpu_ms(&["bench"]) })
}

/// How long single hashes take on an otherwise idle machine, in milliseconds.
pub(crate) async fn alone(time: Duration) -> anyhow::Result<Vec<f64>> {
    let took = tokio::task::spawn_blocking(move || hash_for(time)).await??;
    Ok(took.iter().map(|took| took.as_secs_f64() * 1000.0).collect())
}

fn hash_for(time: Duration) -> anyhow::Result<Vec<Duration>> {
    let argon2 = Argon2::default();
    let mut memory = vec![Block::new(); argon2.params().block_count()];
    let (mut took, mut output) = (Vec::new(), [0; 32]);
    let began = Instant::now();
    while began.elapsed() < time || took.is_empty() {
        let asked = Instant::now();
        argon2
            .hash_password_into_with_memory(
                b"a password of usual length",
                b"sixteen bytes of",
                &mut output,
                &mut memory,
            )
            .map_err(|error| anyhow!("argon2: {error}"))?;
        took.push(asked.elapsed());
    }
    Ok(took)
}

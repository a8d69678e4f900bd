//! Polling, for state that sends no event: a row, a file, an exit code. Tests wait in no other way.

use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The longest wait for anything that should happen soon. It is long, so that no test depends on speed.
pub const LIMIT: Duration = Duration::from_secs(60);

const EVERY: Duration = Duration::from_millis(15);

/// Repeats a query until it returns a value.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut ask: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let end = Instant::now() + within;
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if Instant::now() > end {
            bail!("waited {within:?} in vain for {what}");
        }
    }
}

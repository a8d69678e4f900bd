//! The ringer: takes bells from the requests and pushes them to Redis, however long Redis takes.

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::redis_queue::{QueueError, RedisQueue};
use crate::metrics::table::{BELLS_DROPPED, BELLS_RUNG};

/// Bells pushed by one script call. Small, so that many API processes together stay near the cap.
const BATCH: usize = 64;

/// Pushes bells until `stop`, then those that already wait.
pub(super) async fn run(queue: RedisQueue, mut bells: mpsc::Receiver<Uuid>, stop: CancellationToken) {
    let mut redis_is_well = true;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let taken = tokio::select! {
            biased;
            taken = bells.recv_many(&mut batch, BATCH) => taken,
            () = stop.cancelled() => break,
        };
        if taken == 0 {
            break;
        }
        let rung = ring(&queue, &batch).await;
        report(&rung, &mut redis_is_well, batch.len());
        if rung.is_err() {
            // What came in meanwhile would fail as slowly; the relay rings for it when Redis is back.
            let mut dropped = batch.len() as u64;
            while bells.try_recv().is_ok() {
                dropped += 1;
            }
            BELLS_DROPPED.add(dropped, []);
        }
        batch.clear();
    }
}

async fn ring(queue: &RedisQueue, batch: &[Uuid]) -> Result<(), QueueError> {
    let bells = batch.len() as u64;
    if queue.room().await? < batch.len() {
        BELLS_DROPPED.add(bells, []);
        return Ok(());
    }
    queue.push(batch).await?;
    BELLS_RUNG.add(bells, []);
    Ok(())
}

/// One line when Redis goes away and one when it is back, not one a sign-up.
fn report(rung: &Result<(), QueueError>, redis_is_well: &mut bool, bells: usize) {
    match rung {
        Ok(()) if !*redis_is_well => tracing::info!("Redis is back, bells ring again"),
        Err(error) if *redis_is_well => {
            tracing::warn!(%error, bells, "Redis is away; mails wait in the database and the relay rings for them");
        }
        Ok(()) | Err(_) => {}
    }
    *redis_is_well = rung.is_ok();
}

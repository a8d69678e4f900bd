//! The enqueuer: takes bells from the requests and pushes them to Redis, however long Redis takes.

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::PAUSE;
use super::redis::{QueueError, RedisQueue};
use crate::metrics::table::{JOBS_DROPPED, JOBS_ENQUEUED};

/// Mails that one bell rings for. It wakes a worker for everything that is due, and a worker that cannot take all of
/// it passes the bell on.
const BATCH: usize = 1_024;

/// Rings until `stop`, then for what already waits.
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
        let rung = ring(&queue, batch[0]).await;
        report(&rung, &mut redis_is_well, batch.len());
        if rung.is_err() {
            // What came in meanwhile would fail as slowly; the relay rings for it when Redis is back.
            let mut dropped = batch.len() as u64;
            while bells.try_recv().is_ok() {
                dropped += 1;
            }
            JOBS_DROPPED.add(dropped, []);
        }
        batch.clear();
        stop.run_until_cancelled(sleep(PAUSE)).await;
    }
}

/// One of the mails stands for all of them.
async fn ring(queue: &RedisQueue, mail: Uuid) -> Result<(), QueueError> {
    if queue.room().await? == 0 {
        JOBS_DROPPED.add(1, []);
        return Ok(());
    }
    queue.push(&[mail]).await?;
    JOBS_ENQUEUED.add(1, []);
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

//! A steady load of sign-ups from several clients, with a record of every response.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Api, Expect};
use crate::person::Person;
use crate::tally::{Figures, Tally};

/// The shortest time between two requests of a client: errors and closed ports are immediate, and a client without a
/// pause would take the processor from the service.
const PACE: Duration = Duration::from_millis(20);

/// Running clients. Dropping it cancels their requests.
#[derive(Debug)]
pub struct Load {
    shared: Arc<LoadState>,
    clients: JoinSet<()>,
}

/// The results of a load's requests.
#[derive(Debug, Clone, Default)]
pub struct LoadResults {
    /// The addresses whose sign-up was answered with 201.
    pub accepted: Vec<String>,
    /// The time of each of those, in the same order.
    pub took: Vec<Duration>,
    /// Responses other than 201.
    pub refused: Vec<Answer>,
    /// The longest time of a response of any kind.
    pub slowest: Duration,
    /// Requests without a response: nothing was promised.
    pub unanswered: usize,
}

#[derive(Debug)]
struct LoadState {
    apis: Vec<Api>,
    stop: CancellationToken,
    seen: Mutex<LoadResults>,
    changed: watch::Sender<()>,
}

impl Load {
    /// Starts `clients` clients that sign up at these APIs in turn until they are stopped. Each reuses its
    /// connections, as a browser or a proxy does.
    pub fn start(apis: &[Api], clients: usize) -> Load {
        let shared = Arc::new(LoadState {
            apis: apis.to_vec(),
            stop: CancellationToken::new(),
            seen: Mutex::default(),
            changed: watch::Sender::default(),
        });
        let mut at_work = JoinSet::new();
        for client in 0..clients {
            at_work.spawn(sign_up_until_stopped(Arc::clone(&shared), client));
        }
        Load { shared, clients: at_work }
    }

    /// Signs up `count` people with `clients` clients and stops.
    pub async fn of(
        api: &Api,
        count: usize,
        clients: usize,
        within: Duration,
    ) -> anyhow::Result<LoadResults> {
        let load = Load::start(std::slice::from_ref(api), clients);
        load.accepted(count, within).await?;
        load.finish().await
    }

    /// The results so far.
    pub fn so_far(&self) -> LoadResults {
        self.shared.seen().clone()
    }

    /// Waits until at least `count` sign-ups were accepted since the start.
    pub async fn accepted(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        self.until(&format!("{count} sign-ups"), within, |seen| seen.accepted.len() >= count).await
    }

    /// Waits until `count` more sign-ups were accepted.
    pub async fn accepted_more(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        let sofar = self.shared.seen().accepted.len();
        self.accepted(sofar + count, within).await
    }

    /// Waits until the results satisfy a condition.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        enough: impl Fn(&LoadResults) -> bool,
    ) -> anyhow::Result<()> {
        let mut changed = self.shared.changed.subscribe();
        let search = async {
            while !enough(&self.shared.seen()) {
                changed.changed().await?;
            }
            anyhow::Ok(())
        };
        let missing = || {
            let seen = self.shared.seen();
            let (accepted, refused) = (seen.accepted.len(), seen.refused.len());
            let last = seen.refused.last();
            format!("waited {within:?} for {what}: {accepted} accepted, {refused} refused, last {last:?}")
        };
        timeout(within, search).await.with_context(missing)?
    }

    /// Waits for the requests in flight and returns the results.
    pub async fn finish(mut self) -> anyhow::Result<LoadResults> {
        self.shared.stop.cancel();
        while let Some(ended) = self.clients.join_next().await {
            ended.context("a client of the load")?;
        }
        Ok(self.so_far())
    }
}

impl LoadResults {
    /// Waits for the emails and compares them with the accepted sign-ups. No email may have failed either: the
    /// faults during a load do not concern a single email.
    pub async fn settle(&self, tally: Tally<'_>) -> anyhow::Result<Figures> {
        self.accepted.iter().for_each(|address| tally.accept(address));
        let figures = tally.settle().await?;
        ensure!(figures.failed == 0, "given up: {figures:?}");
        ensure!(figures.accepted > 0, "nothing was accepted, so nothing was tried");
        Ok(figures)
    }

    /// The median time of accepted sign-ups, from the `first`-th on.
    pub fn median_from(&self, first: usize) -> Duration {
        let mut took = self.took.get(first..).unwrap_or_default().to_vec();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }

    /// Expects that every error was the contract's 503, with `Retry-After` and the error body.
    pub fn only_unavailable(&self) -> anyhow::Result<()> {
        for answer in &self.refused {
            ensure!(answer.status == 503, "not 503: {answer:?}");
            let seconds: Option<u64> = answer.header("retry-after").parse().ok();
            ensure!(seconds.is_some_and(|seconds| seconds > 0), "no Retry-After: {answer:?}");
            ensure!(answer.json()?["error_code"] == "unavailable", "another body: {answer:?}");
        }
        Ok(())
    }
}

impl LoadState {
    fn seen(&self) -> MutexGuard<'_, LoadResults> {
        self.seen.lock()
    }

    fn record(&self, person: Person, answer: anyhow::Result<Answer>, took: Duration) {
        let mut seen = self.seen();
        match answer {
            Ok(answer) if answer.status == 201 => {
                seen.accepted.push(person.email);
                seen.took.push(took);
            }
            Ok(answer) => seen.refused.push(answer),
            Err(_) => seen.unanswered += 1,
        }
        seen.slowest = seen.slowest.max(took);
        drop(seen);
        self.changed.send_replace(());
    }
}

async fn sign_up_until_stopped(shared: Arc<LoadState>, client: usize) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for api in shared.apis.iter().cycle().skip(client) {
        pace.tick().await;
        if shared.stop.is_cancelled() {
            return;
        }
        let person = Person::new();
        let asked = Instant::now();
        let answer = api.post("/auth/signup").json(&person).answer().await;
        shared.record(person, answer, asked.elapsed());
    }
}

//! A steady stream of sign-ups from several clients, which remembers what was promised to whom.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Api, Expect};
use crate::person::Person;
use crate::tally::{Figures, Tally};

/// A client sends its next request no sooner than this after the last one: refusals and closed ports are
/// answered at once, and a client that asks as fast as it can would leave the service no processor.
const PACE: Duration = Duration::from_millis(20);

/// Clients at work. Dropping it stops them in the middle of their requests.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<()>,
}

/// What became of a load's requests.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The addresses whose sign-up was answered with 201.
    pub accepted: Vec<String>,
    /// How long each of those took, in the same order.
    pub took: Vec<Duration>,
    /// Answers that were not 201.
    pub refused: Vec<Answer>,
    /// The longest wait for an answer of any kind.
    pub slowest: Duration,
    /// Requests that ended without an answer: nobody promised anything.
    pub unanswered: usize,
}

#[derive(Debug)]
struct Shared {
    apis: Vec<Api>,
    stop: CancellationToken,
    seen: Mutex<Seen>,
    changed: watch::Sender<()>,
}

impl Load {
    /// Starts `clients` clients, who sign up at these APIs by turns until they are stopped. Each keeps its
    /// connections, as a browser or a proxy would.
    pub fn start(apis: &[Api], clients: usize) -> Load {
        let shared = Arc::new(Shared {
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
    ///
    /// # Errors
    /// When the sign-ups do not come through `within` the time.
    pub async fn of(api: &Api, count: usize, clients: usize, within: Duration) -> anyhow::Result<Seen> {
        let load = Load::start(std::slice::from_ref(api), clients);
        load.accepted(count, within).await?;
        load.finish().await
    }

    /// What has happened so far.
    pub fn so_far(&self) -> Seen {
        self.shared.seen().clone()
    }

    /// Waits until at least `count` sign-ups were accepted since the start.
    ///
    /// # Errors
    /// When they are not `within` the time.
    pub async fn accepted(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        self.until(&format!("{count} sign-ups"), within, |seen| seen.accepted.len() >= count).await
    }

    /// Waits until as many more sign-ups were accepted as `count` says.
    ///
    /// # Errors
    /// When they are not `within` the time.
    pub async fn accepted_more(&self, count: usize, within: Duration) -> anyhow::Result<()> {
        let sofar = self.shared.seen().accepted.len();
        self.accepted(sofar + count, within).await
    }

    /// Waits until what was seen is enough.
    ///
    /// # Errors
    /// When it is not `within` the time.
    pub async fn until(
        &self,
        what: &str,
        within: Duration,
        enough: impl Fn(&Seen) -> bool,
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

    /// Lets the requests under way end and takes what was seen.
    ///
    /// # Errors
    /// When a client broke down.
    pub async fn finish(mut self) -> anyhow::Result<Seen> {
        self.shared.stop.cancel();
        while let Some(ended) = self.clients.join_next().await {
            ended.context("a client of the load")?;
        }
        Ok(self.so_far())
    }
}

impl Seen {
    /// Holds what was accepted against what arrived, once it has. Nothing may have been given up either: the
    /// faults that a load goes through are none of its mails'.
    ///
    /// # Errors
    /// See [`Tally::settle`].
    pub async fn settle(&self, tally: Tally<'_>) -> anyhow::Result<Figures> {
        self.accepted.iter().for_each(|address| tally.accept(address));
        let figures = tally.settle().await?;
        ensure!(figures.failed == 0, "given up: {figures:?}");
        ensure!(figures.accepted > 0, "nothing was accepted, so nothing was tried");
        Ok(figures)
    }

    /// The middle one of the times that accepted sign-ups took, from the `first`-th on.
    pub fn median_from(&self, first: usize) -> Duration {
        let mut took = self.took.get(first..).unwrap_or_default().to_vec();
        took.sort_unstable();
        took.get(took.len() / 2).copied().unwrap_or_default()
    }

    /// Expects that every refusal was the contract's 503: `Retry-After` and the error's body.
    ///
    /// # Errors
    /// Names the first that was not.
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

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
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

async fn sign_up_until_stopped(shared: Arc<Shared>, client: usize) {
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

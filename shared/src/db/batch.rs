//! Questions to the database that many mails have at the same time, asked as one.
//!
//! While one statement runs, further questions gather, and the next statement takes them all: when mail is scarce
//! nobody waits for company, and the more there is, the less each costs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::held_connection::HeldConnection;
use super::{Db, DbError, DbResult};

/// The most questions of one statement: it stays short.
const LARGEST: usize = 128;
/// A connection that went silent is given up this soon, so that the next statement, on another one, is asked well
/// within a lease.
const LIMIT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next question.
const KEEP: Duration = Duration::from_secs(1);

/// A question that can be asked for several mails at once.
pub trait BatchOperation: Send + Sync + 'static {
    /// For one mail.
    type Item: Send + Sync + 'static;
    /// For one mail.
    type Answer: Send + 'static;

    /// One answer for each question, in their order.
    fn ask(
        &self,
        db: &mut HeldConnection,
        questions: &[Self::Item],
    ) -> impl Future<Output = DbResult<Vec<Self::Answer>>> + Send;
}

/// Asks in groups.
#[derive(Debug)]
pub struct Batcher<G: BatchOperation>(mpsc::UnboundedSender<Asked<G>>);

#[derive(Debug)]
struct Asked<G: BatchOperation> {
    question: G::Item,
    answer: oneshot::Sender<Result<G::Answer, Arc<DbError>>>,
}

impl<G: BatchOperation> Batcher<G> {
    /// Begins, on the current tokio runtime; ends with the group.
    pub fn new(db: Db, how: G) -> Batcher<G> {
        // Bounded by the mails in flight: each asks one question at a time.
        let (asked, questions) = mpsc::unbounded_channel();
        tokio::spawn(async move { Lane { db, how, kept: None }.serve(questions).await });
        Batcher(asked)
    }

    /// # Errors
    /// The database's. One that is away, or silent for five seconds, fails all that were asked at the time.
    pub async fn ask(&self, question: G::Item) -> Result<G::Answer, Arc<DbError>> {
        let (answer, answered) = oneshot::channel();
        let _ = self.0.send(Asked { question, answer });
        // Nobody answers only when the runtime ends.
        answered.await.unwrap_or_else(|_| Err(Arc::new(DbError::silent())))
    }
}

/// One statement at a time, on a connection that is kept while there is something to ask.
struct Lane<G> {
    db: Db,
    how: G,
    kept: Option<HeldConnection>,
}

impl<G: BatchOperation> Lane<G> {
    async fn serve(mut self, mut asked: mpsc::UnboundedReceiver<Asked<G>>) {
        let mut group = Vec::new();
        loop {
            let soon = timeout(KEEP, asked.recv_many(&mut group, LARGEST)).await;
            let taken = match soon {
                Ok(taken) => taken,
                Err(_) => {
                    self.kept = None;
                    asked.recv_many(&mut group, LARGEST).await
                }
            };
            if taken == 0 {
                return;
            }
            self.answer(group.drain(..)).await;
        }
    }

    async fn answer(&mut self, group: impl Iterator<Item = Asked<G>>) {
        let (questions, askers): (Vec<_>, Vec<_>) = group.map(|asked| (asked.question, asked.answer)).unzip();
        match self.ask(&questions).await {
            Ok(answers) => {
                askers.into_iter().zip(answers).for_each(|(asker, answer)| tell(asker, Ok(answer)))
            }
            // One that the database refuses must not be the others' end.
            Err(error) if !error.is_unavailable() && questions.len() > 1 => {
                for (question, asker) in questions.iter().zip(askers) {
                    let alone = self.ask(std::slice::from_ref(question)).await;
                    let answer =
                        alone.and_then(|answers| answers.into_iter().next().ok_or_else(DbError::silent));
                    tell(asker, answer.map_err(Arc::new));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                askers.into_iter().for_each(|asker| tell(asker, Err(error.clone())));
            }
        }
    }

    /// A connection that was kept may have ended since: then a fresh one is asked, once.
    async fn ask(&mut self, questions: &[G::Item]) -> DbResult<Vec<G::Answer>> {
        let was_kept = self.kept.is_some();
        match self.ask_once(questions).await {
            Err(error) if was_kept && error.is_unavailable() => self.ask_once(questions).await,
            asked => asked,
        }
    }

    async fn ask_once(&mut self, questions: &[G::Item]) -> DbResult<Vec<G::Answer>> {
        let asked = async {
            let mut kept = match self.kept.take() {
                Some(kept) => kept,
                None => self.db.keep().await?,
            };
            let answers = self.how.ask(&mut kept, questions).await?;
            // Not after an error: nobody knows what state it left behind.
            self.kept = Some(kept);
            Ok(answers)
        };
        timeout(LIMIT, asked).await.unwrap_or_else(|_| Err(DbError::silent()))
    }
}

/// One value of each row, as Postgres' `unnest` takes them.
pub(super) fn column<'a, Q, T>(rows: &'a [Q], of: impl Fn(&'a Q) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Whoever asked may have gone since.
fn tell<A>(asker: oneshot::Sender<A>, answer: A) {
    let _ = asker.send(answer);
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers; says which it was asked at once, refuses 13, and waits for leave.
    #[derive(Debug, Clone)]
    struct Doubling {
        groups: Arc<Mutex<Vec<Vec<u32>>>>,
        leave: Arc<Semaphore>,
    }

    impl BatchOperation for Doubling {
        type Item = u32;
        type Answer = u32;

        async fn ask(&self, _: &mut HeldConnection, questions: &[u32]) -> DbResult<Vec<u32>> {
            self.groups.lock().unwrap().push(questions.to_vec());
            self.leave.acquire().await.unwrap().forget();
            if questions.contains(&13) {
                return Err(DbError::from(sqlx::Error::RowNotFound));
            }
            Ok(questions.iter().map(|question| question * 2).collect())
        }
    }

    async fn doubling(leave: usize) -> (Doubling, Batcher<Doubling>, tempfile::TempDir) {
        let how = Doubling { groups: Arc::default(), leave: Arc::new(Semaphore::new(leave)) };
        let folder = tempfile::tempdir().unwrap();
        let group = Batcher::new(Db::sqlite(folder.path()).await.unwrap(), how.clone());
        (how, group, folder)
    }

    #[tokio::test]
    async fn what_is_asked_meanwhile_is_asked_together_afterwards() {
        let (how, group, _folder) = doubling(0).await;
        let later = async {
            while how.groups.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            let leave = async { how.leave.add_permits(2) };
            tokio::join!(group.ask(1), group.ask(2), group.ask(3), leave)
        };
        let (first, (one, two, three, ())) = tokio::join!(group.ask(7), later);
        assert_eq!([first, one, two, three].map(Result::unwrap), [14, 2, 4, 6]);
        assert_eq!(*how.groups.lock().unwrap(), [vec![7], vec![1, 2, 3]]);
    }

    #[tokio::test]
    async fn one_that_is_refused_does_not_fail_the_others() {
        let (_how, group, _folder) = doubling(100).await;
        let (good, bad, other) = tokio::join!(group.ask(1), group.ask(13), group.ask(2));
        assert_eq!((good.unwrap(), other.unwrap()), (2, 4));
        assert!(bad.is_err());
    }
}

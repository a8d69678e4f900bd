use tokio::sync::Semaphore;

use super::*;
use crate::db::Db;

/// Doubles numbers. Records each batch, refuses 13, and waits for a permit.
#[derive(Debug, Clone)]
struct Doubling {
    batches: Arc<Mutex<Vec<Vec<u32>>>>,
    permits: Arc<Semaphore>,
}

impl BatchOperation for Doubling {
    type Item = u32;
    type Output = u32;

    async fn run(&self, _: &mut HeldConnection, items: &[u32]) -> DbResult<Vec<u32>> {
        self.batches.lock().push(items.to_vec());
        self.permits.acquire().await.unwrap().forget();
        if items.contains(&13) {
            return Err(DbError::from(sqlx::Error::RowNotFound));
        }
        Ok(items.iter().map(|item| item * 2).collect())
    }
}

async fn doubling(permits: usize) -> (Doubling, Batcher<Doubling>, tempfile::TempDir) {
    let operation = Doubling { batches: Arc::default(), permits: Arc::new(Semaphore::new(permits)) };
    let folder = tempfile::tempdir().unwrap();
    let db = Db::sqlite(folder.path()).await.unwrap();
    (operation.clone(), Batcher::new(db.pools, operation), folder)
}

#[tokio::test]
async fn items_that_come_while_a_batch_runs_form_the_next_batch() {
    let (operation, batcher, _folder) = doubling(0).await;
    let later = async {
        while operation.batches.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        let permit = async { operation.permits.add_permits(2) };
        tokio::join!(batcher.run(1), batcher.run(2), batcher.run(3), permit)
    };
    let (first, (one, two, three, ())) = tokio::join!(batcher.run(7), later);
    assert_eq!([first, one, two, three].map(Result::unwrap), [14, 2, 4, 6]);
    assert_eq!(*operation.batches.lock(), [vec![7], vec![1, 2, 3]]);
}

#[tokio::test]
async fn an_item_of_a_task_that_is_ready_joins_the_batch() {
    let (operation, batcher, _folder) = doubling(100).await;
    let batcher = Arc::new(batcher);
    assert_eq!(batcher.run(7).await.unwrap(), 14);
    let other = batcher.clone();
    let later = async { tokio::spawn(async move { other.run(2).await }).await.unwrap() };
    let (one, two) = tokio::join!(batcher.run(1), later);
    assert_eq!([one, two].map(Result::unwrap), [2, 4]);
    assert_eq!(*operation.batches.lock(), [vec![7], vec![1, 2]]);
}

#[tokio::test]
async fn a_refused_item_does_not_fail_the_others() {
    let (_operation, batcher, _folder) = doubling(100).await;
    let (good, bad, other) = tokio::join!(batcher.run(1), batcher.run(13), batcher.run(2));
    assert_eq!((good.unwrap(), other.unwrap()), (2, 4));
    assert!(bad.is_err());
}

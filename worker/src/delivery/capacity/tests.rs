//! How many emails are in delivery, and how many are claimed ahead of them.

use super::*;

/// Longer than a busy machine keeps a task waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// As many as there are without waiting.
fn all(capacity: &Capacity) -> Vec<DeliveryPermit> {
    std::iter::from_fn(|| capacity.try_acquire()).collect()
}

/// The server answers at once, also on a busy machine.
async fn answer_at_once(permit: &DeliveryPermit) {
    answered_at_once(permit.start_sending().await);
}

fn answered_at_once(mut sending: SendingPermit) {
    sending.began = Instant::now() + PATIENCE;
}

#[tokio::test]
async fn nothing_is_prefetched_before_the_server_is_known_to_be_fast() {
    let capacity = Capacity::new(3, MailServer::First);
    let mut permits = all(&capacity);
    assert_eq!(permits.len(), 3);
    drop(permits.pop().unwrap().answered());
    assert_eq!(all(&capacity).len(), 1);
}

#[tokio::test]
async fn emails_are_prefetched_for_a_fast_server_and_no_more_are_sent_at_once() {
    let capacity = Capacity::new(3, MailServer::First);
    answer_at_once(&capacity.acquire().await).await;
    let permits = all(&capacity);
    assert_eq!(permits.len(), 12);
    let sending = [
        permits[0].start_sending().await,
        permits[1].start_sending().await,
        permits[2].start_sending().await,
    ];
    assert!(timeout(Duration::from_millis(20), permits[3].start_sending()).await.is_err());
    drop(sending);
    drop(permits[3].start_sending().await);
}

#[tokio::test]
async fn the_prefetch_of_a_high_concurrency_is_limited() {
    let capacity = Capacity::new(1024, MailServer::First);
    answer_at_once(&capacity.acquire().await).await;
    assert_eq!(all(&capacity).len(), 1024 + usize::from(MAX_PREFETCH));
}

#[tokio::test]
async fn nothing_more_is_prefetched_once_the_server_is_slow() {
    let capacity = Capacity::new(3, MailServer::First);
    answer_at_once(&capacity.acquire().await).await;
    let mut permits = all(&capacity);
    let mut slow = permits[0].start_sending().await;
    slow.began -= 2 * FAST_SERVER;
    drop(slow);
    for left in (0..12).rev() {
        drop(permits.pop().unwrap().answered());
        assert_eq!(capacity.try_acquire().is_some(), left < 3, "{left} permits are in use");
    }
}

#[tokio::test]
async fn a_quarter_is_never_given_to_bulk() {
    for (concurrency, for_bulk) in [(1, 1), (2, 1), (4, 3), (5, 3), (16, 12)] {
        let capacity = Capacity::new(concurrency, MailServer::First);
        assert_eq!(capacity.for_bulk(), for_bulk, "of {concurrency}");
        let bulk: Vec<_> = (0..for_bulk).map(|_| capacity.take_for_bulk().unwrap()).collect();
        assert_eq!(capacity.for_bulk(), 0);
        assert_eq!(all(&capacity).len(), usize::from(concurrency), "other emails are not limited by bulk");
        drop(bulk);
        assert_eq!(capacity.for_bulk(), for_bulk);
    }
}

#[tokio::test]
async fn prefetched_bulk_does_not_stand_before_another_email() {
    let capacity = Capacity::new(4, MailServer::First);
    answer_at_once(&capacity.acquire().await).await;
    let mut permits = all(&capacity);
    let mut urgent = permits.split_off(capacity.for_bulk());
    assert_eq!((permits.len(), urgent.len()), (15, 1));
    for permit in &mut permits {
        permit.bulk = capacity.take_for_bulk();
    }
    let sending = [
        permits[0].start_sending().await,
        permits[1].start_sending().await,
        permits[2].start_sending().await,
    ];
    let fourth = permits[3].start_sending();
    tokio::pin!(fourth);
    assert!(timeout(Duration::from_millis(20), &mut fourth).await.is_err(), "a fourth bulk email is sent");
    drop(urgent.remove(0).start_sending().await);
    drop(sending);
    drop(fourth.await);
}

#[tokio::test]
async fn while_more_capacity_for_bulk_is_waited_for_other_emails_find_what_is_free() {
    for concurrency in [1, 4] {
        let capacity = Capacity::new(concurrency, MailServer::First);
        answer_at_once(&capacity.acquire().await).await;
        let mut permits = all(&capacity);
        permits.truncate(capacity.for_bulk());
        for permit in &mut permits {
            permit.bulk = capacity.take_for_bulk();
        }
        drop(permits.pop());
        capacity.wait_for_bulk(true).await;
        tokio::select! {
            biased;
            () = capacity.wait_for_bulk(false) => panic!("more than one may be waited for"),
            _ = capacity.acquire() => {}
        }
    }
}

#[tokio::test]
async fn an_email_for_the_other_server_takes_a_place_there_and_none_here() {
    let [first, second] = Capacity::of_two(1);
    let mut hangs = first.acquire().await;
    let sending = hangs.start_sending_to_other().unwrap();
    let mut next = first.acquire().await;
    assert!(next.start_sending_to_other().is_none(), "the other server has capacity for one");
    answered_at_once(timeout(PATIENCE, next.start_sending()).await.unwrap());
    answered_at_once(sending);
    drop(next);
    assert_eq!((all(&first).len(), all(&second).len()), (4, 4), "both are fast");
    let [slow, _] = Capacity::of_two(1);
    let mut permit = slow.acquire().await;
    drop(permit.start_sending_to_other());
    assert_eq!(all(&slow).len(), 1, "how fast the other server is says nothing about this one");
}

#[tokio::test]
async fn a_place_that_is_not_used_does_not_show_how_fast_the_server_is() {
    let capacity = Capacity::new(3, MailServer::First);
    capacity.acquire().await.start_sending().await.give_back();
    assert_eq!(all(&capacity).len(), 3);
}

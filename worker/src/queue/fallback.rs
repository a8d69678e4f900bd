//! Claims for the fallback, while the first server's circuit is open.

use crate::delivery::capacity::{Capacity, DeliveryPermit};
use crate::delivery::circuit_breaker::{Admission, CircuitBreaker};

/// What claims for the fallback need. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct FallbackPlace {
    /// Of the first server.
    pub(crate) first: CircuitBreaker,
    /// Of the fallback.
    pub(crate) circuit_breaker: CircuitBreaker,
    /// Of the fallback: emails that hang at the first server take none of it.
    pub(crate) capacity: Capacity,
}

impl FallbackPlace {
    /// Waits for `to_first`, or until an email may go to the fallback instead.
    pub(crate) async fn first_or_fallback(
        &self,
        to_first: impl Future<Output = (DeliveryPermit, Admission)>,
    ) -> (DeliveryPermit, Admission) {
        tokio::select! {
            biased;
            admitted = to_first => admitted,
            admitted = self.admit() => admitted,
        }
    }

    /// Waits until one of the servers can get emails, and there is capacity for them. `first_ready`: for the first one.
    pub(crate) async fn ready(&self, first_ready: impl Future<Output = ()>) {
        let ready = async {
            loop {
                self.first.not_closed().await;
                self.circuit_breaker.not_open().await;
                drop(self.capacity.acquire().await);
                if !self.first.is_closed() {
                    return;
                }
            }
        };
        tokio::select! {
            () = first_ready => {}
            () = ready => {}
        }
    }

    async fn admit(&self) -> (DeliveryPermit, Admission) {
        loop {
            self.first.not_closed().await;
            let permit = self.capacity.acquire().await;
            let admission = self.circuit_breaker.admit().await;
            // The first server may have come back meanwhile.
            if !self.first.is_closed() {
                return (permit, admission);
            }
        }
    }
}

#[cfg(test)]
mod tests;

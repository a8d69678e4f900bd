//! Whether the times of two kinds of requests can be distinguished.

use std::fmt;
use std::time::Duration;

/// The times of one kind of request.
#[derive(Debug, Clone)]
pub struct Times {
    pub name: &'static str,
    /// In the order of measurement.
    pub samples: Vec<Duration>,
}

impl Times {
    pub fn of(name: &'static str) -> Times {
        Times { name, samples: Vec::new() }
    }

    /// A quantile of the samples.
    pub fn quantile(&self, share: f64) -> Duration {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index into the samples"
        )]
        let index = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
        sorted.get(index).copied().unwrap_or_default()
    }

    /// The probability that a sample of these is larger than one of the others: the area under the ROC curve, which is the
    /// Mann–Whitney U over all pairs. 0.5: they cannot be distinguished. 0 or 1: one sample is enough.
    pub fn larger_than(&self, others: &Times) -> f64 {
        let pairs =
            self.samples.iter().flat_map(|one| others.samples.iter().map(move |other| one.cmp(other)));
        let halves: u32 = pairs.map(|order| 1 + order as i8).map(|half| u32::from(half.unsigned_abs())).sum();
        f64::from(halves) / (2 * self.samples.len() * others.samples.len()) as f64
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |share: f64| self.quantile(share).as_secs_f64() * 1000.0;
        write!(
            f,
            "{:<22} {:>4} samples, p10 {:>7.2} ms, p50 {:>7.2} ms, p90 {:>7.2} ms",
            self.name,
            self.samples.len(),
            ms(0.1),
            ms(0.5),
            ms(0.9)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: impl IntoIterator<Item = u64>) -> Times {
        Times { name: "x", samples: ms.into_iter().map(Duration::from_millis).collect() }
    }

    #[test]
    fn the_likelihood_counts_pairs_and_ties_for_a_half() {
        for (one, other, likely) in [
            (times([2, 3]), times([1]), 1.0),
            (times([1]), times([2, 3]), 0.0),
            (times([1, 2, 3]), times([1, 2, 3]), 0.5),
            (times([2]), times([1, 2, 3, 3]), 0.375),
        ] {
            assert!((one.larger_than(&other) - likely).abs() < 1e-9, "{one:?} {other:?}");
        }
    }

    #[test]
    fn quantiles_are_samples() {
        let times = times(1..=11);
        let found = [0.0, 0.1, 0.5, 0.9, 1.0].map(|share| times.quantile(share).as_millis());
        assert_eq!(found, [1, 2, 6, 10, 11]);
    }
}

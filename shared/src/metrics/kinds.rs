//! Counters, gauges and histograms with their labels: a wrong number of label values does not compile.

use metrics::{Key, Label, Level, Metadata, SharedString, with_recorder};

static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, None);

/// The description of a metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricRow {
    /// The name, with its unit.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels' names.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets, in seconds; empty for the others.
    pub buckets: &'static [f64],
    /// What it measures, in a sentence.
    pub help: &'static str,
}

/// A metric of any type with any number of labels.
pub trait Metric: Sync {
    /// The row of the table.
    fn row(&'static self) -> MetricRow;
}

#[derive(Debug)]
struct Spec<const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
    help: &'static str,
}

impl<const N: usize> Spec<N> {
    fn key(&self, values: [SharedString; N]) -> Key {
        // Without a value there is no label, which means the same in Prometheus.
        let labels = self.labels.into_iter().zip(values).filter(|(_, value)| !value.is_empty());
        Key::from_parts(self.name, labels.map(|(name, value)| Label::new(name, value)).collect::<Vec<_>>())
    }
}

/// A number of events. It never decreases while the process runs.
#[derive(Debug)]
pub struct Counter<const N: usize>(Spec<N>);

/// A value that increases and decreases.
#[derive(Debug)]
pub struct Gauge<const N: usize>(Spec<N>);

/// Durations, counted in buckets.
#[derive(Debug)]
pub struct Histogram<const N: usize>(Spec<N>, &'static [f64]);

impl<const N: usize> Counter<N> {
    pub(super) const fn new(name: &'static str, labels: [&'static str; N], help: &'static str) -> Self {
        Self(Spec { name, labels, help })
    }

    /// Adds `more` events. 0 creates the series, so that Prometheus sees an increase for the first event.
    pub fn add(&self, more: u64, values: [SharedString; N]) {
        with_recorder(|recorder| {
            recorder.register_counter(&self.0.key(values), &METADATA).increment(more);
        });
    }
}

impl<const N: usize> Gauge<N> {
    pub(super) const fn new(name: &'static str, labels: [&'static str; N], help: &'static str) -> Self {
        Self(Spec { name, labels, help })
    }

    /// Sets the value; NaN for an unknown one.
    pub fn set(&self, value: f64, values: [SharedString; N]) {
        with_recorder(|recorder| recorder.register_gauge(&self.0.key(values), &METADATA).set(value));
    }

    /// Adds 1 until the returned value is dropped.
    #[must_use]
    pub fn count(&self, values: [SharedString; N]) -> Counted {
        let key = self.0.key(values);
        with_recorder(|recorder| recorder.register_gauge(&key, &METADATA).increment(1.0));
        Counted(key)
    }
}

/// Is counted in a gauge until it is dropped.
#[derive(Debug)]
pub struct Counted(Key);

impl Drop for Counted {
    fn drop(&mut self) {
        with_recorder(|recorder| recorder.register_gauge(&self.0, &METADATA).decrement(1.0));
    }
}

impl<const N: usize> Histogram<N> {
    pub(super) const fn new(
        name: &'static str,
        labels: [&'static str; N],
        help: &'static str,
        buckets: &'static [f64],
    ) -> Self {
        Self(Spec { name, labels, help }, buckets)
    }

    /// Records a duration in seconds.
    pub fn record(&self, seconds: f64, values: [SharedString; N]) {
        with_recorder(|recorder| {
            recorder.register_histogram(&self.0.key(values), &METADATA).record(seconds);
        });
    }
}

impl<const N: usize> Metric for Counter<N> {
    fn row(&'static self) -> MetricRow {
        let Spec { name, labels, help } = &self.0;
        MetricRow { name, kind: "counter", labels, buckets: &[], help }
    }
}

impl<const N: usize> Metric for Gauge<N> {
    fn row(&'static self) -> MetricRow {
        let Spec { name, labels, help } = &self.0;
        MetricRow { name, kind: "gauge", labels, buckets: &[], help }
    }
}

impl<const N: usize> Metric for Histogram<N> {
    fn row(&'static self) -> MetricRow {
        let Spec { name, labels, help } = &self.0;
        MetricRow { name, kind: "histogram", labels, buckets: self.1, help }
    }
}

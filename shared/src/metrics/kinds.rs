//! Counters, gauges and histograms that know their labels: a wrong number of label values does not compile.

use metrics::{Key, Label, Level, Metadata, SharedString, with_recorder};

static METADATA: Metadata<'_> = Metadata::new(module_path!(), Level::INFO, None);

/// What describes a metric to Prometheus and to readers.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The name, with its unit.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels' names.
    pub labels: &'static [&'static str],
    /// Upper bounds of a histogram's buckets, in seconds; empty for the others.
    pub buckets: &'static [f64],
    /// What it tells, in a sentence.
    pub help: &'static str,
}

/// A metric of any kind and any number of labels.
pub trait Described: Sync {
    /// Its description.
    fn row(&'static self) -> Row;
    /// Tells the recorder what it is.
    fn describe(&'static self);
}

#[derive(Debug)]
struct Spec<const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
    help: &'static str,
}

impl<const N: usize> Spec<N> {
    fn key(&self, values: [SharedString; N]) -> Key {
        let labels = self.labels.into_iter().zip(values);
        Key::from_parts(self.name, labels.map(|(name, value)| Label::new(name, value)).collect::<Vec<_>>())
    }
}

/// Counts events; never goes down while the process lives.
#[derive(Debug)]
pub struct Counter<const N: usize>(Spec<N>);

/// A value that goes up and down.
#[derive(Debug)]
pub struct Gauge<const N: usize>(Spec<N>);

/// Counts durations by buckets.
#[derive(Debug)]
pub struct Histogram<const N: usize>(Spec<N>, &'static [f64]);

impl<const N: usize> Counter<N> {
    pub(super) const fn new(name: &'static str, labels: [&'static str; N], help: &'static str) -> Self {
        Self(Spec { name, labels, help })
    }

    /// Adds `more` events; 0 makes the series appear, so that its first event is seen as a rise.
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

    /// Sets the value; NaN for one that is not known.
    pub fn set(&self, value: f64, values: [SharedString; N]) {
        with_recorder(|recorder| recorder.register_gauge(&self.0.key(values), &METADATA).set(value));
    }
}

impl Gauge<0> {
    /// One more, until what is returned is dropped.
    #[must_use]
    pub fn count(&'static self) -> Counted {
        with_recorder(|recorder| recorder.register_gauge(&self.0.key([]), &METADATA).increment(1.0));
        Counted(self)
    }
}

/// Counts in a gauge for as long as it lives.
#[derive(Debug)]
pub struct Counted(&'static Gauge<0>);

impl Drop for Counted {
    fn drop(&mut self) {
        with_recorder(|recorder| recorder.register_gauge(&self.0.0.key([]), &METADATA).decrement(1.0));
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

impl<const N: usize> Described for Counter<N> {
    fn row(&'static self) -> Row {
        let Spec { name, labels, help } = &self.0;
        Row { name, kind: "counter", labels, buckets: &[], help }
    }

    fn describe(&'static self) {
        with_recorder(|recorder| recorder.describe_counter(self.0.name.into(), None, self.0.help.into()));
    }
}

impl<const N: usize> Described for Gauge<N> {
    fn row(&'static self) -> Row {
        let Spec { name, labels, help } = &self.0;
        Row { name, kind: "gauge", labels, buckets: &[], help }
    }

    fn describe(&'static self) {
        with_recorder(|recorder| recorder.describe_gauge(self.0.name.into(), None, self.0.help.into()));
    }
}

impl<const N: usize> Described for Histogram<N> {
    fn row(&'static self) -> Row {
        let Spec { name, labels, help } = &self.0;
        Row { name, kind: "histogram", labels, buckets: self.1, help }
    }

    fn describe(&'static self) {
        with_recorder(|recorder| recorder.describe_histogram(self.0.name.into(), None, self.0.help.into()));
    }
}

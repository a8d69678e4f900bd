//! Metrics for Prometheus: the table, the access check and the exporter of `/metrics`.
//!
//! A binary installs the `metrics` crate's recorder once. Without one, in tests and commands, recording does nothing.
//! The crate prometheus-client has no recorder that a test can replace: its counters would be statics that all tests of a
//! process share.

mod access;
mod kinds;
mod sampler;
pub mod table;

use std::time::Duration;

use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};
use tokio_util::sync::CancellationToken;

pub use access::{Access, access, is_from_this_machine};
pub use kinds::{Counted, Counter, Gauge, Histogram, Metric, MetricRow};
pub use sampler::Sampler;

/// The text format's media type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Histograms store every value until this upkeep. Without it the memory of a service that is not scraped would grow.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// The recorder could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A histogram of the table has wrong buckets.
    #[error("the table of metrics is wrong: {0}")]
    Table(#[from] BuildError),
    /// The process already has a recorder.
    #[error("this process already has a metrics recorder")]
    Installed,
}

/// Renders the recorded metrics. Cheap to clone.
#[derive(Clone)]
pub struct Exporter {
    handle: PrometheusHandle,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter").finish_non_exhaustive()
    }
}

impl Exporter {
    /// Installs the recorder of this process. `process` is `api` or `worker`.
    ///
    /// # Errors
    /// When the process already has one.
    pub fn install(process: &'static str) -> Result<Exporter, MetricsError> {
        let (recorder, exporter) = Exporter::detached()?;
        metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Installed)?;
        table::BUILD_INFO.set(1.0, [env!("CARGO_PKG_VERSION").into(), process.into()]);
        Ok(exporter)
    }

    /// A recorder that is not installed, for tests that run side by side, and its exporter.
    ///
    /// # Errors
    /// When the table is wrong.
    pub fn detached() -> Result<(PrometheusRecorder, Exporter), MetricsError> {
        let mut builder = PrometheusBuilder::new();
        for row in table::METRICS.iter().map(|metric| metric.row()) {
            if !row.buckets.is_empty() {
                builder = builder.set_buckets_for_metric(Matcher::Full(row.name.to_owned()), row.buckets)?;
            }
        }
        let recorder = builder.build_recorder();
        metrics::with_local_recorder(&recorder, || {
            table::METRICS.iter().for_each(|metric| describe(&metric.row()));
        });
        let exporter = Exporter { handle: recorder.handle() };
        Ok((recorder, exporter))
    }

    /// All metrics, in Prometheus' text format.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Does the upkeep of the recorder until `stop`.
    pub async fn keep(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(UPKEEP_EVERY)).await.is_some() {
            self.handle.run_upkeep();
        }
    }
}

/// Registers a description with the recorder.
fn describe(row: &MetricRow) {
    match row.kind {
        "counter" => metrics::describe_counter!(row.name, row.help),
        "gauge" => metrics::describe_gauge!(row.name, row.help),
        _ => metrics::describe_histogram!(row.name, row.help),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    /// Records a value for every metric of the table, and renders them.
    fn render_all() -> String {
        let (recorder, exporter) = Exporter::detached().unwrap();
        metrics::with_local_recorder(&recorder, || {
            for row in table::METRICS.iter().map(|metric| metric.row()) {
                let labels: Vec<_> = row.labels.iter().map(|name| metrics::Label::new(*name, "x")).collect();
                match row.kind {
                    "counter" => metrics::counter!(row.name, labels).increment(1),
                    "gauge" => metrics::gauge!(row.name, labels).set(1.0),
                    _ => metrics::histogram!(row.name, labels).record(1.0),
                }
            }
        });
        exporter.render()
    }

    #[test]
    fn every_metric_has_the_description_and_type_of_the_table() {
        let text = render_all();
        for row in table::METRICS.iter().map(|metric| metric.row()) {
            assert!(text.contains(&format!("# HELP {} {}\n", row.name, row.help)), "{}: {text}", row.name);
            assert!(text.contains(&format!("# TYPE {} {}\n", row.name, row.kind)), "{}: {text}", row.name);
        }
    }

    /// Uses Prometheus' own linter where it is installed (Debian's package `prometheus`).
    #[test]
    fn promtool_accepts_names_and_descriptions() {
        let mut check = Command::new("promtool");
        check.args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut promtool) = check.spawn() else {
            eprintln!("skipped: promtool is not installed");
            return;
        };
        promtool.stdin.take().unwrap().write_all(render_all().as_bytes()).unwrap();
        let checked = promtool.wait_with_output().unwrap();
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

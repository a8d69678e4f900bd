//! The worker's metrics: what it records, and the little server that shows it where `METRICS_LISTEN` says.

pub(crate) mod record;
mod serve;

pub(crate) use serve::MetricsServer;

//! The worker's metrics: counters, and the server at `METRICS_LISTEN` that shows them.

pub(crate) mod record;
mod serve;

pub(crate) use serve::MetricsServer;

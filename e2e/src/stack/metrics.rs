//! The metrics of a stack's API.

use anyhow::ensure;

use super::installation::Stack;
use crate::client::Expect;

impl Stack {
    /// The value of a series, by its name with labels; 0 if it does not exist.
    pub async fn metric(&self, series: &str) -> anyhow::Result<f64> {
        let text = self.api().get("//metrics").answer().await?;
        ensure!(text.status == 200, "no metrics: {text:?}");
        let value = text.body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        Ok(value.map_or(Ok(0.0), str::parse)?)
    }
}

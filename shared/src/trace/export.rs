//! The exporter of spans, from the settings: OTLP over HTTP, binary protobuf
//! (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).

use std::collections::HashMap;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SpanProcessor};
use secrecy::ExposeSecret;

use super::client::{CollectorClient, TraceError};
use crate::config::TraceSettings;

/// Batches and exports on a separate thread. OpenTelemetry's `OTEL_BSP_…` set the size and interval of batches, and
/// `OTEL_RESOURCE_ATTRIBUTES` further attributes of the resource.
pub(super) fn processor(
    settings: &TraceSettings,
    process: &'static str,
) -> Result<BatchSpanProcessor, TraceError> {
    let headers = settings.headers.as_ref().map(|headers| pairs(headers.expose_secret()));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(CollectorClient::new(&settings.endpoint, &settings.trust)?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(&settings.endpoint)
        .with_headers(headers.unwrap_or_default())
        .build()?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    let name = settings.service_name.clone().unwrap_or_else(|| process.to_owned());
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    processor.set_resource(&Resource::builder().with_service_name(name).with_attribute(version).build());
    Ok(processor)
}

/// Reads `name=value` pairs, separated by commas, that the settings have checked.
fn pairs(headers: &str) -> HashMap<String, String> {
    let pairs = headers.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

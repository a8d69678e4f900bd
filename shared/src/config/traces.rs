//! The collector of traces. The names are OpenTelemetry's own
//! (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>).

use secrecy::SecretString;
use url::Url;

use super::source::Source;
use super::{table, values};
use crate::tls::Trust;

/// A collector of traces. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct TraceSettings {
    /// The URL for spans, with the path `/v1/traces`.
    pub endpoint: String,
    /// Headers of every request, `name=value` pairs separated by commas, for example the key of a hosted collector.
    pub headers: Option<SecretString>,
    /// The collectors that are trusted, with https.
    pub trust: Trust,
    /// The service's name in traces; the name of the process where it is not set.
    pub service_name: Option<String>,
}

/// `None` where nothing is exported, and where a problem is reported.
pub(super) fn read(source: &mut Source, trust: Option<&Trust>) -> Option<TraceSettings> {
    let endpoint = source.optional(&table::OTEL_EXPORTER_OTLP_ENDPOINT, endpoint);
    let headers = source.secret(&table::OTEL_EXPORTER_OTLP_HEADERS, headers);
    let service_name = source.optional(&table::OTEL_SERVICE_NAME, values::text);
    let endpoint = endpoint?;
    if headers.is_some() && endpoint.starts_with("http://") && !is_on_this_machine(&endpoint) {
        source.warn("OTEL_EXPORTER_OTLP_HEADERS are sent without encryption: use https:// in OTEL_EXPORTER_OTLP_ENDPOINT");
    }
    Some(TraceSettings { endpoint, headers, trust: trust?.clone(), service_name })
}

/// The base URL, to which the path is added. A login is refused, because the endpoint is shown in the log.
fn endpoint(text: &str) -> Result<String, String> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let url = Url::parse(text).ok().filter(is_plain);
    let url = url
        .ok_or("a URL with http:// or https://, without user and query, is needed: http://localhost:4318")?;
    Ok(format!("{}/v1/traces", url.as_str().trim_end_matches('/')))
}

fn is_on_this_machine(endpoint: &str) -> bool {
    Url::parse(endpoint).is_ok_and(|url| url.host().is_some_and(values::is_this_machine))
}

fn headers(text: &str) -> Result<String, String> {
    let is_pair = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            http::HeaderName::try_from(name.trim()).is_ok()
                && http::HeaderValue::try_from(value.trim()).is_ok()
        })
    };
    if text.split(',').all(is_pair) {
        Ok(text.into())
    } else {
        Err("headers as name=value, separated by commas, are needed".into())
    }
}

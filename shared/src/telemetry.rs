//! Logs, on standard error: text on a terminal, JSON elsewhere.
//!
//! Fields hold texts of other servers. What a terminal would obey in them, and what would end the line, is escaped in
//! both formats: tracing-subscriber escapes only some of it, and JSON escapes no C1 control characters.

use std::env;
use std::io::{self, IsTerminal, Write};

use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::domain::printable;

/// Crates that log every query, poll and handshake. A directive matches all targets that begin with it, so `apalis`
/// matches `apalis_redis` too.
const QUIET: &str = "sqlx=warn,apalis=warn,hyper=warn,lettre=warn,rustls=warn";

/// Starts logging. `RUST_LOG` is the filter; without it `default_filter` (`"info"`, for example), with the noisy crates
/// from `WARN`. A second call changes nothing.
pub fn init(default_filter: &str) {
    let (filter, complaint) = filter(env::var("RUST_LOG").ok().as_deref(), default_filter);
    let style = Style::of_stderr();
    // The filter is global, not the layer's: with a filter on the layer, `tracing::enabled!` (which sqlx calls for every
    // query) makes the thread lose its next event.
    // `try_init` fails only when logging has started, as in tests with several applications.
    if Registry::default().with(filter).with(layer(style, io::stderr)).try_init().is_ok()
        && let Some(error) = complaint
    {
        tracing::warn!(%error, "RUST_LOG is not valid, the default filter is used");
    }
}

#[derive(Clone, Copy)]
enum Style {
    Terminal { colours: bool },
    Json,
}

impl Style {
    fn of_stderr() -> Self {
        if !io::stderr().is_terminal() {
            return Self::Json;
        }
        // https://no-color.org: any value but an empty one.
        let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self::Terminal { colours: !no_color }
    }
}

fn filter(rust_log: Option<&str>, default_filter: &str) -> (EnvFilter, Option<String>) {
    let default = || EnvFilter::new(format!("{QUIET},{default_filter}"));
    match rust_log.filter(|text| !text.trim().is_empty()).map(EnvFilter::try_new) {
        None => (default(), None),
        Some(Ok(filter)) => (filter, None),
        Some(Err(error)) => (default(), Some(error.to_string())),
    }
}

fn layer<S, W>(style: Style, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // It would report a closed standard error on standard error, and end the thread by a panic.
    let layer = tracing_subscriber::fmt::layer().log_internal_errors(false);
    let layer = layer.with_writer(PrintableLines { writer, style });
    match style {
        Style::Terminal { colours } => layer.with_ansi(colours).boxed(),
        Style::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

/// What follows the escape character in the colours of the format: no other sequence is left in a line.
const COLOURS: [&str; 9] = ["[0m", "[1m", "[2m", "[3m", "[31m", "[32m", "[33m", "[34m", "[35m"];

fn printable_but_colours(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut shown = printable(parts.next().unwrap_or_default()).into_owned();
    for part in parts {
        let is_colour = COLOURS.iter().any(|colour| part.starts_with(colour));
        shown.push_str(if is_colour { "\u{1b}" } else { "\\u001b" });
        shown.push_str(&printable(part));
    }
    shown
}

/// Makes writers that escape what is not printable in a line.
struct PrintableLines<M> {
    writer: M,
    style: Style,
}

/// Writes one line of the log: the layer writes each line by one call.
struct PrintableLine<W> {
    writer: W,
    style: Style,
}

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for PrintableLines<M> {
    type Writer = PrintableLine<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        PrintableLine { writer: self.writer.make_writer(), style: self.style }
    }
}

impl<W: Write> Write for PrintableLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        let text = line.strip_suffix('\n').unwrap_or(&line);
        let mut shown = match self.style {
            Style::Terminal { colours: true } => printable_but_colours(text),
            Style::Terminal { colours: false } | Style::Json => printable(text).into_owned(),
        };
        shown.push_str(&line[text.len()..]);
        self.writer.write_all(shown.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::domain::has_control_characters;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(rust_log: Option<&str>, style: Style, events: impl FnOnce()) -> String {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let logs = Registry::default().with(filter(rust_log, "info").0);
        tracing::subscriber::with_default(logs.with(layer(style, move || writer.clone())), events);
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const PLAIN: Style = Style::Terminal { colours: false };

    #[test]
    fn noisy_crates_log_warnings_only_unless_rust_log_is_set() {
        let events = || {
            tracing::info!("ours");
            tracing::info!(target: "apalis_redis::x", "poll");
            tracing::info!(target: "sqlx::query", "select");
        };
        let text = logged(None, PLAIN, events);
        assert!(text.contains("ours") && !text.contains("poll") && !text.contains("select"), "{text}");
        let text = logged(Some("sqlx=info"), PLAIN, events);
        assert!(text.contains("select") && !text.contains("ours"), "{text}");
    }

    #[test]
    fn a_line_is_one_json_object_with_the_fields_of_the_innermost_span() {
        let text = logged(None, Style::Json, || {
            tracing::info_span!("request", id = "r-1").in_scope(|| tracing::info!(kind = "welcome", "sent"));
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&line["message"], &line["kind"]), (&"sent".into(), &"welcome".into()));
        assert_eq!(line["span"]["id"], "r-1");
    }

    #[test]
    fn a_text_from_outside_forges_no_line_and_moves_no_cursor() {
        let text = "a\u{1b}[2J\u{9b}1A\rb\nc\u{202e}d\u{2028}\u{7f}";
        let event = || {
            tracing::info_span!("s", outer = %text).in_scope(|| tracing::info!(%text, error = text, "{text}"))
        };
        for style in [PLAIN, Style::Terminal { colours: true }, Style::Json] {
            let line = logged(None, style, event);
            let line = line.strip_suffix('\n').unwrap();
            // Nothing but the colours of the format, which end in `m`, begins with an escape character.
            let parts = line.split('\u{1b}').enumerate();
            let colours = |(index, part): (usize, &str)| match part
                .strip_prefix('[')
                .and_then(|rest| rest.split_once('m'))
            {
                Some((digits, rest)) if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b';') => {
                    rest.to_owned()
                }
                _ => {
                    assert_eq!(index, 0, "{line:?}");
                    part.to_owned()
                }
            };
            let text: String = parts.map(colours).collect();
            assert!(!has_control_characters(&text), "{line:?}");
        }
        let json: serde_json::Value = serde_json::from_str(&logged(None, Style::Json, event)).unwrap();
        assert_eq!(json["text"], text, "a program reads the text as it was");
    }

    #[test]
    fn tracing_enabled_loses_no_event() {
        let events = || {
            for n in 0..2 {
                assert!(!tracing::enabled!(target: "sqlx::query", tracing::Level::DEBUG));
                tracing::info!(n, "sent");
            }
        };
        assert_eq!(logged(None, PLAIN, events).lines().count(), 2);
    }

    #[test]
    fn colours_are_for_terminals() {
        let event = || tracing::info!("sent");
        assert!(!logged(None, PLAIN, event).contains('\u{1b}'));
        assert!(logged(None, Style::Terminal { colours: true }, event).contains('\u{1b}'));
    }

    #[test]
    fn an_invalid_filter_is_reported_and_replaced() {
        assert!(filter(Some("a=b=c"), "info").1.is_some());
        assert!(filter(Some(" "), "info").1.is_none());
    }

    #[test]
    fn a_second_start_does_not_panic() {
        init("info");
        init("debug");
    }
}

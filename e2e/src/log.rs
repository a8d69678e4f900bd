//! The output of a process, line by line: in memory, in a file, and awaited.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::watch;

#[derive(Debug)]
pub struct Log {
    lines: Mutex<Vec<String>>,
    grown: watch::Sender<Grown>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Grown {
    lines: usize,
    ended: bool,
}

impl Log {
    /// Reads a pipe to its end on a thread of its own, and copies it to a file.
    pub fn follow(pipe: impl Read + Send + 'static, copy: &Path) -> anyhow::Result<Arc<Log>> {
        let mut copy = File::options().create(true).append(true).open(copy).context("the log's file")?;
        let log = Arc::new(Log { lines: Mutex::default(), grown: watch::Sender::default() });
        let filled = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                // The copy is only for people, so an error does not matter.
                let _ = copy.write_all(&line);
                filled.push(String::from_utf8_lossy(&line).trim_end().to_owned());
                line.clear();
            }
            filled.grown.send_modify(|grown| grown.ended = true);
        });
        Ok(log)
    }

    fn push(&self, line: String) {
        let mut lines = self.lines.lock();
        lines.push(line);
        let count = lines.len();
        drop(lines);
        self.grown.send_modify(|grown| grown.lines = count);
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().clone()
    }

    /// The lines so far that are JSON objects.
    pub fn events(&self) -> Vec<Value> {
        self.lines.lock().iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The whole log as one text.
    pub fn text(&self) -> String {
        self.lines.lock().join("\n")
    }

    /// Waits for a line, from the beginning of the log.
    pub async fn line(&self, within: Duration, wanted: impl Fn(&str) -> bool) -> anyhow::Result<String> {
        let mut grown = self.grown.subscribe();
        let mut seen = 0;
        let search = async {
            loop {
                let now = *grown.borrow_and_update();
                if let Some(line) = self.lines.lock().iter().skip(seen).find(|line| wanted(line)) {
                    return Ok(line.clone());
                }
                seen = now.lines;
                if now.ended {
                    return Err(anyhow!("the log ended without the line; it was:\n{}", self.text()));
                }
                grown.changed().await?;
            }
        };
        let found = tokio::time::timeout(within, search).await;
        found.map_err(|_| anyhow!("waited {within:?} in vain for a line in this log:\n{}", self.text()))?
    }

    /// Waits until the process has closed its log.
    pub async fn ended(&self, within: Duration) -> anyhow::Result<()> {
        let mut grown = self.grown.subscribe();
        let ended = tokio::time::timeout(within, grown.wait_for(|grown| grown.ended)).await;
        ended.context("the process keeps its log open")?.map(drop).context("nobody reads the log")
    }
}

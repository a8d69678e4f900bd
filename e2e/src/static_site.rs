//! A server of a folder's files: a frontend on an origin of its own.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Serves files until it is dropped.
pub struct StaticSite {
    origin: String,
    replaced: Replaced,
    task: JoinHandle<()>,
}

/// Texts that take the place of files, by name.
type Replaced = Arc<Mutex<BTreeMap<String, String>>>;

impl StaticSite {
    /// Serves this folder on a port of 127.0.0.1 that the system chooses.
    ///
    /// # Errors
    /// No port can be bound.
    pub async fn start(folder: &Path) -> anyhow::Result<StaticSite> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let (folder, replaced) = (folder.to_owned(), Replaced::default());
        let texts = Arc::clone(&replaced);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (folder, texts) = (folder.clone(), Arc::clone(&texts));
                // A browser may close the connection early.
                tokio::spawn(async move { answer(stream, &folder, &texts).await.ok() });
            }
        });
        Ok(StaticSite { origin, replaced, task })
    }

    /// `http://127.0.0.1:port`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Serves this text in place of a file.
    pub fn replace(&self, file: &str, text: String) {
        self.replaced.lock().insert(file.to_owned(), text);
    }
}

impl Drop for StaticSite {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads one request and answers it, then closes the connection.
async fn answer(mut stream: TcpStream, folder: &Path, replaced: &Replaced) -> std::io::Result<()> {
    let mut lines = BufReader::new(&mut stream).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    let target = first.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/");
    let name = match target.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    let text = replaced.lock().get(name).cloned();
    let body = match text {
        Some(text) => Some(text.into_bytes()),
        None => path(folder, name).and_then(|path| std::fs::read(path).ok()),
    };
    let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
    let (body, kind) = (body.unwrap_or_default(), content_type(name));
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    stream.shutdown().await
}

/// A file of the folder; no path leads out of it.
fn path(folder: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    name.components().all(|part| matches!(part, Component::Normal(_))).then(|| folder.join(name))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    }
}

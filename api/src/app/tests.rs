use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

fn exporter() -> Exporter {
    Exporter::detached().unwrap().1
}

fn settings(dir: &TempDir) -> Settings {
    let vars = [("DATA_DIR", dir.path().to_str().unwrap()), ("LISTEN", "127.0.0.1:0")];
    Settings::from_vars(vars.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
}

#[tokio::test]
async fn it_serves_on_the_port_that_the_system_chose_and_stops_when_told() {
    let dir = TempDir::new().unwrap();
    let mut settings = settings(&dir);
    let listener = bind(&mut settings).await.unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(settings.public_url.as_str(), format!("http://localhost:{}", addr.port()));
    let shutdown = CancellationToken::new();
    let app = App::build(settings, exporter()).await.unwrap();
    let running = tokio::spawn(app.run(listener, shutdown.clone()));
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(b"GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn only_one_process_at_a_time_serves_from_a_data_folder() {
    let dir = TempDir::new().unwrap();
    let first = App::build(settings(&dir), exporter()).await.unwrap();
    let second = App::build(settings(&dir), exporter()).await.err().unwrap();
    assert!(matches!(second, StartError::Connect(ConnectError::InUse(_))));
    drop(first);
    assert!(App::build(settings(&dir), exporter()).await.is_ok());
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let dir = TempDir::new().unwrap();
    let mut first = settings(&dir);
    let _listener = bind(&mut first).await.unwrap();
    let error = bind(&mut first).await.unwrap_err();
    assert!(error.to_string().contains(&first.listen.to_string()), "{error}");
}

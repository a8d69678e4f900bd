//! Keeps the login out of Redis' errors.

use std::sync::Arc;

use redis::{RedisConnectionInfo, RedisError};

use crate::redactor::Redactor;

/// The password of `REDIS_URL`, to be taken out of errors. A server that does not know a command repeats its arguments,
/// and one of the commands that begin a connection has the password. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct RedisLogin(Arc<Redactor>);

impl RedisLogin {
    /// The login of a server.
    pub(super) fn of(info: &RedisConnectionInfo) -> RedisLogin {
        RedisLogin(Arc::new(Redactor::new(info.password())))
    }

    /// The error without the password. Its kind stays.
    pub(super) fn hide(&self, error: RedisError) -> RedisError {
        let text = error.to_string();
        let redacted = self.0.redact(&text);
        if redacted == text {
            return error;
        }
        RedisError::from((error.kind(), "the server repeats the login", redacted))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use crate::queue::RedisQueue;
    use crate::tls::Trust;

    const PASSWORD: &str = "correct-horse-of-redis";

    /// Refuses every command as Redis 7 does where `rename-command` took it away.
    async fn server_without_commands() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let refusal = format!(
                        "-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' '{PASSWORD}'\r\n"
                    );
                    let mut asked = [0; 4096];
                    while stream.read(&mut asked).await.is_ok_and(|read| read > 0) {
                        if stream.write_all(refusal.repeat(8).as_bytes()).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        port
    }

    #[tokio::test]
    async fn no_error_of_redis_holds_the_password_that_the_server_repeats() {
        let port = server_without_commands().await;
        for protocol in ["", "?protocol=resp3"] {
            let url = format!("redis://:{PASSWORD}@127.0.0.1:{port}/{protocol}");
            let queue = RedisQueue::new(&url.into(), "bookly", &Trust::default()).unwrap();
            let errors = [
                queue.waiting().await.unwrap_err().to_string(),
                queue.push(&[]).await.unwrap_err().to_string(),
                queue.listen(|| ()).await.unwrap_err().to_string(),
                queue.check_access().await.unwrap_err().to_string(),
            ];
            for error in errors {
                assert!(!error.contains("correct") && !error.contains("horse"), "{error}");
            }
        }
    }
}

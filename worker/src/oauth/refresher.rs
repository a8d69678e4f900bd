//! The task that fetches access tokens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bookly_shared::redactor::Redactor;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::answer::Granted;
use super::error::TokenError;
use super::state::{AccessToken, TokenState};

/// A token is replaced this long before its end, a short one after three quarters of its lifetime.
const AHEAD: Duration = Duration::from_secs(5 * 60);
/// The wait after the first failure; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait between two requests that fail.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// How many tokens are found in replies: open sessions may have logged in with an earlier one.
const KNOWN_TOKENS: usize = 4;

/// Fetches a token at once, each further one ahead of the end of the one before, and one whenever the mail server
/// refuses the newest: `refused` holds the number of the last token that it refused. Never ends but with its sender.
pub(super) async fn refresh<F, Fetched>(
    mut fetch: F,
    state: watch::Sender<TokenState>,
    mut refused: watch::Receiver<u64>,
) where
    F: FnMut() -> Fetched,
    Fetched: Future<Output = Result<Granted, TokenError>>,
{
    let (mut number, mut failures) = (0, 0);
    let mut known = VecDeque::new();
    loop {
        let asked_at = Instant::now();
        let next = match fetch().await {
            Ok(Granted { access_token: text, lifetime, refresh_token }) => {
                if failures > 0 {
                    info!("an access token for the mail server was fetched again");
                }
                (number, failures) = (number + 1, 0);
                let redactor = redactor_of(&mut known, &text);
                let token = Some(AccessToken { text, number, ends_at: asked_at + lifetime });
                let rotated = refresh_token.is_some() || state.borrow().rotated;
                state.send_replace(TokenState { token, failed: None, rotated, redactor });
                asked_at + refresh_after(lifetime)
            }
            Err(error) => {
                failures += 1;
                warn!(reason = %error, "no access token for the mail server could be fetched");
                state.send_modify(|state| state.failed = Some(error));
                Instant::now() + wait_after(failures)
            }
        };
        let refusal = refused.wait_for(|refused| *refused == number && state.borrow().token.is_some());
        tokio::select! {
            () = sleep_until(next) => {}
            is_refused = async { refusal.await.is_ok() } => {
                if !is_refused {
                    return;
                }
                warn!("the mail server refused the access token; another one is fetched");
                state.send_modify(|state| (state.token, state.failed) = (None, None));
            }
        }
    }
}

fn redactor_of(known: &mut VecDeque<SecretString>, newest: &SecretString) -> Arc<Redactor> {
    known.push_back(newest.clone());
    if known.len() > KNOWN_TOKENS {
        known.pop_front();
    }
    // A token is found in the base64 of what holds it, too.
    Arc::new(Redactor::new(known.iter().map(ExposeSecret::expose_secret)))
}

/// When a token of this lifetime is replaced, counted from its request.
pub(super) fn refresh_after(lifetime: Duration) -> Duration {
    lifetime - AHEAD.min(lifetime / 4)
}

/// The wait after this many failures in a row.
pub(super) fn wait_after(failures: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST_WAIT)
}

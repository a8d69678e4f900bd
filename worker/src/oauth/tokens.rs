//! The access tokens of one login.

use std::sync::Arc;
use std::time::Duration;

use bookly_shared::clock::Clock;
use bookly_shared::config::OAuthSettings;
use bookly_shared::redactor::Redactor;
use bookly_shared::tls::Trust;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::answer::Granted;
use super::error::{TokenError, TokenProblem};
use super::refresher::refresh;
use super::state::{AccessToken, TokenState};
use super::token_server::TokenServer;

/// The mail server's refusals cause a request to the token server this often at most.
const BETWEEN_REFUSALS: Duration = Duration::from_secs(60);

/// Access tokens, fetched by a task that ends with this value.
#[derive(Debug)]
pub(crate) struct Tokens {
    state: watch::Receiver<TokenState>,
    /// The number of the last token that the mail server refused.
    refused: watch::Sender<u64>,
    /// The last refused token that was replaced, and when.
    replaced: Mutex<Option<(u64, Instant)>>,
    _refresher: AbortOnDropHandle<()>,
}

impl Tokens {
    /// Begins to fetch tokens for this mailbox, on a tokio runtime. `time_limit` is for each request.
    ///
    /// # Errors
    /// When the TLS library refuses its configuration.
    pub(crate) fn start(
        settings: OAuthSettings,
        username: &str,
        trust: &Trust,
        clock: Clock,
        time_limit: Duration,
    ) -> Result<Tokens, rustls::Error> {
        let server = TokenServer::new(settings, username.to_owned(), trust, clock, time_limit)?;
        let server = Arc::new(server);
        Ok(Tokens::fetched_by(move || {
            let server = Arc::clone(&server);
            async move { server.fetch().await }
        }))
    }

    pub(super) fn fetched_by<F, Fetched>(fetch: F) -> Tokens
    where
        F: FnMut() -> Fetched + Send + 'static,
        Fetched: Future<Output = Result<Granted, TokenError>> + Send + 'static,
    {
        let (publish, state) = watch::channel(TokenState::default());
        let (refused, refusals) = watch::channel(0);
        let refresher = AbortOnDropHandle::new(tokio::spawn(refresh(fetch, publish, refusals)));
        Tokens { state, refused, replaced: Mutex::default(), _refresher: refresher }
    }

    /// A token that has not ended. Waits for a request that is under way.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn current(&self) -> Result<AccessToken, TokenError> {
        self.outcome(TokenState::outcome).await
    }

    /// Another token in place of one that the mail server refused. `None` when a refused one was replaced in the last
    /// minute: then the token is not what is wrong.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) async fn in_place_of(&self, token: &AccessToken) -> Result<Option<AccessToken>, TokenError> {
        let number = token.number;
        let is_newest = self.state.borrow().token.as_ref().is_none_or(|newest| newest.number <= number);
        if is_newest && !self.may_replace(number) {
            return Ok(None);
        }
        self.refused.send_if_modified(|refused| std::mem::replace(refused, number.max(*refused)) < number);
        self.outcome(|state| state.outcome_after(number)).await.map(Some)
    }

    /// Several sessions can be refused with the same token; one request is for all of them.
    fn may_replace(&self, number: u64) -> bool {
        let mut replaced = self.replaced.lock();
        match *replaced {
            Some((last, _)) if last == number => true,
            Some((_, at)) if at.elapsed() < BETWEEN_REFUSALS => false,
            _ => {
                *replaced = Some((number, Instant::now()));
                true
            }
        }
    }

    /// Whether the token server replaced the refresh token of the settings.
    pub(crate) fn rotated(&self) -> bool {
        self.state.borrow().rotated
    }

    /// Finds the tokens in what the mail server says.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        Arc::clone(&self.state.borrow().redactor)
    }

    async fn outcome(
        &self,
        of: impl Fn(&TokenState) -> Option<Result<AccessToken, TokenError>>,
    ) -> Result<AccessToken, TokenError> {
        let mut state = self.state.clone();
        let mut outcome = None;
        let known = state.wait_for(|state| {
            outcome = of(state);
            outcome.is_some()
        });
        // The task ends only with this value, or in a panic.
        drop(known.await);
        outcome.unwrap_or_else(|| {
            Err(TokenError::new(TokenProblem::Failing, "the task that fetches access tokens ended"))
        })
    }
}

//! What happens around the handler of a request with a key.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use bookly_shared::db::idempotency::{KeyReservation, RequestKey, Reserved, StoredAnswer};
use tokio::runtime::Handle;
use utoipa_axum::router::{UtoipaMethodRouter, UtoipaMethodRouterExt};

use super::answer::{again, is_stored, read};
use super::key::{IDEMPOTENCY_KEY, key_of};
use super::sent_body::{SentBody, network};
use crate::error::ApiError;
use crate::extract::{Encoding, PageLanguage, WantsHtml};
use crate::routes::html;
use crate::state::AppState;

/// Lets the POST of a route answer a request with a key once. `B` is what is checked before the key is looked up.
pub(crate) fn once<B: SentBody + 'static>(
    state: &AppState,
    routes: UtoipaMethodRouter<AppState>,
) -> UtoipaMethodRouter<AppState> {
    routes.layer(from_fn_with_state(state.clone(), answer_once::<B>))
}

async fn answer_once<B: SentBody>(State(state): State<AppState>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(IDEMPOTENCY_KEY) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    match begin::<B>(&state, &mut parts, body).await {
        Ok(Begun::First(reserved_key, body)) => {
            let response = next.run(Request::from_parts(parts, body)).await;
            reserved_key.store(response).await
        }
        Ok(Begun::Before(answer)) => again(answer),
        Err(error) if B::HAS_PAGES && wants_page(&parts) => {
            let language = PageLanguage::of(&parts.uri, &parts.headers, state.settings.default_locale);
            html::error_page(&state, language, error)
        }
        Err(error) => error.into_response(),
    }
}

enum Begun {
    /// The first request with its key, and its body once more.
    First(ReservedKey, Body),
    /// The answer of the first one.
    Before(StoredAnswer),
}

async fn begin<B: SentBody>(state: &AppState, parts: &mut Parts, body: Body) -> Result<Begun, ApiError> {
    let request = Request::from_parts(parts.clone(), body);
    let (account, bytes) = B::from_request(request, state).await?.account_and_bytes();
    let caller = match account {
        Some(account) => account,
        None => network(parts, state).await,
    };
    let path = parts.extensions.get::<MatchedPath>().map_or(parts.uri.path(), MatchedPath::as_str);
    let operation = format!("{} {path}", parts.method);
    let key = RequestKey { caller, operation, key: key_of(&parts.headers)? };
    let mac = state.body_macs.of(&key, &bytes);
    let reserved_key = ReservedKey::new(state, KeyReservation::new(key));
    match state.db.reserve_key(&reserved_key.reservation, &mac, state.now()).await? {
        Reserved::First => {
            parts.extensions.insert(reserved_key.reservation.clone());
            Ok(Begun::First(reserved_key, Body::from(bytes)))
        }
        reserved => {
            reserved_key.end();
            match reserved {
                Reserved::Answered(answer) => Ok(Begun::Before(answer)),
                Reserved::OtherBody => Err(ApiError::IdempotencyKeyReused),
                Reserved::First | Reserved::UnderWay => Err(ApiError::RequestInProgress),
            }
        }
    }
}

fn wants_page(parts: &Parts) -> bool {
    WantsHtml::of(&parts.headers).0 || Encoding::of(&parts.headers) == Ok(Encoding::Form)
}

/// A reserved key. It is released when the request ends without an answer: the client went away, or the time was over.
/// What its transaction has committed until then stays: a key with an answer is not released.
struct ReservedKey {
    state: AppState,
    reservation: KeyReservation,
    has_ended: bool,
}

impl ReservedKey {
    fn new(state: &AppState, reservation: KeyReservation) -> ReservedKey {
        ReservedKey { state: state.clone(), reservation, has_ended: false }
    }

    /// Leaves the row as it is.
    fn end(mut self) {
        self.has_ended = true;
    }

    /// Stores an answer, unless the transaction of a change has stored it, or gives the key back.
    async fn store(self, response: Response) -> Response {
        if !is_stored(response.status()) {
            self.release().await;
            return response;
        }
        let (response, answer) = read(response).await;
        let Some(answer) = answer else {
            self.release().await;
            return response;
        };
        if let Err(error) = self.state.db.store_answer(&self.reservation, &answer).await {
            tracing::warn!(%error, "an answer is not stored for repeated requests");
        }
        self.end();
        response
    }

    async fn release(self) {
        release(&self.state, &self.reservation).await;
        self.end();
    }
}

impl Drop for ReservedKey {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let (state, reservation) = (self.state.clone(), self.reservation.clone());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { release(&state, &reservation).await });
        }
    }
}

/// A key that is not released is forgotten a minute later.
async fn release(state: &AppState, reservation: &KeyReservation) {
    if let Err(error) = state.db.release_key(reservation).await {
        tracing::warn!(%error, "an Idempotency-Key is in use until it is forgotten");
    }
}

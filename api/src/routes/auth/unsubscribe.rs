//! `/api/v1/unsubscribe/{token}`: the recipient of a `welcome` email gets no more of them.
//!
//! Mail programs post to this link when somebody presses their button (RFC 8058): from any place, without a cookie, as
//! `application/x-www-form-urlencoded` or `multipart/form-data`. The body says nothing that the link does not, so it is not
//! read. The link proves that the request comes from the mailbox, so no page of another site can make one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::suppressions::NewSuppression;
use bookly_shared::domain::{EmailAddress, SuppressionReason};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::link::PathToken;
use super::response_format::ResponseFormat;
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::WantsHtml;
use crate::openapi::errors;
use crate::pages::Page;
use crate::state::AppState;

/// Not limited per client address: a provider sends the requests of many people.
pub(in crate::routes) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, unsubscribe))
}

const DONE: &str = "Unsubscribed";
/// The source of the entry.
const SOURCE: &str = "recipient";

errors!(html OpenUnsubscribeErrors: [ApiError::LinkInvalid], always());

#[utoipa::path(
    get, path = "/api/v1/unsubscribe/{token}", tag = "Links", operation_id = "open_unsubscribe",
    summary = "The page with the button that unsubscribes", description = "It changes nothing.",
    params(("token" = String, Path, description = "The last segment of the link in `List-Unsubscribe`", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OpenUnsubscribeErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    match find(&state, format, &token).await {
        Ok((email, format)) => {
            format.page(&state, StatusCode::OK, &Page::Unsubscribe { email: email.as_str() })
        }
        Err(error) => format.failure(&state, error, None),
    }
}

errors!(html UnsubscribeErrors: [ApiError::LinkInvalid], always());

#[utoipa::path(
    post, path = "/api/v1/unsubscribe/{token}", tag = "Links", operation_id = "unsubscribe",
    summary = "Unsubscribe",
    description = "Ends the emails `welcome` to the link's address, and no others. Takes what mail programs send for \
        `List-Unsubscribe=One-Click` (RFC 8058). Can be repeated.",
    params(("token" = String, Path, description = "The last segment of the link in `List-Unsubscribe`", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The address is unsubscribed",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        UnsubscribeErrors
    )
)]
async fn unsubscribe(
    State(state): State<AppState>,
    mut format: ResponseFormat,
    WantsHtml(wants_html): WantsHtml,
    token: PathToken,
) -> Response {
    // Programs send forms, too.
    format.is_html = wants_html;
    let done = async {
        let (email, format) = find(&state, format, &token).await?;
        suppress(&state, &email).await.map(|()| format)
    };
    match done.await {
        Ok(format) => format.success(&state, DONE, &Page::Unsubscribed {}),
        Err(error) => format.failure(&state, error, None),
    }
}

/// The address of the link, and the format in the language of its account, if it has one.
async fn find(
    state: &AppState,
    format: ResponseFormat,
    token: &PathToken,
) -> ApiResult<(EmailAddress, ResponseFormat)> {
    let email = state.links.verify_unsubscribe(token.as_str())?;
    let email = EmailAddress::parse(&email).map_err(|_| ApiError::LinkInvalid)?;
    let account = state.db.user_of_mailbox(email.canonical()).await?;
    Ok((email, account.map_or(format, |user| format.of_account(&user))))
}

async fn suppress(state: &AppState, email: &EmailAddress) -> ApiResult<()> {
    let reason = SuppressionReason::Unsubscribe;
    let entry = NewSuppression::new(email.canonical(), reason, SOURCE, state.now());
    // A mail program may post more than once.
    if state.db.suppress_once(&entry).await? {
        audit::suppression(email.canonical(), reason.as_str(), "unsubscribed");
    }
    Ok(())
}

#[cfg(test)]
mod tests;

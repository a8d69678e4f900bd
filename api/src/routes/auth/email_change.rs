//! A new address: `/email-change-request` asks for it, `/email-change-confirm/{token}` makes the change.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::email_changes::EmailChangeRequest;
use bookly_shared::db::emails::insert::{EmailContext, NewEmail, RequestOrigin};
use bookly_shared::db::emails::on_request::EmailRequest;
use bookly_shared::db::users::{Change, User};
use bookly_shared::domain::{EmailAddress, EmailKind, Password};
use bookly_shared::links::Purpose;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::link::{self, PathToken};
use super::request_link;
use super::response_format::{ResponseFormat, SameOriginForm};
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{
    Authorized, AuthorizedBytes, ClientIp, CurrentRequest, Fields, FromFields, VerifiedUser, done,
};
use crate::idempotency::{AnswerStorer, IdempotencyKeyHeader, once};
use crate::openapi::{errors, schemas};
use crate::pages::{AccountSummary, Page};
use crate::state::AppState;

pub(super) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let request = once::<AuthorizedBytes<VerifiedUser>>(state, routes!(request));
    OpenApiRouter::new().routes(request).routes(routes!(open, confirm))
}

const REQUESTED: &str = "Check the new address for a confirmation link";
pub(super) const DONE: &str = "Email changed successfully";

/// The new address, and the password, which a stolen session does not have.
#[derive(ToSchema)]
struct EmailChange {
    #[schema(schema_with = schemas::email)]
    new_email: EmailAddress,
    #[schema(schema_with = schemas::password, required = true)]
    password: Option<Password>,
}

impl FromFields for EmailChange {
    fn from_fields(fields: &mut Fields) -> Option<EmailChange> {
        let new_email = fields.parse("new_email", EmailAddress::parse);
        let password =
            fields.parse_owned("password", |text| Ok::<_, Infallible>(Password::attempt(text).ok()));
        Some(EmailChange { new_email: new_email?, password: password? })
    }
}

errors!(EmailChangeRequestErrors: body(), keyed(), verified(), [ApiError::InvalidEmailOrPassword], limited(), always());

/// Both emails are queued for every address. The worker cancels the link's email when the address is taken, so the
/// answer does not depend on it.
#[utoipa::path(
    post, path = "/email-change-request", tag = "Account", operation_id = "request_email_change",
    summary = "Ask for another address",
    description = "Sends a link to the new address and a notice to the old one. The answer does not tell whether the \
        address is taken.",
    security(("access_token" = [])),
    params(IdempotencyKeyHeader),
    request_body = EmailChange,
    responses((status = 200, description = "The same for every address", body = MessageResponse), EmailChangeRequestErrors)
)]
async fn request(
    State(state): State<AppState>,
    ClientIp(client): ClientIp,
    CurrentRequest(origin): CurrentRequest,
    storer: AnswerStorer,
    Authorized(VerifiedUser(session), change): Authorized<VerifiedUser, EmailChange>,
) -> ApiResult<Json<MessageResponse>> {
    let (actor, user) = (session.actor(), session.user);
    let password = change.password.ok_or(ApiError::InvalidEmailOrPassword)?;
    state.login_guard.require_password(&user, password, client).await?;
    if change.new_email.canonical() == user.email_canonical {
        // The address stays the same, so no email is needed.
        return Ok(Json(MessageResponse { message: REQUESTED }));
    }
    let old = EmailAddress::parse(&user.email).map_err(ApiError::server)?;
    let now = state.now();
    let context = EmailContext { masked_address: Some(change.new_email.masked()), ..EmailContext::default() };
    let link = NewEmail::new(EmailKind::ChangeEmail, &change.new_email, now)
        .about(user.uid, user.auth_version)
        .request_origin(origin.clone());
    let notice = NewEmail::new(EmailKind::EmailChangeRequested, &old, now)
        .about(user.uid, user.auth_version)
        .with(context)
        .request_origin(origin);
    let ids = [link.id, notice.id];
    let request = EmailRequest {
        email: link,
        along: vec![notice],
        limits: state.settings.mailbox_limits,
        lifetime: request_link::lifetime(&state, EmailKind::ChangeEmail),
    };
    let answer = MessageResponse { message: REQUESTED };
    let store = storer.json(StatusCode::OK, &answer);
    let request = EmailChangeRequest {
        actor: &actor,
        request,
        new_email: &change.new_email,
        base_mailbox_limit: state.settings.base_mailbox_limit_per_day,
        store: store.as_ref(),
    };
    let queued = state.db.request_email_change(&request).await?;
    if done::<VerifiedUser, _>(&state, &actor, queued).await? {
        audit::account(&user, "email_change_requested");
        ids.into_iter().for_each(|id| state.jobs.enqueue(id));
    } else {
        audit::refused(&user, "email_change_throttled");
    }
    Ok(Json(answer))
}

errors!(html OpenEmailChangeErrors: link(), limited(), always());

#[utoipa::path(
    get, path = "/email-change-confirm/{token}", tag = "Links", operation_id = "open_email_change",
    summary = "The page that confirms a new address",
    description = "The link in the email opens it. It changes nothing.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OpenEmailChangeErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    match link::open_unused(&state, Purpose::EmailChange, &token).await {
        Ok(link) => confirmation_page(&state, format, &link.user),
        Err(error) => format.failure(&state, error, None),
    }
}

/// The page that names the account: another person may have asked for this address. Then its owner, who confirms it, gets
/// an account that its former address can take back.
fn confirmation_page(state: &AppState, format: ResponseFormat, user: &User) -> Response {
    // The address was valid when it was stored.
    let masked = EmailAddress::parse(&user.email).map(|address| address.masked()).unwrap_or_default();
    let account = AccountSummary { email: &masked, ..AccountSummary::of(user) };
    format.of_account(user).page(state, StatusCode::OK, &Page::EmailChangeConfirm { account })
}

errors!(html ConfirmEmailChangeErrors:
    link(), [ApiError::UserExists, ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/email-change-confirm/{token}", tag = "Links", operation_id = "confirm_email_change",
    summary = "Change the address by a link",
    description = "Works once. Tells the old address, with a link that undoes the change. A form must come from a page of this service and is answered with a page.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The account has the new address",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        ConfirmEmailChangeErrors
    )
)]
async fn confirm(
    State(state): State<AppState>,
    format: ResponseFormat,
    CurrentRequest(origin): CurrentRequest,
    _: SameOriginForm,
    token: PathToken,
) -> Response {
    match change_by_link(&state, &token, origin).await {
        Ok(user) => format.of_account(&user).success(&state, DONE, &Page::EmailChanged {}),
        Err(error) => format.failure(&state, error, None),
    }
}

/// The change raises `auth_version`, so the link works once.
async fn change_by_link(state: &AppState, token: &PathToken, origin: RequestOrigin) -> ApiResult<User> {
    let link = link::open_unused(state, Purpose::EmailChange, token).await?;
    let change = state.db.change_email(&link.user, &link.email, None, origin, state.now()).await?;
    if changed(state, &link.user, change)? { Ok(link.user) } else { Err(ApiError::LinkInvalid) }
}

/// Reports a change that was made. Returns false when the account changed before it.
///
/// # Errors
/// When another account took the address after the email was made.
pub(super) fn changed(state: &AppState, user: &User, change: Change<Uuid>) -> ApiResult<bool> {
    match change {
        Change::Made(email_id) => {
            audit::account(user, "email_changed");
            state.jobs.enqueue(email_id);
            Ok(true)
        }
        Change::Stale => Ok(false),
        Change::AddressTaken => Err(ApiError::UserExists),
    }
}

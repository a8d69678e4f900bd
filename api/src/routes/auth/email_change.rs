//! A new address: asked for with the password, confirmed by a link to the new one, announced to the old one.

use std::convert::Infallible;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::db::accounts::Change;
use bookly_shared::db::emails::enqueue::{EmailContext, NewEmail};
use bookly_shared::domain::{EmailAddress, EmailKind, Password};
use bookly_shared::link_token::Purpose;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::Message;
use super::link::{self, PathToken};
use super::reader::Reader;
use super::requests;
use crate::error::{ApiError, ApiResult};
use crate::extract::{ClientIp, CurrentRequest, Fields, FromFields, Json, SameOriginForm, VerifiedUser};
use crate::openapi::{errors, schemas};
use crate::pages::Page;
use crate::routes::html::page;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(request)).routes(routes!(open, press))
}

const REQUESTED: &str = "Check the new address for a confirmation link";
const DONE: &str = "Email changed successfully";

/// The new address, and the password to prove who asks.
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

errors!(RequestErrors: body(), verified(), [ApiError::InvalidEmailOrPassword], limited(), always());

/// Both mails are queued for every address: that one is taken is found by the worker, and told to nobody.
#[utoipa::path(
    post, path = "/email-change-request", tag = "Account", operation_id = "request_email_change",
    summary = "Ask for another address",
    description = "Mails a link to the new address and a notice to the old one; the answer does not tell whether the \
        address is taken.",
    security(("access_token" = [])),
    request_body = EmailChange,
    responses((status = 200, description = "The same for every address", body = Message), RequestErrors)
)]
async fn request(
    State(state): State<AppState>,
    VerifiedUser(session): VerifiedUser,
    ClientIp(client): ClientIp,
    CurrentRequest(origin): CurrentRequest,
    Json(change): Json<EmailChange>,
) -> ApiResult<Answer<Message>> {
    let user = session.user;
    let password = change.password.ok_or(ApiError::InvalidEmailOrPassword)?;
    state.login_guard.prove(&user, password, client).await?;
    let old = EmailAddress::parse(&user.email).map_err(ApiError::server)?;
    let now = state.now();
    let masked = EmailContext { masked_address: Some(change.new_email.masked()) };
    let link = NewEmail::new(EmailKind::ChangeEmail, &change.new_email, now)
        .about(user.uid)
        .request_origin(origin.clone());
    let notice = NewEmail::new(EmailKind::EmailChangeRequested, &old, now)
        .about(user.uid)
        .with(masked)
        .request_origin(origin);
    requests::queue_and_ring(&state, link, vec![notice]).await?;
    Ok(Answer(Message { message: REQUESTED }))
}

errors!(html OpenErrors: link(), limited(), always());

/// What the link in the mail opens; changes nothing.
#[utoipa::path(
    get, path = "/email-change-confirm/{token}", tag = "Links", operation_id = "open_email_change",
    summary = "The page that confirms a new address",
    description = "What the link in the mail opens; changes nothing.",
    params(("token" = String, Path, description = "The last piece of the link in the mail", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), OpenErrors)
)]
async fn open(State(state): State<AppState>, reader: Reader, token: PathToken) -> Response {
    match link::open_unused(&state, Purpose::EmailChange, &token).await {
        Ok(_) => page(&state, StatusCode::OK, &Page::EmailChangeConfirm {}),
        Err(error) => reader.refuse(&state, error, None),
    }
}

errors!(html PressErrors:
    link(), [ApiError::UserExists, ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/email-change-confirm/{token}", tag = "Links", operation_id = "confirm_email_change",
    summary = "Change the address by a link",
    description = "Works once. A form must come from a page of this service, and is answered with a page.",
    params(("token" = String, Path, description = "The last piece of the link in the mail", example = "eyJlbWFpbCI6…")),
    responses(
        (status = 200, description = "The new address counts",
            content((Message = "application/json"), (String = "text/html"))),
        PressErrors
    )
)]
async fn press(
    State(state): State<AppState>,
    reader: Reader,
    same_origin: Result<SameOriginForm, ApiError>,
    token: PathToken,
) -> Response {
    let changed = match same_origin {
        Ok(SameOriginForm) => change(&state, &token).await,
        Err(error) => Err(error),
    };
    match changed {
        Ok(()) => reader.done(&state, DONE, &Page::EmailChanged {}),
        Err(error) => reader.refuse(&state, error, None),
    }
}

/// The link is used up by what it changes: `auth_version` grows with the address.
async fn change(state: &AppState, token: &PathToken) -> ApiResult<()> {
    let link = link::open_unused(state, Purpose::EmailChange, token).await?;
    let version = link.user.auth_version;
    match state.db.change_email(link.user.uid, version, &link.email, state.now()).await? {
        Change::Made(()) => Ok(()),
        Change::Stale => Err(ApiError::LinkInvalid),
        // Somebody signed up with the address after the link was made.
        Change::AddressTaken => Err(ApiError::UserExists),
    }
}

//! `POST /password-change`: a new password for who knows the old one.

use std::convert::Infallible;

use axum::Json as Answer;
use axum::extract::State;
use bookly_shared::db::accounts::Change;
use bookly_shared::domain::Password;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::Message;
use super::reset::{NewPassword, changed_notice};
use crate::error::{ApiError, ApiResult};
use crate::extract::{AccessToken, ClientIp, CurrentRequest, Fields, FromFields, Json, Session};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(change))
}

/// The password as it is, and twice as it shall be.
#[derive(ToSchema)]
struct PasswordChange {
    #[schema(rename = "current_password", schema_with = schemas::password, required = true)]
    current: Option<Password>,
    #[serde(flatten)]
    new: NewPassword,
}

impl FromFields for PasswordChange {
    fn from_fields(fields: &mut Fields) -> Option<PasswordChange> {
        let current =
            fields.parse_owned("current_password", |text| Ok::<_, Infallible>(Password::attempt(text).ok()));
        let new = NewPassword::from_fields(fields);
        Some(PasswordChange { current: current?, new: new? })
    }
}

errors!(ChangeErrors:
    body(), access(), [ApiError::PasswordsDoNotMatch, ApiError::InvalidEmailOrPassword], limited(), always());

/// Ends the account's other sessions: who got in with the old password is out.
#[utoipa::path(
    post, path = "/password-change", tag = "Account", operation_id = "change_password",
    summary = "Change your password",
    description = "Ends the account's other sessions, and tells the account by mail.",
    security(("access_token" = [])),
    request_body = PasswordChange,
    responses((status = 200, description = "The new password counts", body = Message), ChangeErrors)
)]
async fn change(
    State(state): State<AppState>,
    AccessToken(Session { user, sid }): AccessToken,
    ClientIp(client): ClientIp,
    CurrentRequest(origin): CurrentRequest,
    Json(change): Json<PasswordChange>,
) -> ApiResult<Answer<Message>> {
    let new = change.new.agreed(&user)?;
    let current = change.current.ok_or(ApiError::InvalidEmailOrPassword)?;
    state.login_guard.prove(&user, current, client).await?;
    let hash = state.hasher.hash(new).await?;
    let now = state.now();
    let notice = changed_notice(&user, now)?.request_origin(origin);
    match state.db.change_password(&user, &hash, sid, &notice, now).await? {
        Change::Made(()) => state.jobs.enqueue(notice.id),
        // A reset came in between, and ended this session.
        Change::Stale | Change::AddressTaken => return Err(ApiError::TokenRevoked),
    }
    Ok(Answer(Message { message: "Password changed successfully" }))
}

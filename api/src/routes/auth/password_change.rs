//! `POST /password-change`: a new password in exchange for the current one.

use std::convert::Infallible;

use axum::Json;
use axum::extract::State;
use bookly_shared::audit;
use bookly_shared::domain::Password;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reset::{NewPassword, password_changed_notice};
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AccessToken, Authorized, ClientIp, CurrentRequest, Fields, FromFields, done};
use crate::login_guard::network;
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(change))
}

/// The current password, and the new one twice.
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

errors!(PasswordChangeErrors:
    body(), access(), [ApiError::PasswordsDoNotMatch, ApiError::InvalidEmailOrPassword], limited(), always());

#[utoipa::path(
    post, path = "/password-change", tag = "Account", operation_id = "change_password",
    summary = "Change your password",
    description = "Ends the account's other sessions and sends a notice to its address; an unverified one gets one in 24 hours.",
    security(("access_token" = [])),
    request_body = PasswordChange,
    responses((status = 200, description = "The password is changed", body = MessageResponse), PasswordChangeErrors)
)]
async fn change(
    State(state): State<AppState>,
    ClientIp(client): ClientIp,
    CurrentRequest(origin): CurrentRequest,
    Authorized(AccessToken(session), change): Authorized<AccessToken, PasswordChange>,
) -> ApiResult<Json<MessageResponse>> {
    let (actor, user) = (session.actor(), session.user);
    let new = change.new.checked(&user)?;
    let current = change.current.ok_or(ApiError::InvalidEmailOrPassword)?;
    state.login_guard.require_password(&user, current, client).await?;
    let hash = state.hasher.hash(new).await?;
    let now = state.now();
    let notice = password_changed_notice(&user, now)?.request_origin(origin);
    let network = network(client);
    let changed = state.db.change_password(&actor, &user, &hash, &notice, &network, now).await?;
    let notified = done::<AccessToken, _>(&state, &actor, changed).await?;
    audit::account(&user, "password_changed");
    if notified {
        state.jobs.enqueue(notice.id);
    }
    Ok(Json(MessageResponse { message: "Password changed successfully" }))
}

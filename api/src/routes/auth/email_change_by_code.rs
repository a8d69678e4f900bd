//! `/email-change-confirm`: gives an account its new address by the code in the email, once.

use axum::Json;
use axum::extract::State;
use bookly_shared::links::LinkCode;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code;
use super::email_change::{DONE, changed};
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Authorized, CurrentRequest, Fields, FromFields, VerifiedUser, still_admitted};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(confirm))
}

/// The code in the email to the new address.
#[derive(ToSchema)]
struct ChangeByCode {
    #[schema(schema_with = schemas::code)]
    code: LinkCode,
}

impl FromFields for ChangeByCode {
    fn from_fields(fields: &mut Fields) -> Option<ChangeByCode> {
        fields.parse_pasted("code", LinkCode::parse).map(|code| ChangeByCode { code })
    }
}

errors!(ChangeByCodeErrors:
    body(), verified(), [ApiError::CodeInvalid, ApiError::UserExists], limited(), always());

#[utoipa::path(
    post, path = "/email-change-confirm", tag = "Links", operation_id = "confirm_email_change_by_code",
    summary = "Change the address by a code",
    description = "The code stands beside the link in the email to the new address, and does what the link does, once. \
        After 5 wrong codes only the email's link works, and after 10 for an account in an hour no code.",
    security(("access_token" = [])),
    request_body = ChangeByCode,
    responses(
        (status = 200, description = "The account has the new address", body = MessageResponse), ChangeByCodeErrors
    )
)]
async fn confirm(
    State(state): State<AppState>,
    CurrentRequest(origin): CurrentRequest,
    Authorized(VerifiedUser(session), entered): Authorized<VerifiedUser, ChangeByCode>,
) -> ApiResult<Json<MessageResponse>> {
    let (actor, user) = (session.actor(), session.user);
    let email = code::open_new_address(&state, &user, &entered.code).await?;
    let change = state.db.change_email(&user, &email, Some(&actor), origin, state.now()).await?;
    if changed(&state, &user, change)? {
        return Ok(Json(MessageResponse { message: DONE }));
    }
    // Either the session ended in the meantime, or another request used the code or its link.
    still_admitted::<VerifiedUser>(&state, &actor).await?;
    Err(ApiError::CodeInvalid)
}

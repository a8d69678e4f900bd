//! `/password-reset-confirm`: sets a new password by the code in the email, once.

use axum::extract::State;
use axum::response::Response;
use bookly_shared::db::users::{Change, User};
use bookly_shared::domain::EmailAddress;
use bookly_shared::links::LinkCode;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code::{self, CodeEmail};
use super::reset::{DONE, NewPassword, Requester, set_password};
use super::response_format::ResponseFormat;
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{Fields, FromFields, JsonOrForm};
use crate::openapi::{errors, schemas};
use crate::pages::{Page, RequestForm};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, confirm))
}

/// The address of the account, the code in its email, and a new password. What is wrong with the password is told only
/// after the code was right.
struct ResetByCode {
    email: EmailAddress,
    code: LinkCode,
    new_password: ApiResult<NewPassword>,
}

impl FromFields for ResetByCode {
    fn from_fields(fields: &mut Fields) -> Option<ResetByCode> {
        let email = fields.parse("email", EmailAddress::parse);
        let code = fields.parse_pasted("code", LinkCode::parse);
        Some(ResetByCode { email: email?, code: code?, new_password: fields.rest() })
    }
}

/// The address of the account, the code in its email, and a new password, entered twice.
#[derive(ToSchema)]
#[schema(as = ResetByCode)]
#[expect(dead_code, reason = "for the document, which has the fields of the password beside the others")]
struct ResetByCodeFields {
    #[schema(schema_with = schemas::email)]
    email: String,
    #[schema(schema_with = schemas::code)]
    code: String,
    #[schema(schema_with = schemas::new_password)]
    new_password: String,
    #[schema(schema_with = schemas::password)]
    confirm_new_password: String,
}

errors!(html CodeFormErrors: limited(), always());

#[utoipa::path(
    get, path = "/password-reset-confirm", tag = "Links", operation_id = "open_password_reset_by_code",
    summary = "The form for a code and a new password",
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), CodeFormErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat) -> Response {
    code::form(&state, format, RequestForm::PasswordReset)
}

errors!(html ResetByCodeErrors:
    body(), [ApiError::CodeInvalid, ApiError::PasswordsDoNotMatch, ApiError::InsufficientPermissions], limited(),
    always());

#[utoipa::path(
    post, path = "/password-reset-confirm", tag = "Links", operation_id = "reset_password_by_code",
    summary = "Set a new password by a code",
    description = "The code stands beside the link in the email, and does what the link does, once. It is judged before \
        the passwords, and stays good when they are refused. After 5 wrong codes only the email's link works, and after \
        10 for an address in an hour no code. The answer does not tell whether the address has an account. A form must \
        come from a page of this service and is answered with a page.",
    request_body(content(
        (ResetByCodeFields = "application/json"), (ResetByCodeFields = "application/x-www-form-urlencoded")
    )),
    responses(
        (status = 200, description = "The password is changed",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        ResetByCodeErrors
    )
)]
async fn confirm(
    State(state): State<AppState>,
    format: ResponseFormat,
    by: Requester,
    body: Result<JsonOrForm<ResetByCode>, ApiError>,
) -> Response {
    let form = RequestForm::PasswordReset;
    let ResetByCode { email, code, new_password } = match body {
        Ok(JsonOrForm { body, .. }) => body,
        Err(error) => return code::failure(&state, format, form, None, error),
    };
    match reset_by_code(&state, &email, &code, by, new_password).await {
        Ok(user) => format.of_account(&user).success(&state, DONE, &Page::ResetDone {}),
        Err(error) => code::failure(&state, format, form, Some(&email), error),
    }
}

async fn reset_by_code(
    state: &AppState,
    email: &EmailAddress,
    code: &LinkCode,
    by: Requester,
    new_password: ApiResult<NewPassword>,
) -> ApiResult<User> {
    let user = code::open(state, CodeEmail::Reset, email, code).await?;
    match set_password(state, &user, by, new_password).await? {
        Change::Made(()) => Ok(user),
        // Another request used the code or its link in the meantime.
        Change::Stale | Change::AddressTaken => Err(ApiError::CodeInvalid),
    }
}

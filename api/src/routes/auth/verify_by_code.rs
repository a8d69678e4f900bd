//! `/verify`: verifies an account by the code in the email.

use axum::extract::State;
use axum::response::Response;
use bookly_shared::db::users::{Change, User};
use bookly_shared::domain::EmailAddress;
use bookly_shared::links::LinkCode;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::code::{self, CodeEmail};
use super::link;
use super::response_format::ResponseFormat;
use super::user::MessageResponse;
use super::verify::{DONE, Proof, confirmation_page, verify_account};
use crate::error::{ApiError, ApiResult};
use crate::extract::{Encoding, Fields, FromFields, JsonOrForm};
use crate::openapi::{errors, schemas};
use crate::pages::{Page, RequestForm};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, verify))
}

/// The address of the account, and the code in its email.
#[derive(ToSchema)]
struct VerifyByCode {
    #[schema(schema_with = schemas::email)]
    email: EmailAddress,
    #[schema(schema_with = schemas::code)]
    code: LinkCode,
}

impl FromFields for VerifyByCode {
    fn from_fields(fields: &mut Fields) -> Option<VerifyByCode> {
        let email = fields.parse("email", EmailAddress::parse);
        let code = fields.parse_pasted("code", LinkCode::parse);
        Some(VerifyByCode { email: email?, code: code? })
    }
}

errors!(html CodeFormErrors: limited(), always());

#[utoipa::path(
    get, path = "/verify", tag = "Links", operation_id = "open_verification_by_code",
    summary = "The form for a verification code",
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), CodeFormErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat) -> Response {
    code::form(&state, format, RequestForm::Verification)
}

errors!(html VerifyByCodeErrors:
    body(), [ApiError::CodeInvalid, ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/verify", tag = "Links", operation_id = "verify_by_code",
    summary = "Prove an address by a code",
    description = "The code stands beside the link in the email, and does what the link does. It may be repeated until \
        it expires. After 5 wrong codes only the email's link works, and after 10 for an address in an hour no code. \
        The answer does not tell whether the address has an account. A form must come from a page of this service and \
        is answered with a page: while the account is unverified, with one that names the account and asks again.",
    request_body(content((VerifyByCode = "application/json"), (VerifyByCode = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The account is verified, or the page that asks again",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        VerifyByCodeErrors
    )
)]
async fn verify(
    State(state): State<AppState>,
    format: ResponseFormat,
    body: Result<JsonOrForm<VerifyByCode>, ApiError>,
) -> Response {
    let form = RequestForm::Verification;
    let JsonOrForm { body: entered, encoding } = match body {
        Ok(body) => body,
        Err(error) => return code::failure(&state, format, form, None, error),
    };
    match verify_by_code(&state, &entered, encoding).await {
        Ok(Proven::Verified(user)) => format.of_account(&user).success(&state, DONE, &Page::Verified {}),
        Ok(Proven::NotYetConfirmed(user)) => {
            let token = link::verification_token(&state, &user);
            confirmation_page(&state, format, &user, &token, Proof::Code)
        }
        Err(error) => code::failure(&state, format, form, Some(&entered.email), error),
    }
}

/// What a right code led to.
enum Proven {
    /// The account is verified.
    Verified(User),
    /// A person is asked first whether the account is theirs, as behind the link. The code stays good.
    NotYetConfirmed(User),
}

async fn verify_by_code(state: &AppState, entered: &VerifyByCode, encoding: Encoding) -> ApiResult<Proven> {
    let user = code::open(state, CodeEmail::Verification, &entered.email, &entered.code).await?;
    if encoding == Encoding::Form && !user.is_verified {
        return Ok(Proven::NotYetConfirmed(user));
    }
    match verify_account(state, &user, &entered.email).await? {
        Change::Made(()) => Ok(Proven::Verified(user)),
        // The account got another address in the meantime.
        Change::Stale | Change::AddressTaken => Err(ApiError::CodeInvalid),
    }
}

//! `/password-reset-confirm/{token}`: the link in the email opens a form, and the form sets the password, once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::users::Change;
use bookly_shared::db::users::User;
use bookly_shared::domain::{EmailAddress, EmailKind, Password};
use bookly_shared::links::Purpose;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::link::{self, PathToken};
use super::response_format::ResponseFormat;
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{ClientIp, CurrentRequest, Fields, FromFields, JsonOrForm};
use crate::login_guard::network;
use crate::openapi::{errors, schemas};
use crate::pages::{Page, Problem, RequestForm};
use crate::password_policy::refuse_guessable;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(open, confirm))
}

pub(super) const DONE: &str = "Password reset Successfully";

/// A new password, entered twice.
#[derive(ToSchema)]
pub(super) struct NewPassword {
    #[schema(rename = "new_password", schema_with = schemas::new_password)]
    password: Password,
    #[schema(rename = "confirm_new_password", schema_with = schemas::password)]
    confirmation: String,
}

impl FromFields for NewPassword {
    fn from_fields(fields: &mut Fields) -> Option<NewPassword> {
        let password = fields.parse_owned("new_password", Password::parse);
        let confirmation = fields.parse_owned("confirm_new_password", Ok::<_, std::convert::Infallible>);
        Some(NewPassword { password: password?, confirmation: confirmation? })
    }
}

impl NewPassword {
    /// The password, if both entries are equal and it is not easy to guess.
    pub(super) fn checked(self, user: &User) -> ApiResult<Password> {
        // Both entries are compared after the same normalisation.
        let confirmation = Password::attempt(self.confirmation);
        let same = confirmation.is_ok_and(|confirmation| confirmation.expose() == self.password.expose());
        if !same {
            return Err(ApiError::PasswordsDoNotMatch);
        }
        let known = [&*user.email, &*user.first_name, &*user.last_name, &*user.username];
        refuse_guessable(&self.password, &known).map_err(|reason| ApiError::field("new_password", reason))?;
        Ok(self.password)
    }
}

/// Who sets the password: the client, whose network is known afterwards, and the request, which the notice names.
pub(super) type Requester = (ClientIp, CurrentRequest);

type NewPasswordBody = Result<JsonOrForm<NewPassword>, ApiError>;

errors!(html OpenResetErrors: link(), limited(), always());

#[utoipa::path(
    get, path = "/password-reset-confirm/{token}", tag = "Links", operation_id = "open_password_reset",
    summary = "The form for a new password", description = "The link in the email opens it. It changes nothing.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), OpenResetErrors)
)]
async fn open(State(state): State<AppState>, format: ResponseFormat, token: PathToken) -> Response {
    match link::open_unused(&state, Purpose::PasswordReset, &token).await {
        Ok(link) => form(&state, format, StatusCode::OK, &link.user, &[]),
        Err(error) => format.failure(&state, error, Some(RequestForm::PasswordReset)),
    }
}

errors!(html ConfirmResetErrors:
    link(), body(), [ApiError::PasswordsDoNotMatch, ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    post, path = "/password-reset-confirm/{token}", tag = "Links", operation_id = "reset_password",
    summary = "Set a new password by a link",
    description = "Works once. Ends all sessions of the account, and proves its address. A form must come from a page \
        of this service and is answered with a page.",
    params(("token" = String, Path, description = "The last segment of the link in the email", example = "eyJlbWFpbCI6…")),
    request_body(content((NewPassword = "application/json"), (NewPassword = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The password is changed",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        ConfirmResetErrors
    )
)]
async fn confirm(
    State(state): State<AppState>,
    format: ResponseFormat,
    by: Requester,
    token: PathToken,
    body: NewPasswordBody,
) -> Response {
    let link = match link::open_unused(&state, Purpose::PasswordReset, &token).await {
        Ok(link) => link,
        Err(error) => return format.failure(&state, error, Some(RequestForm::PasswordReset)),
    };
    match set_password(&state, &link.user, by, body.map(|body| body.body)).await {
        Ok(Change::Made(())) => format.of_account(&link.user).success(&state, DONE, &Page::ResetDone {}),
        // Another request used the link in the meantime.
        Ok(Change::Stale | Change::AddressTaken) => {
            failure(&state, format, &link.user, ApiError::LinkInvalid)
        }
        Err(error) => failure(&state, format, &link.user, error),
    }
}

/// The change raises `auth_version`, to which links and codes are bound, so each works once.
pub(super) async fn set_password(
    state: &AppState,
    user: &User,
    (ClientIp(client), CurrentRequest(origin)): Requester,
    entered: ApiResult<NewPassword>,
) -> ApiResult<Change> {
    let password = entered?.checked(user)?;
    let hash = state.hasher.hash(password).await?;
    let now = state.now();
    let notice = password_changed_notice(user, now)?.request_origin(origin);
    let change = state.db.reset_password(user, &hash, &notice, &network(client), now).await?;
    if let Change::Made(()) = change {
        audit::account(user, "password_reset");
        state.jobs.enqueue(notice.id);
    }
    Ok(change)
}

/// The email that tells an account's address that the password was changed.
pub(super) fn password_changed_notice(
    user: &User,
    now: chrono::DateTime<chrono::Utc>,
) -> ApiResult<NewEmail> {
    // The address was valid when it was stored.
    let address = EmailAddress::parse(&user.email).map_err(ApiError::server)?;
    Ok(NewEmail::new(EmailKind::PasswordChanged, &address, now).about(user.uid, user.auth_version + 1))
}

/// A form with errors is shown again, with all of them.
fn failure(state: &AppState, format: ResponseFormat, user: &User, error: ApiError) -> Response {
    match Problem::all_of(&error).filter(|_| format.is_html) {
        Some(problems) => form(state, format, error.row().status, user, &problems),
        None => format.of_account(user).failure(state, error, Some(RequestForm::PasswordReset)),
    }
}

fn form(
    state: &AppState,
    format: ResponseFormat,
    status: StatusCode,
    user: &User,
    problems: &[Problem],
) -> Response {
    let page = Page::ResetForm { email: Some(&user.email), problems };
    format.of_account(user).page(state, status, &page)
}

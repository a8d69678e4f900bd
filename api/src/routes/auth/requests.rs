//! `/resend-verification` and `/password-reset-request`: a link by mail for whoever has the address.
//!
//! Every address is answered alike and costs the same one row: whether an account has it is looked up by the
//! worker, which cancels the row when none has.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::db::emails::on_request::EmailRequest;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::TimeDelta;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::account::Message;
use super::reader::Reader;
use crate::error::{ApiError, ApiResult};
use crate::extract::{CurrentRequest, Fields, FromFields, JsonOrForm};
use crate::openapi::{errors, schemas};
use crate::pages::{Page, RequestForm};
use crate::routes::html::page;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(resend_form, resend)).routes(routes!(reset_form, reset))
}

const RESEND: Request = Request {
    kind: EmailKind::VerifyEmail,
    form: RequestForm::Verification,
    answer: "If the account exists and is not verified, a new link is on its way",
};
const RESET: Request = Request {
    kind: EmailKind::ResetPassword,
    form: RequestForm::PasswordReset,
    answer: "Please check your email for instructions to reset your password",
};

/// What the two have different.
struct Request {
    kind: EmailKind,
    form: RequestForm,
    answer: &'static str,
}

/// Who asks for a link.
#[derive(ToSchema)]
struct Address {
    #[schema(schema_with = schemas::email)]
    email: EmailAddress,
}

impl FromFields for Address {
    fn from_fields(fields: &mut Fields) -> Option<Address> {
        fields.parse("email", EmailAddress::parse).map(|email| Address { email })
    }
}

type Body = Result<JsonOrForm<Address>, ApiError>;

errors!(html FormErrors: limited(), always());
errors!(html RequestErrors: body(), [ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    get, path = "/resend-verification", tag = "Links", operation_id = "open_resend_verification", summary = "The form for a new verification link",
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), FormErrors)
)]
async fn resend_form(State(state): State<AppState>) -> Response {
    RESEND.ask(&state, StatusCode::OK, None)
}

#[utoipa::path(
    get, path = "/password-reset-request", tag = "Links", operation_id = "open_password_reset_request", summary = "The form for a forgotten password",
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), FormErrors)
)]
async fn reset_form(State(state): State<AppState>) -> Response {
    RESET.ask(&state, StatusCode::OK, None)
}

#[utoipa::path(
    post, path = "/resend-verification", tag = "Links", operation_id = "resend_verification",
    summary = "Ask for a new verification link", description = "Mails a link if there is such an account and it is not verified yet. A form must come from a page of this service, and is answered with a page.",
    request_body(content((Address = "application/json"), (Address = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The same for every address",
            content((Message = "application/json"), (String = "text/html"))),
        RequestErrors
    )
)]
async fn resend(
    State(state): State<AppState>,
    reader: Reader,
    request_origin: CurrentRequest,
    body: Body,
) -> Response {
    RESEND.answer(&state, reader, request_origin, body).await
}

#[utoipa::path(
    post, path = "/password-reset-request", tag = "Links", operation_id = "request_password_reset",
    summary = "Ask for a link to a new password", description = "Mails a link if there is such an account; the answer and its time do not tell. A form must come from a page of this service, and is answered with a page.",
    request_body(content((Address = "application/json"), (Address = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The same for every address",
            content((Message = "application/json"), (String = "text/html"))),
        RequestErrors
    )
)]
async fn reset(
    State(state): State<AppState>,
    reader: Reader,
    request_origin: CurrentRequest,
    body: Body,
) -> Response {
    RESET.answer(&state, reader, request_origin, body).await
}

/// Queues a mail that anybody can ask for, unless its mailbox has had its share; the asker cannot tell.
pub(super) async fn queue_and_ring(state: &AppState, mail: NewEmail, along: Vec<NewEmail>) -> ApiResult<()> {
    let kind = mail.kind();
    let ids: Vec<Uuid> = std::iter::once(&mail).chain(&along).map(|mail| mail.id).collect();
    let lifetime = TimeDelta::from_std(state.settings.lifetimes.of(kind)).unwrap_or(TimeDelta::MAX);
    if state.mail_requests.ask(EmailRequest { mail, along, lifetime }).await? {
        ids.into_iter().for_each(|id| state.jobs.enqueue(id));
    } else {
        tracing::info!(%kind, "no mail: the mailbox has had its share");
    }
    Ok(())
}

impl Request {
    async fn answer(
        &self,
        state: &AppState,
        reader: Reader,
        request_origin: CurrentRequest,
        body: Body,
    ) -> Response {
        match self.queue(state, request_origin, body).await {
            Ok(()) => reader.done(state, self.answer, &Page::LinkRequested { message: self.answer }),
            Err(error) => self.refuse(state, reader, error),
        }
    }

    async fn queue(
        &self,
        state: &AppState,
        CurrentRequest(origin): CurrentRequest,
        body: Body,
    ) -> ApiResult<()> {
        let JsonOrForm { body: Address { email }, .. } = body?;
        let mail = NewEmail::new(self.kind, &email, state.now()).request_origin(origin);
        queue_and_ring(state, mail, Vec::new()).await
    }

    /// A form with a mistake is shown again, with the mistake.
    fn refuse(&self, state: &AppState, reader: Reader, error: ApiError) -> Response {
        match (reader, &error) {
            (Reader::Browser, ApiError::Validation(errors)) => {
                let problem = errors.first().map(|error| format!("The address {}", error.message));
                self.ask(state, error.row().status, problem.as_deref())
            }
            _ => reader.refuse(state, error, None),
        }
    }

    fn ask(&self, state: &AppState, status: StatusCode, error: Option<&str>) -> Response {
        page(state, status, &Page::RequestLink { form: self.form, email: None, error })
    }
}

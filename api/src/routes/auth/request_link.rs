//! `/resend-verification` and `/password-reset-request`: ask for a link by email.
//!
//! Every address gets the same answer and costs the same one row. The worker looks the account up, and cancels the
//! row when there is none.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use bookly_shared::audit;
use bookly_shared::db::emails::insert::{NewEmail, RequestOrigin};
use bookly_shared::db::emails::on_request::EmailRequest;
use bookly_shared::db::idempotency::AnswerToStore;
use bookly_shared::domain::{EmailAddress, EmailKind};
use chrono::TimeDelta;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::response_format::ResponseFormat;
use super::user::MessageResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{CurrentRequest, EncodedBytes, Fields, FromFields, JsonOrForm};
use crate::idempotency::{AnswerStorer, IdempotencyKeyHeader, once};
use crate::openapi::{errors, schemas};
use crate::pages::{Page, Problem, RequestForm};
use crate::state::AppState;

pub(super) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(once::<EncodedBytes>(state, routes!(resend_form, resend))).routes(once::<
        EncodedBytes,
    >(
        state,
        routes!(reset_form, reset),
    ))
}

const RESEND: LinkRequest = LinkRequest {
    kind: EmailKind::VerifyEmail,
    form: RequestForm::Verification,
    answer: "If the account exists and is not verified, a new link is on its way",
    throttled: "verification_request_throttled",
};
const RESET: LinkRequest = LinkRequest {
    kind: EmailKind::ResetPassword,
    form: RequestForm::PasswordReset,
    answer: "Please check your email for instructions to reset your password",
    throttled: "password_reset_request_throttled",
};

/// How the two endpoints differ.
struct LinkRequest {
    kind: EmailKind,
    form: RequestForm,
    answer: &'static str,
    /// The event of a request beyond the mailbox's limit.
    throttled: &'static str,
}

/// The address that the link is for.
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

type AddressBody = Result<JsonOrForm<Address>, ApiError>;

errors!(html LinkFormErrors: limited(), always());
errors!(html LinkRequestErrors: body(), keyed(), [ApiError::InsufficientPermissions], limited(), always());

#[utoipa::path(
    get, path = "/resend-verification", tag = "Links", operation_id = "open_resend_verification",
    summary = "The form for a new verification link",
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), LinkFormErrors)
)]
async fn resend_form(State(state): State<AppState>, format: ResponseFormat) -> Response {
    RESEND.show_form(&state, format, StatusCode::OK, None)
}

#[utoipa::path(
    get, path = "/password-reset-request", tag = "Links", operation_id = "open_password_reset_request",
    summary = "The form for a forgotten password",
    responses((status = 200, description = "The form", body = String, content_type = "text/html"), LinkFormErrors)
)]
async fn reset_form(State(state): State<AppState>, format: ResponseFormat) -> Response {
    RESET.show_form(&state, format, StatusCode::OK, None)
}

#[utoipa::path(
    post, path = "/resend-verification", tag = "Links", operation_id = "resend_verification",
    summary = "Ask for a new verification link",
    description = "Sends a link if the account exists and is not verified. A form must come from a page of this \
        service and is answered with a page.",
    params(IdempotencyKeyHeader),
    request_body(content((Address = "application/json"), (Address = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The same for every address",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        LinkRequestErrors
    )
)]
async fn resend(
    State(state): State<AppState>,
    format: ResponseFormat,
    origin: CurrentRequest,
    storer: AnswerStorer,
    body: AddressBody,
) -> Response {
    RESEND.respond(&state, format, (origin, storer), body).await
}

#[utoipa::path(
    post, path = "/password-reset-request", tag = "Links", operation_id = "request_password_reset",
    summary = "Ask for a link to a new password",
    description = "Sends a link if the account exists. Neither the answer nor its time tells whether it does. A form \
        must come from a page of this service and is answered with a page.",
    params(IdempotencyKeyHeader),
    request_body(content((Address = "application/json"), (Address = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, description = "The same for every address",
            content((MessageResponse = "application/json"), (String = "text/html"))),
        LinkRequestErrors
    )
)]
async fn reset(
    State(state): State<AppState>,
    format: ResponseFormat,
    origin: CurrentRequest,
    storer: AnswerStorer,
    body: AddressBody,
) -> Response {
    RESET.respond(&state, format, (origin, storer), body).await
}

/// How long the link in an email of this kind is valid.
pub(super) fn lifetime(state: &AppState, kind: EmailKind) -> TimeDelta {
    TimeDelta::from_std(state.settings.lifetimes.of(kind)).unwrap_or(TimeDelta::MAX)
}

impl LinkRequest {
    async fn respond(
        &self,
        state: &AppState,
        format: ResponseFormat,
        (CurrentRequest(origin), storer): (CurrentRequest, AnswerStorer),
        body: AddressBody,
    ) -> Response {
        let address = match body {
            Ok(JsonOrForm { body: Address { email }, .. }) => email,
            Err(error) => return self.failure(state, format, error),
        };
        let page = Page::LinkRequested { form: self.form, email: address.as_str() };
        let (answer, store) = storer.response(format.success(state, self.answer, &page)).await;
        match self.queue(state, origin, &address, store.as_ref()).await {
            Ok(()) => answer,
            Err(error) => self.failure(state, format, error),
        }
    }

    async fn queue(
        &self,
        state: &AppState,
        origin: RequestOrigin,
        address: &EmailAddress,
        store: Option<&AnswerToStore>,
    ) -> ApiResult<()> {
        let email = NewEmail::new(self.kind, address, state.now()).request_origin(origin);
        let (id, kind) = (email.id, self.kind);
        let (limits, lifetime) = (state.settings.mailbox_limits, lifetime(state, kind));
        let request = EmailRequest { email, along: Vec::new(), limits, lifetime };
        let is_queued = match store {
            Some(store) => state.db.insert_on_request_once(&request, store).await?,
            None => state.db.insert_on_request(request).await?,
        };
        if is_queued {
            state.jobs.enqueue(id);
        } else {
            audit::throttled(address.as_str(), self.throttled);
        }
        Ok(())
    }

    /// A form with an error is shown again, with the error.
    fn failure(&self, state: &AppState, format: ResponseFormat, error: ApiError) -> Response {
        let problems = Problem::all_of(&error).filter(|_| format.is_html);
        match problems.as_deref() {
            Some([problem, ..]) => self.show_form(state, format, error.row().status, Some(*problem)),
            _ => format.failure(state, error, None),
        }
    }

    fn show_form(
        &self,
        state: &AppState,
        format: ResponseFormat,
        status: StatusCode,
        problem: Option<Problem>,
    ) -> Response {
        format.page(state, status, &Page::RequestLink { form: self.form, email: None, problem })
    }
}

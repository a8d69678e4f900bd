//! `POST /signup`: creates an account and queues the email that verifies its address.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bookly_shared::db::accounts::NewAccount;
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind, Password, PersonName, Username};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::user::UserResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{CurrentRequest, Fields, FromFields, JsonBody};
use crate::openapi::{errors, schemas};
use crate::password_policy::refuse_guessable;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(sign_up))
}

/// The values of a new account.
#[derive(ToSchema)]
struct SignUp {
    #[schema(schema_with = schemas::first_name)]
    first_name: PersonName,
    #[schema(schema_with = schemas::last_name)]
    last_name: PersonName,
    #[schema(schema_with = schemas::username)]
    username: Username,
    #[schema(schema_with = schemas::email)]
    email: EmailAddress,
    #[schema(schema_with = schemas::new_password)]
    password: Password,
}

impl FromFields for SignUp {
    fn from_fields(fields: &mut Fields) -> Option<SignUp> {
        let first_name = fields.parse("first_name", PersonName::parse);
        let last_name = fields.parse("last_name", PersonName::parse);
        let username = fields.parse("username", Username::parse);
        let email = fields.parse("email", EmailAddress::parse);
        let password = fields.parse_owned("password", Password::parse);
        Some(SignUp {
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            email: email?,
            password: password?,
        })
    }
}

#[derive(Serialize, ToSchema)]
struct SignedUp {
    message: &'static str,
    user: UserResponse,
}

errors!(SignUpErrors: body(), [ApiError::UserExists], limited(), always());

#[utoipa::path(
    post, path = "/signup", tag = "Account", summary = "Open an account",
    description = "Sends a link that proves the address. Until then the account may log in, but use nothing else.",
    request_body = SignUp,
    responses((status = 201, description = "The account exists, the email is queued", body = SignedUp), SignUpErrors)
)]
async fn sign_up(
    State(state): State<AppState>,
    CurrentRequest(origin): CurrentRequest,
    JsonBody(sign_up): JsonBody<SignUp>,
) -> ApiResult<(StatusCode, Json<SignedUp>)> {
    refuse_guessable("password", &sign_up.password, &sign_up.known_words())?;
    // This check only saves the hash of a refused sign-up. The unique index decides.
    if state.db.user_of_mailbox(sign_up.email.canonical()).await?.is_some() {
        return Err(ApiError::UserExists);
    }
    let account = NewAccount {
        first_name: sign_up.first_name.into(),
        last_name: sign_up.last_name.into(),
        username: sign_up.username.into(),
        password_hash: state.hasher.hash(sign_up.password).await?,
        email: sign_up.email,
    };
    let now = state.now();
    let email =
        |uid| NewEmail::new(EmailKind::VerifyEmail, &account.email, now).about(uid).request_origin(origin);
    // The account and the email are one transaction, so neither exists without the other.
    let created = state.db.create_account(&account, email, now).await?;
    let (user, email_id) = created.ok_or(ApiError::UserExists)?;
    // After the commit, and without waiting for Redis. A lost job is re-enqueued by maintenance.
    state.jobs.enqueue(email_id);
    let message = "Account Created! Check email to verify your account";
    Ok((StatusCode::CREATED, Json(SignedUp { message, user: user.into() })))
}

impl SignUp {
    /// What an attacker knows about the owner: the password must not consist of it.
    fn known_words(&self) -> [&str; 4] {
        [self.email.as_str(), self.first_name.as_str(), self.last_name.as_str(), self.username.as_str()]
    }
}

//! `POST /signup`: an account, and the mail that proves its address.

use axum::Json as Answer;
use axum::extract::State;
use axum::http::StatusCode;
use bookly_shared::db::accounts::NewAccount;
use bookly_shared::db::emails::enqueue::NewEmail;
use bookly_shared::domain::{EmailAddress, EmailKind, Password, PersonName, Username};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::account::Account;
use crate::error::{ApiError, ApiResult};
use crate::extract::{CurrentRequest, Fields, FromFields, Json};
use crate::openapi::{errors, schemas};
use crate::password_policy::refuse_guessable;
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(sign_up))
}

/// Who signs up.
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
    user: Account,
}

errors!(SignUpErrors: body(), [ApiError::UserExists], limited(), always());

/// The account and its mail are one transaction; the bell is rung after it, and nobody waits for it.
#[utoipa::path(
    post, path = "/signup", tag = "Account", summary = "Open an account",
    description = "Mails a link that proves the address. Until it is followed the account may log in, but not more.",
    request_body = SignUp,
    responses((status = 201, description = "The account is open, the link is on its way", body = SignedUp), SignUpErrors)
)]
async fn sign_up(
    State(state): State<AppState>,
    CurrentRequest(origin): CurrentRequest,
    Json(sign_up): Json<SignUp>,
) -> ApiResult<(StatusCode, Answer<SignedUp>)> {
    let about = [
        sign_up.email.as_str(),
        sign_up.first_name.as_str(),
        sign_up.last_name.as_str(),
        sign_up.username.as_str(),
    ];
    refuse_guessable("password", &sign_up.password, &about)?;
    // Only saves the hash: what decides is the database's unique index.
    if state.db.user_of_mailbox(sign_up.email.canonical()).await?.is_some() {
        return Err(ApiError::UserExists);
    }
    let account = NewAccount {
        first_name: sign_up.first_name.as_str().to_owned(),
        last_name: sign_up.last_name.as_str().to_owned(),
        username: sign_up.username.as_str().to_owned(),
        password_hash: state.hasher.hash(sign_up.password).await?,
        email: sign_up.email,
    };
    let now = state.now();
    let mail =
        |uid| NewEmail::new(EmailKind::VerifyEmail, &account.email, now).about(uid).request_origin(origin);
    let (user, mail) = state.db.create_account(&account, mail, now).await?.ok_or(ApiError::UserExists)?;
    state.jobs.enqueue(mail);
    let message = "Account Created! Check email to verify your account";
    Ok((StatusCode::CREATED, Answer(SignedUp { message, user: user.into() })))
}

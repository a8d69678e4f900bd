//! `POST /signup`: creates an account and queues the email that verifies its address.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use bookly_shared::audit;
use bookly_shared::db::emails::insert::NewEmail;
use bookly_shared::db::users::{AnswerFor, Creation, FIRST_AUTH_VERSION, NewAccount, Replaceable, User};
use bookly_shared::domain::{CreatedVia, EmailAddress, EmailKind, Password, PersonName, Username};
use bookly_shared::locale::LanguageTag;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::user::UserResponse;
use crate::error::{ApiError, ApiResult};
use crate::extract::{AcceptedLanguage, CurrentRequest, Fields, FromFields, JsonBody, JsonBytes};
use crate::idempotency::{AnswerStorer, IdempotencyKeyHeader, once};
use crate::openapi::{errors, schemas};
use crate::password_policy::refuse_guessable;
use crate::state::AppState;

pub(super) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(once::<JsonBytes>(state, routes!(sign_up)))
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
    /// The language of emails; by default that of `Accept-Language`.
    #[schema(schema_with = schemas::locale_or_null, required = false)]
    locale: Option<LanguageTag>,
}

impl FromFields for SignUp {
    fn from_fields(fields: &mut Fields) -> Option<SignUp> {
        let first_name = fields.parse("first_name", PersonName::parse);
        let last_name = fields.parse("last_name", PersonName::parse);
        let username = fields.parse("username", Username::parse);
        let email = fields.parse("email", EmailAddress::parse);
        let password = fields.parse_owned("password", Password::parse);
        fields.take_null("locale");
        let locale = fields.optional("locale", |fields, name| fields.parse(name, LanguageTag::parse));
        let sign_up = SignUp {
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            email: email?,
            password: password?,
            locale: locale?,
        };
        match refuse_guessable(&sign_up.password, &sign_up.known_words()) {
            Ok(()) => Some(sign_up),
            Err(reason) => fields.refuse("password", reason),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct SignedUp {
    message: &'static str,
    user: UserResponse,
}

impl SignedUp {
    fn of(user: User) -> SignedUp {
        SignedUp { message: "Account Created! Check email to verify your account", user: user.into() }
    }
}

errors!(SignUpErrors: body(), keyed(), [ApiError::UserExists], limited(), always());

#[utoipa::path(
    post, path = "/signup", tag = "Account", summary = "Open an account",
    description = "Sends a link that proves the address. Until then the account may log in, but use nothing else.",
    params(IdempotencyKeyHeader),
    request_body = SignUp,
    responses((status = 201, description = "The account exists, the email is queued", body = SignedUp), SignUpErrors)
)]
async fn sign_up(
    State(state): State<AppState>,
    CurrentRequest(origin): CurrentRequest,
    accepted: AcceptedLanguage,
    storer: AnswerStorer,
    JsonBody(sign_up): JsonBody<SignUp>,
) -> ApiResult<(StatusCode, Json<SignedUp>)> {
    let now = state.now();
    let replaces = replaceable_account(&state, &sign_up.email, now).await?;
    let account = NewAccount {
        first_name: sign_up.first_name.into(),
        last_name: sign_up.last_name.into(),
        username: sign_up.username.into(),
        password_hash: state.hasher.hash(sign_up.password).await?,
        email: sign_up.email,
        created_via: CreatedVia::SignUp,
        locale: sign_up.locale.or(accepted.0),
        replaces,
        base_mailbox_limit: state.settings.base_mailbox_limit_per_day,
    };
    let email = |uid| verification_email(&account.email, uid, state.now()).request_origin(origin);
    let store = |user: &User| storer.json(StatusCode::CREATED, &SignedUp::of(user.clone()));
    let store: Option<AnswerFor<'_>> = storer.has_key().then_some(&store);
    // The account, the email and a stored answer are one transaction, so none exists without the others.
    let created = state.db.create_account_and_store_answer(&account, email, store, state.now()).await?;
    let (user, email_id) = match created {
        Creation::Created(user, email_id) => (*user, email_id),
        Creation::AddressTaken => return Err(ApiError::UserExists),
        Creation::TooManyForMailbox(wait) => {
            audit::throttled(account.email.as_str(), "sign_up_throttled");
            return Err(ApiError::TooManyRequests(wait.num_seconds().unsigned_abs() + 1));
        }
    };
    // After the commit, and without waiting for Redis. A lost job is re-enqueued by maintenance.
    state.jobs.enqueue(email_id);
    if let Some(replaced) = account.replaces {
        audit::account_of(replaced.uid(), &user.email, "account_replaced");
    }
    audit::account(&user, "signed_up");
    Ok((StatusCode::CREATED, Json(SignedUp::of(user))))
}

/// Refuses an address that has an account, before its password is hashed; the unique index decides later. An account
/// that signed up long ago and was never verified may be a stranger's, so it is replaced.
async fn replaceable_account(
    state: &AppState,
    email: &EmailAddress,
    now: DateTime<Utc>,
) -> ApiResult<Option<Replaceable>> {
    let Some(user) = state.db.user_of_mailbox(email.canonical()).await? else { return Ok(None) };
    let link_expired = now - state.settings.lifetimes.email_verification;
    user.replaceable(link_expired).map(Some).ok_or(ApiError::UserExists)
}

fn verification_email(to: &EmailAddress, uid: Uuid, now: DateTime<Utc>) -> NewEmail {
    NewEmail::new(EmailKind::VerifyEmail, to, now).about(uid, FIRST_AUTH_VERSION)
}

impl SignUp {
    /// What an attacker knows about the owner: the password must not consist of it.
    fn known_words(&self) -> [&str; 4] {
        [self.email.as_str(), self.first_name.as_str(), self.last_name.as_str(), self.username.as_str()]
    }
}

//! `PATCH /me`: names and language of the account of the session.

use axum::Json;
use axum::extract::State;
use bookly_shared::audit;
use bookly_shared::db::profiles::ProfileChange;
use bookly_shared::domain::{PersonName, Username};
use bookly_shared::locale::LanguageTag;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::user::UserResponse;
use crate::error::ApiResult;
use crate::extract::{Authorized, Fields, FromFields, VerifiedUser, done};
use crate::openapi::{errors, schemas};
use crate::state::AppState;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(change))
}

/// Some fields of an account; fields that are missing stay as they are.
#[derive(ToSchema)]
struct ProfilePatch {
    #[schema(schema_with = schemas::first_name)]
    first_name: Option<PersonName>,
    #[schema(schema_with = schemas::last_name)]
    last_name: Option<PersonName>,
    #[schema(schema_with = schemas::username)]
    username: Option<Username>,
    /// The language of emails; null for none, as before an account has one.
    #[schema(schema_with = schemas::locale_or_null)]
    locale: Option<Option<LanguageTag>>,
}

impl FromFields for ProfilePatch {
    fn from_fields(fields: &mut Fields) -> Option<ProfilePatch> {
        let first_name = fields.optional("first_name", |fields, name| fields.parse(name, PersonName::parse));
        let last_name = fields.optional("last_name", |fields, name| fields.parse(name, PersonName::parse));
        let username = fields.optional("username", |fields, name| fields.parse(name, Username::parse));
        let locale = if fields.take_null("locale") {
            Some(Some(None))
        } else {
            fields.optional("locale", |fields, name| fields.parse(name, LanguageTag::parse).map(Some))
        };
        Some(ProfilePatch {
            first_name: first_name?,
            last_name: last_name?,
            username: username?,
            locale: locale?,
        })
    }
}

errors!(ChangeProfileErrors: body(), verified(), limited(), always());

#[utoipa::path(
    patch, path = "/me", tag = "Account", operation_id = "change_me", summary = "Change your names and your language",
    description = "Fields that are missing stay as they are. Emails that are not sent yet get the new language, too.",
    security(("access_token" = [])),
    request_body = ProfilePatch,
    responses((status = 200, description = "The account as it is now", body = UserResponse), ChangeProfileErrors)
)]
async fn change(
    State(state): State<AppState>,
    Authorized(VerifiedUser(session), patch): Authorized<VerifiedUser, ProfilePatch>,
) -> ApiResult<Json<UserResponse>> {
    let (actor, now) = (session.actor(), state.now());
    let change = ProfileChange {
        first_name: patch.first_name,
        last_name: patch.last_name,
        username: patch.username,
        locale: patch.locale,
    };
    let changed = state.db.change_profile(&actor, &change, now).await?;
    let user = done::<VerifiedUser, _>(&state, &actor, changed).await?;
    audit::account(&user, "profile_changed");
    Ok(Json(user.into()))
}

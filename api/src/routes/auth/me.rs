//! `GET /me`: the account of the session, with its books while these are served.

use axum::Json;
use axum::extract::State;
use bookly_shared::db::books::Page;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::user::UserResponse;
use crate::error::ApiResult;
use crate::extract::VerifiedUser;
use crate::openapi::errors;
use crate::routes::books::BookAnswer;
use crate::state::AppState;

pub(super) fn router(state: &AppState) -> OpenApiRouter<AppState> {
    let with_books = state.settings.product.sample_books;
    OpenApiRouter::new().routes(if with_books { routes!(me) } else { routes!(me_alone) })
}

/// Bounds the answer's size. All books are at `/books/user/{user_uid}`.
const BOOKS: Page = Page { limit: 1_000, offset: 0 };

/// The account, and its newest 1,000 books.
#[derive(Serialize, ToSchema)]
struct Me {
    #[serde(flatten)]
    user: UserResponse,
    books: Vec<BookAnswer>,
}

errors!(MeErrors: verified(), always());

#[utoipa::path(
    get, path = "/me", tag = "Account", summary = "See your account and your books",
    security(("access_token" = [])),
    responses((status = 200, description = "The account", body = Me), MeErrors)
)]
async fn me(State(state): State<AppState>, VerifiedUser(session): VerifiedUser) -> ApiResult<Json<Me>> {
    let books = state.db.books_of(session.user.uid, BOOKS).await?;
    Ok(Json(Me { user: session.user.into(), books: books.into_iter().map(BookAnswer::from).collect() }))
}

#[utoipa::path(
    get, path = "/me", tag = "Account", operation_id = "me", summary = "See your account",
    security(("access_token" = [])),
    responses((status = 200, description = "The account", body = UserResponse), MeErrors)
)]
async fn me_alone(VerifiedUser(session): VerifiedUser) -> Json<UserResponse> {
    Json(session.user.into())
}

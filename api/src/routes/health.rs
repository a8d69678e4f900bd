//! Health, for whoever starts and stops processes: `/health/live`, `/health/ready`.

use axum::Json;
use axum::extract::State;
use bookly_shared::queue::RedisQueue;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::error::ApiError;
use crate::openapi::errors;
use crate::state::AppState;

/// The routes.
pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
    /// What is away that requests can do without.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    degraded: &'static [&'static str],
}

errors!(HealthErrors: always());

#[utoipa::path(
    get, path = "/health/live", tag = "Health", summary = "Is the process alive?",
    responses((status = 200, description = "It is", body = Health), HealthErrors)
)]
async fn live() -> Json<Health> {
    Json(Health { status: "live", degraded: &[] })
}

#[utoipa::path(
    get, path = "/health/ready", tag = "Health", summary = "Can it serve?",
    description = "Yes as long as the database answers. What else is away, and can be done without, is in `degraded`.",
    responses((status = 200, description = "It can", body = Health), HealthErrors)
)]
async fn ready(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    let (database, redis) = tokio::join!(state.db.is_reachable(), is_reachable(state.redis.as_ref()));
    health(database, redis).map(Json)
}

/// Ready as long as the database answers: without Redis sign-ups still work, their mails wait for it.
fn health(database: bool, redis: bool) -> Result<Health, ApiError> {
    if !database {
        return Err(ApiError::Unavailable);
    }
    Ok(Health { status: "ready", degraded: if redis { &[] } else { &["redis"] } })
}

async fn is_reachable(redis: Option<&RedisQueue>) -> bool {
    match redis {
        Some(redis) => redis.is_reachable().await,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_redis_it_is_ready_and_says_what_is_away() {
        let body = serde_json::to_value(health(true, false).unwrap()).unwrap();
        assert_eq!(body, serde_json::json!({"status": "ready", "degraded": ["redis"]}));
        assert_eq!(health(false, false).err(), Some(ApiError::Unavailable));
    }
}

//! `/health/live` and `/health/ready`, for what starts and stops processes.

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
    /// What does not answer, and is not needed for requests.
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
    description = "Yes while the database answers and can be written. `degraded` names what does not answer and is not needed for requests.",
    responses((status = 200, description = "It can", body = Health), HealthErrors)
)]
async fn ready(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    let (database, redis) = tokio::join!(state.db.is_ready(), is_reachable(state.redis.as_ref()));
    health(database, redis).map(Json)
}

/// Ready while the database answers. Without Redis sign-ups work too; their emails wait in the database.
fn health(database: bool, redis: bool) -> Result<Health, ApiError> {
    if !database {
        return Err(ApiError::Unavailable(None));
    }
    Ok(Health { status: "ready", degraded: if redis { &[] } else { &["redis"] } })
}

async fn is_reachable(redis: Option<&RedisQueue>) -> bool {
    match redis {
        Some(redis) => redis.is_usable().await,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_redis_it_is_ready_and_degraded() {
        let body = serde_json::to_value(health(true, false).unwrap()).unwrap();
        assert_eq!(body, serde_json::json!({"status": "ready", "degraded": ["redis"]}));
        assert_eq!(health(false, false).err(), Some(ApiError::Unavailable(None)));
    }
}

//! `/health` says that the process answers; `/ready` says that it can serve. The load balancer asks the
//! first, so that an outage of the database does not make it replace every task.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::extract::Json;
use crate::REVISION;
use crate::db::{self, Db, migrations};
use crate::lifecycle::Lifecycle;

/// The header that says which commit answers, so that a deployment can tell the new task from the old.
pub const X_BLOG_API_VERSION: HeaderName = HeaderName::from_static("x-blog-api-version");

const READY_TIMEOUT: Duration = Duration::from_millis(1500);

/// Whether the task is up.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, `ready` or `unavailable`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Why the task is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "database_unreachable")]
    reason: Option<NotReady>,
}

/// Why a task cannot serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotReady {
    /// The task still opens its database, or migrates it.
    Starting,
    /// The task has been told to stop.
    Draining,
    /// The database does not answer.
    DatabaseUnreachable,
    /// The database is a standby, or was demoted to one.
    DatabaseReadOnly,
    /// Migrations that this version needs have not run.
    SchemaBehind,
}

/// Is the process alive?
///
/// Does not ask the database.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, description = "The process answers", body = Health, headers(
        ("x-blog-api-version" = String, description = "The commit that the image was built from")
     ), example = json!({"status": "ok"})),
))]
pub async fn health() -> Response {
    ([(X_BLOG_API_VERSION, REVISION)], Json(Health { status: "ok", reason: None })).into_response()
}

/// Can this task serve?
///
/// Yes when it is not draining and the database answers within 1.5 s, is writable and has the schema that
/// this version needs.
#[utoipa::path(get, path = "/ready", tag = "health", responses(
    (status = 200, description = "Ready to serve", body = Health, example = json!({"status": "ready"})),
    (status = 503, description = "Not ready; `reason` says why", body = Health,
     example = json!({"status": "unavailable", "reason": "database_unreachable"})),
))]
pub async fn ready(State(db): State<Db>, State(lifecycle): State<Lifecycle>) -> Response {
    let checked = async {
        if lifecycle.is_draining() {
            return Err(NotReady::Draining);
        }
        match tokio::time::timeout(READY_TIMEOUT, check_database(&db)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(NotReady::DatabaseUnreachable),
        }
    };
    match checked.await {
        Ok(()) => Json(Health { status: "ready", reason: None }).into_response(),
        Err(reason) => {
            tracing::warn!(?reason, "not ready");
            let body = Json(Health { status: "unavailable", reason: Some(reason) });
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

/// What `/ready` says before there is a database to ask.
pub async fn starting() -> Response {
    let body = Json(Health { status: "unavailable", reason: Some(NotReady::Starting) });
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], body).into_response()
}

async fn check_database(db: &Db) -> Result<(), NotReady> {
    let mut connection = db.acquire().await.map_err(|_| NotReady::DatabaseUnreachable)?;
    if db::is_read_only(&mut connection).await.map_err(|_| NotReady::DatabaseUnreachable)? {
        return Err(NotReady::DatabaseReadOnly);
    }
    match migrations::are_applied(&mut connection).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(NotReady::SchemaBehind),
        Err(_) => Err(NotReady::DatabaseUnreachable),
    }
}

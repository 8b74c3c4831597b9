//! What an earlier version of the service made of comments' texts, to be made anew.

use uuid::Uuid;

use crate::db::Connection;
use crate::markdown::RENDERER_VERSION;

/// A comment whose text was rendered by an earlier version.
#[derive(Debug)]
pub struct StaleRendering {
    pub id: Uuid,
    /// The version of the comment that has this text.
    pub version: i64,
    pub body: String,
}

/// Some of the comments that an earlier version rendered, by id: those after `after`.
pub async fn stale_renderings(
    connection: &mut Connection,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<StaleRendering>> {
    sqlx::query_as!(
        StaleRendering,
        "select id, version, body from comments
         where renderer < $1 and deleted_at is null and id > $2
         order by id limit $3",
        RENDERER_VERSION,
        after,
        limit
    )
    .fetch_all(connection)
    .await
}

/// Stores a rendering; false if the comment has changed since it was read. Its version and times stay.
pub async fn set_rendering(
    connection: &mut Connection,
    id: Uuid,
    version: i64,
    html: &str,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update comments set body_html = $3, renderer = $4
         where id = $1 and version = $2 and renderer < $4 and deleted_at is null",
        id,
        version,
        html,
        RENDERER_VERSION
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() > 0)
}

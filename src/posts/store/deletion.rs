//! Deleting and restoring posts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::posts::model::PostRef;

/// Deletes a post, which stays restorable; false if it is not there, or in none of the versions `if_match`.
pub async fn delete(
    connection: &mut Connection,
    id: Uuid,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "update posts set deleted_at = $2, version = version + 1, updated_at = $2
         where id = $1 and deleted_at is null and ($3::bigint[] is null or version = any($3))",
        id,
        now,
        if_match
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() > 0)
}

/// A post, whether or not it was deleted, that nobody changes until the transaction ends.
#[derive(Debug)]
pub struct Locked {
    pub id: Uuid,
    pub version: i64,
    pub deleted: bool,
}

pub async fn lock(connection: &mut Connection, post: &PostRef) -> sqlx::Result<Option<Locked>> {
    sqlx::query_as!(
        Locked,
        r#"select id, version, deleted_at is not null as "deleted!" from posts
           where id = coalesce($1, (select id from posts where slug = $2)) for no key update"#,
        post.id(),
        post.slug()
    )
    .fetch_optional(connection)
    .await
}

/// Takes back a deletion.
pub async fn restore(connection: &mut Connection, id: Uuid, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update posts set deleted_at = null, version = version + 1, updated_at = $2 where id = $1",
        id,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether the slug is that of a deleted post; of `author_id`, or of anybody.
pub async fn is_of_deleted(
    connection: &mut Connection,
    slug: &str,
    author_id: Option<Uuid>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from posts
             where slug = $1 and deleted_at is not null and ($2::uuid is null or author_id = $2)) as "deleted!""#,
        slug,
        author_id
    )
    .fetch_one(connection)
    .await
}

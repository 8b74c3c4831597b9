//! Who likes what. Triggers count the likes of a post.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::{Connection, Outcome};

/// Makes `user_id` like a post, also if they do already. Refused if the post is not published.
pub async fn like(
    connection: &mut Connection,
    post_id: Uuid,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let result = sqlx::query!(
        r#"with post as (select id from posts where id = $1 and deleted_at is null and published_at <= $3),
             added as (insert into post_likes (post_id, user_id, created_at) select id, $2, $3 from post
                       on conflict do nothing
                       returning post_id)
           select exists (select from post) as "published!", exists (select from added) as "added!""#,
        post_id,
        user_id,
        now
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.published, result.added))
}

/// Makes `user_id` not like a post; false if they did not.
pub async fn unlike(connection: &mut Connection, post_id: Uuid, user_id: Uuid) -> sqlx::Result<bool> {
    let deleted =
        sqlx::query!("delete from post_likes where post_id = $1 and user_id = $2", post_id, user_id)
            .execute(connection)
            .await?;
    Ok(deleted.rows_affected() > 0)
}

pub async fn is_liked(connection: &mut Connection, post_id: Uuid, user_id: Uuid) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from post_likes where post_id = $1 and user_id = $2) as "liked!""#,
        post_id,
        user_id
    )
    .fetch_one(connection)
    .await
}

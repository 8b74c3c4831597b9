//! Who likes what. Triggers count the likes of a post.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::auth::User;
use crate::db::{Connection, Outcome};
use crate::identity::Role;
use crate::posts::model::PostRef;

/// Makes `user` like the post, also if they do already. `None` if it is not there or not for them to know, refused if
/// it is not published.
pub async fn like(
    connection: &mut Connection,
    post: &PostRef,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(Uuid, Outcome)>> {
    let result = sqlx::query!(
        r#"with post as (
             select id, published_at <= $4 as published from posts
             where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null
               and (published_at <= $4 or author_id = $3 or $5)),
           added as (
             insert into post_likes (post_id, user_id, created_at) select id, $3, $4 from post where published
             on conflict do nothing
             returning post_id)
           select id, coalesce(published, false) as "published!", exists (select from added) as "added!" from post"#,
        post.id(),
        post.slug(),
        user.id,
        now,
        user.is(Role::Editor)
    )
    .fetch_optional(connection)
    .await?;
    Ok(result.map(|post| (post.id, Outcome::of(post.published, post.added))))
}

/// Makes `user` not like the post, and says whether they did. `None` if it is not there or not for them to know.
pub async fn unlike(
    connection: &mut Connection,
    post: &PostRef,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(Uuid, bool)>> {
    let result = sqlx::query!(
        r#"with post as (
             select id from posts
             where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null
               and (published_at <= $4 or author_id = $3 or $5)),
           deleted as (
             delete from post_likes where post_id = (select id from post) and user_id = $3 returning post_id)
           select id, exists (select from deleted) as "deleted!" from post"#,
        post.id(),
        post.slug(),
        user.id,
        now,
        user.is(Role::Editor)
    )
    .fetch_optional(connection)
    .await?;
    Ok(result.map(|post| (post.id, post.deleted)))
}
